/** What generator lag is, and what it means when it is high. */

import { timeline } from "../live";
import { extremes } from "./series";
import { shown } from "./view";

/** From here on users come noticeably late; the HTML report says so from the same value on. */
export const LATE_MS = 20;

export function LateNote() {
  const [first, last] = shown.value ?? [0, -1];
  const found = extremes(timeline.value.lag, first, last);
  const late = found && found.highest >= LATE_MS;
  return (
    <>
      <p class="note muted">
        How late tasks go on after their response; no part of response times. A few milliseconds are usual.
      </p>
      <p class={late ? "note late" : "note"} role="status">
        {late &&
          `${found.latest >= LATE_MS ? "High now" : "Was high"}: the load generator is short of CPU, so users make ` +
            "fewer requests than they would. Use more processes or workers, or less Python in tasks."}
      </p>
    </>
  );
}
