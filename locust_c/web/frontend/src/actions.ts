/** What the buttons of the header do to the test. */

import { signal } from "@preact/signals";
import { post } from "./api";
import { refresh } from "./live";

/** What is being done now; nothing else can be begun meanwhile. */
export const busy = signal<"stop" | "reset" | null>(null);

/** Why the last action failed, in words. */
export const problem = signal("");

async function act(name: "stop" | "reset", path: string): Promise<void> {
  if (busy.value) return;
  busy.value = name;
  problem.value = "";
  try {
    await post(path);
    await refresh();
  } catch (error) {
    const what = name === "stop" ? "The test was not stopped" : "The statistics were not reset";
    problem.value = `${what}: ${(error as Error).message}`;
  } finally {
    busy.value = null;
  }
}

/** End the test; it takes until all users have ended. */
export const stop = () => act("stop", "stop");

/** Forget all statistics. */
export const reset = () => act("reset", "stats/reset");
