import { expect, test } from "vitest";
import { chosen, continued, parsed, severity } from "./log-lines";

const INFO = "[2026-11-23 06:30:38,615] vm/INFO/locust.main: Starting Locust";
const WARNING = "[2026-11-23 06:30:39,001] vm/WARNING/locust.runners: CPU usage: 90%";
const ERROR = "[2026-11-23 06:30:40,002] my-host/ERROR/my: Boom\nTraceback: ]/x/: y";

test("a line is read as Locust writes it, further lines belong to the message", () => {
  expect(parsed(ERROR, 3)).toEqual({
    id: 3,
    whole: ERROR,
    time: "2026-11-23 06:30:40,002",
    level: "ERROR",
    logger: "my",
    message: "Boom\nTraceback: ]/x/: y",
  });
  expect(parsed(WARNING, 0)).toMatchObject({ level: "WARNING", message: "CPU usage: 90%" });
});

test("a line of another form is all message", () => {
  for (const text of ["", "GET  /a  1 0(0.00%)", "[x] y", "[time] a/b/c: d", "\u202eab"]) {
    expect(parsed(text, 0)).toMatchObject({ time: "", level: "", message: text });
  }
});

test("levels that are not the usual ones are information", () => {
  const lines = ["CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG", "NOTICE"].map((level) =>
    parsed(`[t] h/${level}/l: m`, 0),
  );
  expect([...lines, parsed("plain", 0)].map(severity)).toEqual([
    "error",
    "error",
    "warning",
    "info",
    "debug",
    "info",
    "info",
  ]);
});

test("lines that are still there stay the same objects", () => {
  const before = continued([], ["a", "b", "b"]);
  const after = continued(before, ["b", "b", "c"]);
  expect(after.map(({ id, whole }) => [id, whole])).toEqual([
    [1, "b"],
    [2, "b"],
    [3, "c"],
  ]);
  expect(after[0]).toBe(before[1]);
  expect(continued(after, ["b", "b", "c"]).every((line, place) => line === after[place])).toBe(true);
});

test("a log that has nothing in common with the one before is all new", () => {
  const before = continued([], ["a", "b"]);
  expect(continued(before, ["x", "y"]).map(({ id }) => id)).toEqual([2, 3]);
  expect(continued(before, [])).toEqual([]);
});

test("lines are chosen by level and by what they hold", () => {
  const lines = continued([], [INFO, WARNING, ERROR, "plain"]);
  const ids = (...how: Parameters<typeof chosen> extends [unknown, ...infer Rest] ? Rest : never) =>
    chosen(lines, ...how).map(({ id }) => id);
  expect([ids("all", ""), ids("warning", ""), ids("error", "")]).toEqual([[0, 1, 2, 3], [1, 2], [2]]);
  expect([ids("all", " LOCUST.m "), ids("warning", "cpu"), ids("all", "none")]).toEqual([[0], [1], []]);
});
