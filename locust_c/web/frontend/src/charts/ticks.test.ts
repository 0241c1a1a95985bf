import { expect, test } from "vitest";
import { axisNumber, logTicks, moment, timeLabels } from "./ticks";

// Local times, so that the tests hold in each time zone.
const at = (...parts: [number, number, number, number?, number?, number?]) => +new Date(...parts) / 1000;
const noon = at(2026, 10, 26, 12);

test("an axis of today has no date", () => {
  expect(timeLabels([noon, noon + 60], 60, noon)).toEqual(["12:00", "12:01"]);
  expect(timeLabels([noon, noon + 5], 5, noon)).toEqual(["12:00:00", "12:00:05"]);
});

test("an axis of another day has its date once, and again where the day changes", () => {
  expect(timeLabels([noon, noon + 60], 60, noon + 86_400)).toEqual(["12:00\n26 Nov", "12:01"]);
  const late = at(2026, 10, 26, 23, 59);
  expect(timeLabels([late, late + 60, late + 120], 60, noon)).toEqual([
    "23:59\n26 Nov",
    "00:00\n27 Nov",
    "00:01",
  ]);
});

test("ticks that are days apart are dates", () => {
  expect(timeLabels([at(2026, 10, 26), at(2026, 10, 27)], 86_400, noon)).toEqual(["26 Nov", "27 Nov"]);
});

test("a moment has its date unless it is of today", () => {
  expect(moment(noon + 5, noon)).toBe("12:00:05");
  expect(moment(noon, noon + 86_400)).toBe("26 Nov 12:00:00");
  expect(moment(noon, noon + 365 * 86_400)).toBe("26 Nov 12:00:00");
});

test("numbers at an axis are short", () => {
  expect([0, 0.25, 1500, 9999, 10_000, 12_500, 3e6].map(axisNumber)).toEqual([
    "0",
    "0.25",
    "1,500",
    "9,999",
    "10K",
    "12.5K",
    "3M",
  ]);
});

test("logarithmic ticks are 1, 2 and 5, and fewer over many powers of ten", () => {
  expect(logTicks(1, 100, 8)).toEqual([1, 2, 5, 10, 20, 50, 100]);
  expect(logTicks(0.4, 6, 8)).toEqual([0.5, 1, 2, 5]);
  expect(logTicks(3, 600, 6)).toEqual([3, 10, 30, 100, 300]);
  expect(logTicks(0.1, 1000, 8)).toEqual([0.1, 1, 10, 100, 1000]);
  expect(logTicks(0.01, 1e5, 5)).toEqual([0.01, 1, 100, 10_000]);
});
