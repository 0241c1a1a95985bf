import { expect, test } from "vitest";
import { lateness, ofRamp, ofRun } from "./progress";

const RUNNING = {
  state: "running",
  user_count: 100,
  target_user_count: 100,
  spawn_rate: 10,
  shape: null,
  elapsed_s: 65,
  time_left_s: null,
};
const TIMED = { ...RUNNING, elapsed_s: 150, time_left_s: 450 };
const RAMP = { ...RUNNING, state: "spawning", user_count: 120, target_user_count: 1000 };

test("a run without an end counts on between answers", () => {
  expect(ofRun(RUNNING, 0)).toEqual({ words: "1:05 elapsed", done: null });
  expect(ofRun(RUNNING, 2)).toEqual({ words: "1:07 elapsed", done: null });
  expect(ofRun({ ...RUNNING, shape: "Stairs" }, 0)?.words).toBe("Shape Stairs: 1:05 elapsed");
});

test("a timed run says what is left, and never less than nothing", () => {
  expect(ofRun(TIMED, 0)).toEqual({ words: "2:30 of 10:00, 7:30 left", done: 0.25 });
  expect(ofRun(TIMED, 10)?.words).toBe("2:40 of 10:00, 7:20 left");
  expect(ofRun(TIMED, 9999)).toEqual({ words: "10:00 of 10:00, 0s left", done: 1 });
  expect(ofRun({ ...TIMED, elapsed_s: 0, time_left_s: 0 }, 0)?.done).toBe(1);
});

test("a run that has ended stands still, one that has not begun has no time", () => {
  expect(ofRun({ ...TIMED, state: "stopped" }, 30)).toEqual({ words: "2:30 of run time", done: null });
  expect(ofRun({ ...RUNNING, state: "ready", elapsed_s: null }, 0)).toBeNull();
});

test("a ramp says for how long it goes on", () => {
  expect(ofRamp(RAMP, 0)).toEqual({ words: "Ramping up at 10 users/s, 1:28 left", done: 0.12 });
  expect(ofRamp(RAMP, 2)).toEqual({ words: "Ramping up at 10 users/s, 1:26 left", done: 0.14 });
  expect(ofRamp(RAMP, 9999)).toEqual({ words: "Ramping up at 10 users/s, 0s left", done: 1 });
  expect(ofRamp({ ...RAMP, spawn_rate: null }, 2)).toEqual({ words: "Ramping up", done: 0.12 });
});

test("a ramp downward has no bar", () => {
  const down = { ...RAMP, target_user_count: 20 };
  expect(ofRamp(down, 0)).toEqual({ words: "Ramping down at 10 users/s, 10s left", done: null });
});

test("there is no ramp when all users are there, or a shape decides", () => {
  expect(ofRamp(RUNNING, 0)).toBeNull();
  expect(ofRamp({ ...RAMP, user_count: 1000 }, 0)).toBeNull();
  expect(ofRamp({ ...RAMP, shape: "Stairs" }, 0)).toBeNull();
});

test("a generator is late when it lasts, not after one pause, and no longer when it is over", () => {
  expect(lateness([])).toBeNull();
  expect(lateness([2, 3, 400, 2, null, 3])).toBeNull();
  expect(lateness([2, 30, 40, 50, null])).toBe(40);
  expect(lateness([...Array(60).fill(90), ...Array(10).fill(1)])).toBeNull();
});
