/** The seconds between two answers of the server. */

import { computed, effect, signal } from "@preact/signals";
import { connection, isRunning, live, visible } from "./live";

/** More than half of the time between two answers: a second tick would come just before the next one. */
const TICK_MS = 1100;

const ticking = computed(() => visible.value && isRunning.value && connection.value.kind === "ok");

/** Seconds since the last answer; it only counts while a test goes on, is seen, and the server answers. */
export const age_s = signal(0);

effect(() => {
  if (live.value === null || !ticking.value) return;
  const answered = performance.now();
  age_s.value = 0;
  const timer = setInterval(() => {
    age_s.value = (performance.now() - answered) / 1000;
  }, TICK_MS);
  return () => clearInterval(timer);
});
