import { expect, test } from "vitest";
import { emptyTimeline } from "../timeline";
import { extremes, type Line, lonely, percentileName, responseTimeLines, summary, withUnit } from "./series";

const line: Line = {
  colour: "p0",
  label: "p50",
  unit: "ms",
  values: () => [],
  show: (value) => String(value),
};

test("percentiles have their usual names", () => {
  expect(["0.5", "0.95", "0.999", "0.29", "1.0"].map(percentileName)).toEqual([
    "p50",
    "p95",
    "p99.9",
    "p29",
    "p100",
  ]);
});

test("each percentile is a line of its own colour", () => {
  const two = responseTimeLines(["0.5", "0.95"]);
  expect(two.map(({ colour, label }) => [colour, label])).toEqual([
    ["p4", "p50"],
    ["p5", "p95"],
  ]);
  const timeline = { ...emptyTimeline(), response_times: { "0.5": [1, null] } };
  expect(two.map(({ values }) => values(timeline))).toEqual([[1, null], []]);
  const six = responseTimeLines(["0.1", "0.2", "0.3", "0.4", "0.5", "0.6"]);
  expect(new Set(six.map(({ colour }) => colour)).size).toBe(6);
});

test("a value has its unit, a gap has none", () => {
  expect([withUnit(line, 5), withUnit({ ...line, unit: "" }, 5), withUnit(line, null)]).toEqual([
    "5 ms",
    "5",
    "–",
  ]);
});

test("the extremes leave gaps out, also where the newest point is one", () => {
  expect(extremes([9, null, 2, 5, null, 99], 0, 4)).toEqual({ latest: 5, lowest: 2, highest: 9 });
  expect(extremes([null, null], 0, 1)).toBeNull();
});

test("a line in words", () => {
  expect(summary(line, [3, 1, 2], 0, 2)).toBe("p50: latest 2 ms, lowest 1 ms, highest 3 ms.");
  expect(summary(line, [null], 0, 0)).toBe("p50: no values.");
});

test("a point between two gaps is told, so that it is drawn as a dot", () => {
  expect(lonely([1, null, 2, null, 3, 4, null, 5], 0, 7)).toEqual([0, 2, 7]);
  expect(lonely([1, 2, null, 3, 4], 0, 4)).toBeNull();
});
