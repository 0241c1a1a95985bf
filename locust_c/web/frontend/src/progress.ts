/** How far the test is, in words and as a part of one, counted on from the last answer of the server. */

import { duration, rate } from "./format";
import type { Live } from "./live";

export interface Progress {
  words: string;
  /** How much is done, 0 to 1; null where nobody knows the end. */
  done: number | null;
}

type Course = Pick<
  Live,
  "state" | "user_count" | "target_user_count" | "spawn_rate" | "shape" | "elapsed_s" | "time_left_s"
>;

const isGoingOn = (state: string) => state === "spawning" || state === "running";

/**
 * The time of the run; null if there is none to speak of.
 *
 * @param age_s seconds since `now` was true.
 */
export function ofRun(now: Course, age_s: number): Progress | null {
  const { elapsed_s, time_left_s, shape } = now;
  if (elapsed_s === null) return null;
  const which = shape === null ? "" : `Shape ${shape}: `;
  if (!isGoingOn(now.state)) return { words: `${which}${duration(elapsed_s)} of run time`, done: null };
  if (time_left_s === null) return { words: `${which}${duration(elapsed_s + age_s)} elapsed`, done: null };
  const left = Math.max(0, time_left_s - age_s);
  // Not the run time that was asked for: a test that is edited gets it from then on.
  const whole = elapsed_s + time_left_s;
  const elapsed = whole - left;
  return {
    words: `${which}${duration(elapsed)} of ${duration(whole)}, ${duration(left)} left`,
    done: whole > 0 ? elapsed / whole : 1,
  };
}

/** The way to the number of users that was asked for; null when it is reached, or a shape decides. */
export function ofRamp(now: Course, age_s: number): Progress | null {
  const { user_count, target_user_count, spawn_rate } = now;
  if (now.state !== "spawning" || now.shape !== null || user_count === target_user_count) return null;
  const grows = user_count < target_user_count;
  const words = grows ? "Ramping up" : "Ramping down";
  if (!spawn_rate) return { words, done: grows ? user_count / target_user_count : null };
  const missing = Math.max(0, Math.abs(target_user_count - user_count) - spawn_rate * age_s);
  return {
    words: `${words} at ${rate(spawn_rate)} users/s, ${duration(Math.ceil(missing / spawn_rate))} left`,
    done: grows ? 1 - missing / target_user_count : null,
  };
}

/** From here on users come to their next request so late that the load is another one; milliseconds. */
const LATE_MS = 20;
const LATE_POINTS = 10;

/**
 * How late the generator is; null if it is not.
 *
 * @param lag p99 in milliseconds for each point of the timeline. One bad second is no matter.
 * @returns the median of the last points.
 */
export function lateness(lag: readonly (number | null)[]): number | null {
  const last = lag.slice(-LATE_POINTS).filter((value) => value !== null);
  const median = last.sort((one, other) => one - other)[last.length >> 1];
  return median !== undefined && median >= LATE_MS ? median : null;
}
