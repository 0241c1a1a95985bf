/** Data of the visible tab: asked for while something shows it. */

import { effect, signal, untracked } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { get, Refused } from "./api";
import { type Live, live } from "./live";
import { newestShown } from "./retry";

/** What is wrong with the data of the visible tab, in words. */
export const polledProblem = signal("");

/** With each answer while a test goes on; afterwards when something was still counted, or was cleared. */
function whileRunning(answer: Live): unknown {
  if (answer.state === "spawning" || answer.state === "running" || answer.state === "stopping") return answer;
  const { counts, total, timeline } = answer;
  return [
    answer.state,
    total.num_requests,
    total.num_failures,
    timeline.epoch,
    ...Object.values(counts),
  ].join();
}

/**
 * The JSON at `path`: asked for again with each answer of `stats/live`, two seconds apart, that has another
 * `version` than the last ones. Null before the first answer; the last one stays while the connection is lost.
 * Whoever uses it is drawn again when there is new data, not with each answer of `stats/live`.
 *
 * @param version what the data depends on; without it, data is asked for each time while a test goes on.
 */
export function usePolled<T>(path: string, version: (answer: Live) => unknown = whileRunning): T | null {
  const [data, setData] = useState<{ path: string; fresh: T } | null>(null);
  const versionOf = useRef(version);
  versionOf.current = version;
  useEffect(() => {
    let [busy, gone] = [false, false];
    const newest = newestShown();
    async function ask(wanted: unknown) {
      busy = true;
      try {
        const fresh = await get<T>(path);
        if (gone) return;
        newest.shows(wanted);
        polledProblem.value = "";
        setData({ path, fresh });
      } catch (error) {
        // What is wrong with the connection, stats/live finds out as well, and the page says it once.
        if (!gone) polledProblem.value = error instanceof Refused ? error.message : "";
      } finally {
        busy = false;
      }
    }
    const stop = effect(() => {
      const answer = live.value;
      if (answer === null || busy) return;
      const wanted = versionOf.current(answer);
      if (newest.isDue(wanted)) untracked(() => void ask(wanted));
    });
    return () => {
      gone = true;
      polledProblem.value = "";
      stop();
    };
  }, [path]);
  return data?.path === path ? data.fresh : null;
}
