/** When to ask the server again. */

const POLL_MS = 2000;
const FIRST_RETRY_MS = 1000;
const SLOWEST_RETRY_MS = 10_000;

/** Milliseconds to wait after `failures` questions in a row that had no answer; 0: the last one had. */
export function pauseAfter(failures: number): number {
  return failures === 0 ? POLL_MS : Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), SLOWEST_RETRY_MS);
}

/** The server repeats figures for two seconds: so many answers later there is none from before a change. */
const REPEATS = 2;

/** Remembers which version of some data is shown, to say whether to ask for it again. */
export function newestShown() {
  let [shown, repeats]: [unknown, number] = [undefined, 0];
  return {
    /** Whether to ask, now that `version` is the newest; to be called with each answer of `stats/live`. */
    isDue(version: unknown): boolean {
      repeats = version === shown ? repeats + 1 : 0;
      return repeats <= REPEATS;
    },
    /** Note that what was asked for because of `version` is shown. */
    shows(version: unknown): void {
      shown = version;
    },
  };
}
