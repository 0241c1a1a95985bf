/** The top of the page: the test at a glance, and what can be done with it. */

import { computed, type ReadonlySignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { busy, reset, stop } from "./actions";
import { args } from "./args";
import { Course } from "./course";
import { count, rate, share } from "./format";
import icon from "./icon.svg";
import { MoonIcon, SunIcon, SystemIcon } from "./icons";
import { connection, isRunning, live, state } from "./live";
import { inWords } from "./status";
import { type Theme, theme } from "./theme";
import { editing } from "./view";

// Each is computed by itself, so that only the words that change are touched.
const status = computed(() => inWords(state.value));
const users = computed(() => {
  const now = live.value;
  const spawned = count(now?.user_count ?? args.user_count);
  return now && state.value === "spawning" && now.target_user_count !== now.user_count
    ? `${spawned} of ${count(now.target_user_count)}`
    : spawned;
});
const workers = computed(() => count(live.value?.worker_count ?? args.worker_count));
const requestRate = computed(() => rate(live.value?.total.current_rps));
const failures = computed(() => (live.value ? share(live.value.total.fail_ratio) : "–"));
const host = computed(() => live.value?.host ?? args.host);
const hasFailures = computed(() => (live.value?.total.num_failures ?? 0) > 0);
const used = computed(() => state.value !== "ready" && state.value !== "missing");

export function Header() {
  return (
    <header class="top" data-state={state} data-connection={connection.value.kind}>
      <div class="brand">
        <img src={icon} alt="" width="32" height="32" />
        <div>
          <strong>Locust</strong>
          {args.locustfile && (
            <bdi class="muted small cut" title={args.locustfile}>
              {args.locustfile}
            </bdi>
          )}
        </div>
      </div>
      <dl class="figures" aria-label="Test at a glance">
        <Figure name="status" title="Status" value={status} />
        <Figure name="users" title="Users" value={users} />
        {args.is_distributed && <Figure name="workers" title="Workers" value={workers} />}
        <Figure name="rate" title="Requests/s" value={requestRate} />
        <Figure name={hasFailures.value ? "failures bad" : "failures"} title="Failures" value={failures} />
        {host.value && <Figure name="host" title="Host" value={host} />}
      </dl>
      <Actions />
      <ThemeButton />
      <Course />
    </header>
  );
}

function Figure({ name, title, value }: { name: string; title: string; value: ReadonlySignal<string> }) {
  return (
    <div class={name}>
      <dt>{title}</dt>
      <dd title={name === "host" ? value : undefined}>
        <bdi>{value}</bdi>
      </dd>
    </div>
  );
}

function Actions() {
  const place = useRef<HTMLDivElement>(null);
  const wasInside = useRef(false);
  const [running, doing] = [isRunning.value, busy.value];
  const stopping = doing === "stop" || state.value === "stopping" || state.value === "cleanup";
  // A button that is gone takes the focus along; whoever uses the keyboard is to stay here.
  useLayoutEffect(() => {
    const lost = document.activeElement === document.body;
    if (lost && wasInside.current) place.current?.querySelector("button")?.focus();
  }, [running, used.value]);
  if (!used.value) return null;
  return (
    <div
      class="actions"
      ref={place}
      onFocusIn={() => {
        wasInside.current = true;
      }}
      onFocusOut={({ relatedTarget }) => {
        wasInside.current = relatedTarget === null;
      }}
    >
      <button
        type="button"
        class={running ? undefined : "primary"}
        aria-haspopup="dialog"
        aria-disabled={stopping}
        onClick={() => {
          if (!stopping) editing.value = true;
        }}
      >
        {running ? "Edit" : "New test"}
      </button>
      {running && (
        <button type="button" class="danger" aria-disabled={stopping} onClick={() => !stopping && stop()}>
          {stopping ? "Stopping…" : "Stop"}
        </button>
      )}
      <button type="button" aria-disabled={doing !== null} onClick={reset}>
        Reset
      </button>
    </div>
  );
}

const THEMES: Record<Theme, { next: Theme; Icon: () => preact.JSX.Element }> = {
  system: { next: "light", Icon: SystemIcon },
  light: { next: "dark", Icon: SunIcon },
  dark: { next: "system", Icon: MoonIcon },
};

function ThemeButton() {
  const { next, Icon } = THEMES[theme.value];
  const label = `Theme: ${theme}. Change to ${next}`;
  return (
    <button
      type="button"
      class="quiet icon theme"
      aria-label={label}
      title={label}
      onClick={() => {
        theme.value = next;
      }}
    >
      <Icon />
    </button>
  );
}
