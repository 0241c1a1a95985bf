/** The state of the test in words: in the title of the page as well. */

import { effect } from "@preact/signals";
import { args } from "./args";
import { count } from "./format";
import { connection, isRunning, live, state, visible } from "./live";

const WORDS: Record<string, string> = {
  ready: "Ready",
  spawning: "Spawning users",
  running: "Running",
  stopping: "Stopping",
  cleanup: "Cleaning up",
  stopped: "Stopped",
  missing: "No runner",
};

/** `state` as people read it. */
export function inWords(state: string): string {
  return WORDS[state] ?? state;
}

/** What matters comes first: a tab of the browser shows no more. Nothing that nobody keeps up to date. */
function title(): string {
  const parts = args.locustfile ? [args.locustfile, "Locust"] : ["Locust"];
  if (!visible.value) return parts.join(" – ");
  if (connection.value.kind !== "ok") return ["No connection", ...parts].join(" – ");
  const now = inWords(state.value);
  return [isRunning.value ? `${count(live.value?.total.current_rps)}/s ${now}` : now, ...parts].join(" – ");
}

/** Keep the title of the page up to date. */
export function keepTitle(): void {
  effect(() => {
    document.title = title();
  });
}
