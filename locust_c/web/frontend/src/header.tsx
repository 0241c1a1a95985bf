/** The top of the page: the test at a glance, and what can be done with it. */

import { post } from "./api";
import { args } from "./args";
import { count, rate, share } from "./format";
import { isRunning, live, refresh, state } from "./live";
import { editing } from "./view";

const stop = () => post("stop").then(refresh);
const reset = () => post("stats/reset").then(refresh);

export function Header() {
  const now = live.value;
  const used = state.value !== "ready";
  return (
    <header data-state={state.value}>
      <strong>Locust</strong> <span class="muted">{args.locustfile}</span>
      <dl class="figures" aria-label="Test at a glance">
        <Figure title="Status" value={state.value} />
        <Figure title="Users" value={count(now?.user_count)} />
        <Figure title="Requests/s" value={rate(now?.total.current_rps)} />
        <Figure title="Failures" value={share(now?.total.fail_ratio ?? 0)} />
        <Figure title="Host" value={now?.host ?? args.host} />
      </dl>
      <div class="actions">
        {used && !editing.value && (
          <button
            type="button"
            onClick={() => {
              editing.value = true;
            }}
          >
            {isRunning.value ? "Edit" : "New test"}
          </button>
        )}
        {isRunning.value && (
          <button type="button" class="danger" onClick={stop}>
            Stop
          </button>
        )}
        {used && (
          <button type="button" onClick={reset}>
            Reset
          </button>
        )}
      </div>
    </header>
  );
}

function Figure({ title, value }: { title: string; value: string }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{value}</dd>
    </div>
  );
}
