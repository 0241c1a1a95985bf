/** The state of the test in words. */

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

/** The title of the page: what matters comes first, a tab of the browser shows no more. */
export function pageTitle(state: string, rate: string | null, locustfile: string | null): string {
  const now = rate === null ? inWords(state) : `${rate}/s ${inWords(state)}`;
  return [now, ...(locustfile ? [locustfile] : []), "Locust"].join(" – ");
}
