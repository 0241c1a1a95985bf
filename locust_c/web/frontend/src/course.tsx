/** The line below the figures: how far the test is, and whether this machine is too slow for it. */

import { computed, type ReadonlySignal } from "@preact/signals";
import { age_s } from "./clock";
import { milliseconds } from "./format";
import { isRunning, live, state, timeline } from "./live";
import { lateness, ofRamp, ofRun, type Progress } from "./progress";

const run = computed(() => live.value && ofRun(live.value, age_s.value));
const ramp = computed(() => live.value && ofRamp(live.value, age_s.value));
const late = computed(() => (isRunning.value ? lateness(timeline.value.lag) : null));

/** Always there once a test was started, so that nothing moves when a ramp ends. */
export function Course() {
  if (state.value === "ready" || state.value === "missing") return null;
  return (
    <div class="course small">
      <Part title="Run time" progress={run} />
      <Part title="Users" progress={ramp} />
      <LagWords />
    </div>
  );
}

function Part({ title, progress }: { title: string; progress: ReadonlySignal<Progress | null> }) {
  if (progress.value === null) return null;
  const { words, done } = progress.value;
  return (
    <div class="part">
      <span>{words}</span>
      {done !== null && (
        <div
          class="bar"
          role="progressbar"
          aria-label={title}
          aria-valuenow={Math.round(done * 100)}
          aria-valuetext={words}
        >
          <div style={{ "--done": done.toFixed(4) }} />
        </div>
      )}
    </div>
  );
}

function LagWords() {
  if (late.value === null) return null;
  return (
    <span class="late" title="Users go on later than they could: this machine has too much to do.">
      The generator is late: p99 lag {milliseconds(late.value)} ms
    </span>
  );
}
