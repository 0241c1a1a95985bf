/** When to ask the server again. */

const POLL_MS = 2000;
const FIRST_RETRY_MS = 1000;
const SLOWEST_RETRY_MS = 10_000;

/** Milliseconds to wait after `failures` questions in a row that had no answer; 0: the last one had. */
export function pauseAfter(failures: number): number {
  return failures === 0 ? POLL_MS : Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), SLOWEST_RETRY_MS);
}
