import { expect, test } from "vitest";
import { ALL_UP_TO, windowOf } from "./window";

test("few rows are all in the page", () => {
  expect(windowOf(0, 30, 0, 600)).toEqual({ start: 0, end: 0 });
  expect(windowOf(ALL_UP_TO, 30, 500, 60)).toEqual({ start: 0, end: ALL_UP_TO });
});

test("of many rows the visible ones are in the page wherever it is scrolled to, and not many more", () => {
  for (const rowHeight of [30, 31.5, 68.25]) {
    for (let top = 0; top <= 2000 * rowHeight - 600; top += 397) {
      const { start, end } = windowOf(2000, rowHeight, top, 600);
      expect(start * rowHeight).toBeLessThanOrEqual(top);
      expect(end * rowHeight).toBeGreaterThanOrEqual(Math.min(top + 600, 2000 * rowHeight));
      expect(end - start).toBeLessThanOrEqual(600 / rowHeight + 28);
      expect(start % 2).toBe(0);
    }
  }
});

test("scrolled further than there are rows, as after a search, the last ones are in the page", () => {
  const { start, end } = windowOf(150, 30, 50_000, 600);
  expect(end).toBe(150);
  expect(start).toBeLessThanOrEqual(130);
});

test("before a row was measured there are some to measure, not all", () => {
  expect(windowOf(2000, 0, 0, 0)).toEqual({ start: 0, end: ALL_UP_TO });
});
