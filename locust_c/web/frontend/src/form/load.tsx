/** The fields that every test has: how many users, how fast they start, against which host, and for how long. */

import { useState } from "preact/hooks";
import { args } from "../args";
import type { Shown } from "./custom";
import { Field } from "./field";
import { isUrl } from "./fields";

export function LoadFields({ shown }: { shown: Shown }) {
  return (
    <div class="field-grid">
      <Field name="user_count" label="Number of users" unit="peak concurrency">
        {(attributes) => (
          <input
            {...attributes}
            type="number"
            min="0"
            step="1"
            required
            defaultValue={shown("user_count")?.[0] ?? "1"}
            onWheel={(event) => event.currentTarget.blur()}
          />
        )}
      </Field>
      <Field name="spawn_rate" label="Ramp up" unit="users started/second">
        {(attributes) => (
          <input
            {...attributes}
            type="number"
            step="any"
            required
            defaultValue={shown("spawn_rate")?.[0] ?? "1"}
            onInput={(event) => {
              const { value, valueAsNumber } = event.currentTarget;
              event.currentTarget.setCustomValidity(
                value && valueAsNumber <= 0 ? "The ramp up must be more than 0 users per second." : "",
              );
            }}
            onWheel={(event) => event.currentTarget.blur()}
          />
        )}
      </Field>
    </div>
  );
}

export function HostField({ shown }: { shown: Shown }) {
  const [host, setHost] = useState(shown("host")?.[0] ?? "");
  return (
    <Field
      name="host"
      label="Host"
      help={hostHelp(host)}
      warning={hostWarning(host)}
      required={args.is_host_required}
    >
      {(attributes) => (
        <input
          {...attributes}
          inputmode="url"
          autocomplete="url"
          autocapitalize="off"
          spellcheck={false}
          placeholder="https://example.com"
          required={args.is_host_required}
          defaultValue={host}
          onInput={(event) => setHost(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

function hostWarning(host: string): string | null {
  if (host.trim()) {
    return isUrl(host) ? null : "This is no URL: HTTP users need one that begins with http:// or https://.";
  }
  return args.missing_host_warning
    ? "Without a host here, user classes that set none cannot send requests."
    : null;
}

function hostHelp(host: string): string | null {
  if (!args.override_host_warning) return null;
  return host.trim()
    ? "This host replaces the ones that the user classes set."
    : "The user classes set hosts of their own; a host here replaces them all.";
}

export function RunTimeField({ value, fromNow }: { value: string; fromNow?: boolean }) {
  return (
    <Field
      name="run_time"
      label={fromNow ? "Run time from now" : "Run time"}
      help="Such as 20, 20s, 3m, 2h, 1h20m or 3h30m10s. Empty: until it is stopped."
    >
      {(attributes) => (
        <input
          {...attributes}
          autocomplete="off"
          spellcheck={false}
          placeholder="no limit"
          defaultValue={value}
        />
      )}
    </Field>
  );
}

export function ProfileField({ shown }: { shown: Shown }) {
  return (
    <Field name="profile" label="Profile" help="A name for this kind of test, which locustfiles can read.">
      {(attributes) => (
        <>
          <input
            {...attributes}
            list="profiles"
            autocomplete="off"
            defaultValue={shown("profile")?.[0] ?? ""}
          />
          <datalist id="profiles">
            {(args.all_profiles ?? []).map((profile) => (
              <option key={profile} value={profile} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}
