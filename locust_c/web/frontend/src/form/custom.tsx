/** The fields of a locustfile's own arguments. */

import { useState } from "preact/hooks";
import { args, type CustomArgument } from "../args";
import { Field, FieldSet } from "./field";
import { kindOf, valuesOf } from "./fields";

/** From so many on, the fields can be searched. */
const MANY = 13;

export type Shown = (name: string) => string[] | null;

/**
 * @param shown what was entered before, if anything was.
 */
export function CustomFields({ shown }: { shown: Shown }) {
  const [search, setSearch] = useState("");
  const names = Object.keys(args.extra_options);
  if (names.length === 0) return null;
  const hits = names.filter((name) => matches(name, args.extra_options[name] as CustomArgument, search));
  return (
    <details class="section" open={names.length < MANY || names.some(isOpenRequirement)}>
      <summary>
        Custom parameters <small>{names.length}</small>
      </summary>
      {names.length >= MANY && (
        <input
          type="search"
          placeholder="Search parameters"
          aria-label="Search parameters"
          onInput={(event) => setSearch(event.currentTarget.value)}
          // Enter in here is no wish to start a test.
          onKeyDown={(event) => event.key === "Enter" && event.preventDefault()}
        />
      )}
      {hits.length === 0 && <p class="hint">No parameter is called like that.</p>}
      <div class="field-grid">
        {names.map((name) => (
          // Those that do not match stay in the form: their values are sent as well.
          <div key={name} hidden={!hits.includes(name)}>
            <CustomField name={name} values={shown(name)} />
          </div>
        ))}
      </div>
    </details>
  );
}

function matches(name: string, { help_text }: CustomArgument, search: string): boolean {
  return `${name} ${help_text ?? ""}`.toLowerCase().includes(search.trim().toLowerCase());
}

function isOpenRequirement(name: string): boolean {
  const argument = args.extra_options[name] as CustomArgument;
  return argument.is_required && valuesOf(argument).join("") === "";
}

function CustomField({ name, values }: { name: string; values: string[] | null }) {
  const argument = args.extra_options[name] as CustomArgument;
  const [now] = useState(() => values ?? valuesOf(argument));
  const { help_text: help, is_required: required } = argument;
  const kind = kindOf(argument);
  if (kind === "check") return <Check name={name} checked={now[0] === "true"} help={help} />;
  if (kind === "choices") return <Choices name={name} argument={argument} now={now} />;
  return (
    <Field
      name={name}
      label={name}
      required={required}
      help={help}
      unit={kind === "list" ? "separated by commas" : ""}
    >
      {(attributes) =>
        kind === "choice" ? (
          <Choice {...attributes} argument={argument} now={now[0]} />
        ) : (
          <input
            {...attributes}
            type={{ number: "number", secret: "password", text: "text", list: "text" }[kind]}
            step={kind === "number" ? "any" : undefined}
            autocomplete={kind === "secret" ? "new-password" : "off"}
            spellcheck={false}
            // The server cannot make a number of nothing.
            required={required || kind === "number"}
            defaultValue={now[0] ?? ""}
            onWheel={(event) => kind === "number" && event.currentTarget.blur()}
          />
        )
      }
    </Field>
  );
}

function Check({ name, checked, help }: { name: string; checked: boolean; help: string | null }) {
  const id = `field-${name}`;
  return (
    <div class="field">
      <label class="check" for={id}>
        <input
          id={id}
          name={name}
          type="checkbox"
          value="true"
          defaultChecked={checked}
          aria-describedby={help ? `${id}-help` : undefined}
        />
        <bdi>{name}</bdi>
      </label>
      {help && (
        <p id={`${id}-help`} class="hint" dir="auto">
          {help}
        </p>
      )}
    </div>
  );
}

function Choice(props: { id: string; name: string; argument: CustomArgument; now: string | undefined }) {
  const { argument, now = "", ...attributes } = props;
  const choices = (argument.choices ?? []).map(String);
  return (
    <select {...attributes} required={argument.is_required}>
      {!choices.includes(now) && (
        <option value={now} selected>
          {now || "not set"}
        </option>
      )}
      {choices.map((choice) => (
        <option key={choice} value={choice} selected={choice === now}>
          {choice}
        </option>
      ))}
    </select>
  );
}

function Choices({ name, argument, now }: { name: string; argument: CustomArgument; now: string[] }) {
  // Nothing picked was sent as an empty text.
  const [picked, setPicked] = useState(() => now.filter((choice) => choice !== ""));
  return (
    <FieldSet name={name} label={name} required={argument.is_required} help={argument.help_text}>
      <div class="choices">
        {(argument.choices ?? []).map(String).map((choice, place) => (
          <label key={choice} class="check">
            <input
              type="checkbox"
              name={name}
              value={choice}
              defaultChecked={now.includes(choice)}
              // The browser asks for the first one, as it would for a field that is empty.
              required={argument.is_required && place === 0 && picked.length === 0}
              onChange={(event) => {
                const { checked } = event.currentTarget;
                setPicked(picked.filter((other) => other !== choice).concat(checked ? [choice] : []));
              }}
            />
            <bdi>{choice}</bdi>
          </label>
        ))}
      </div>
    </FieldSet>
  );
}
