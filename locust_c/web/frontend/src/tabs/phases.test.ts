import { expect, test } from "vitest";
import { parts } from "./phases";

const times = (count: number, median: number) => ({ count, median, p95: 2 * median, p99: 3 * median });
const ORDER = ["connect", "wait", "receive"];

test("phases count as often as there were requests that had them", () => {
  const phases = { wait: times(1000, 2), connect: times(10, 200), receive: times(1000, 0) };
  expect(parts(phases, ORDER, "median")).toEqual([
    { phase: "connect", percent: 50 },
    { phase: "wait", percent: 50 },
  ]);
});

test("the quantile is the chosen one, and the order that of the answer", () => {
  const phases = { receive: { ...times(1, 1), p99: 9 }, wait: { ...times(1, 1), p99: 1 } };
  expect(parts(phases, ORDER, "p99")).toEqual([
    { phase: "wait", percent: 10 },
    { phase: "receive", percent: 90 },
  ]);
});

test("without any time there is no bar", () => {
  expect(parts({}, ORDER, "median")).toEqual([]);
  expect(parts({ wait: times(3, 0) }, ORDER, "median")).toEqual([]);
});
