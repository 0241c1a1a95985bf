import { expect, test } from "vitest";
import { ALL, addressOf, courseOf, moved, nearest, placesIn, secondsOf, spanOf, zoomed } from "./range";

const course = { min: 1000, max: 2000 };

test("without an address the whole course is shown, and one that has only begun fills a minute", () => {
  expect(spanOf(ALL, course)).toEqual(course);
  expect(spanOf(ALL, { min: 1000, max: 1003 })).toEqual({ min: 1000, max: 1060 });
});

test("the last five minutes follow the newest point, and are the whole course until it is longer", () => {
  expect(spanOf({ from: "-300", to: "" }, course)).toEqual({ min: 1700, max: 2000 });
  expect(spanOf({ from: "-300", to: "" }, { min: 1000, max: 1100 })).toEqual({ min: 1000, max: 1100 });
});

test("an address with both ends stands still, one with a beginning only goes on to the newest point", () => {
  expect(spanOf({ from: "1200", to: "1300" }, course)).toEqual({ min: 1200, max: 1300 });
  expect(spanOf({ from: "1200", to: "" }, course)).toEqual({ min: 1200, max: 2000 });
  expect(spanOf({ from: "", to: "1300" }, course)).toEqual({ min: 1000, max: 1300 });
});

test.each([
  ["x", ""],
  ["", "x"],
  ["1300", "1200"],
  ["1300", "1301"],
  ["-300", "1500"],
  ["2500", ""],
  ["Infinity", ""],
  [" ", " "],
])("an address that makes no sense (from=%s, to=%s) means the whole course", (from, to) => {
  expect(spanOf({ from, to }, course)).toEqual(course);
});

test("an address is in whole seconds and keeps following the newest point", () => {
  expect(addressOf({ min: 1200.4, max: 1300.6 }, course, false)).toEqual({ from: "1200", to: "1301" });
  expect(addressOf({ min: 1200.4, max: 1200.9 }, course, false)).toEqual({ from: "1200", to: "1205" });
  expect(addressOf({ min: 1700, max: 2000 }, course, true)).toEqual({ from: "-300", to: "" });
  expect(addressOf({ min: 1700, max: 2000 }, course, false)).toEqual({ from: "1700", to: "2000" });
  expect(addressOf({ min: 1700, max: 1900 }, course, true)).toEqual({ from: "1700", to: "1900" });
  expect(addressOf({ min: 999, max: 2001 }, course, false)).toEqual(ALL);
});

test("zooming keeps the moment under the cursor, the course's ends and the narrowest width", () => {
  expect(zoomed(course, 0.5, 1250, course)).toEqual({ min: 1125, max: 1625 });
  expect(zoomed({ min: 1100, max: 1200 }, 2, 1110, course)).toEqual({ min: 1090, max: 1290 });
  expect(zoomed({ min: 1000, max: 1100 }, 2, 1090, course)).toEqual({ min: 1000, max: 1200 });
  expect(zoomed({ min: 1000, max: 1008 }, 0.1, 1004, course)).toEqual({ min: 1001.5, max: 1006.5 });
  expect(zoomed(course, 2, 1500, course)).toEqual(course);
});

test("moving stops at the ends of the course", () => {
  expect(moved({ min: 1100, max: 1200 }, 0.5, course)).toEqual({ min: 1150, max: 1250 });
  expect(moved({ min: 1100, max: 1200 }, -2, course)).toEqual({ min: 1000, max: 1100 });
  expect(moved({ min: 1100, max: 1200 }, 20, course)).toEqual({ min: 1900, max: 2000 });
});

test("the nearest place, also before the first, behind the last and among none", () => {
  const values = [10, 20, 30, 40];
  expect([5, 10, 14, 16, 25, 99].map((value) => nearest(values, value))).toEqual([0, 0, 0, 1, 1, 3]);
  expect(nearest([], 5)).toBe(-1);
  expect(nearest([7], 5)).toBe(0);
});

test("places within a span", () => {
  const values = [10, 20, 30, 40];
  expect(placesIn(values, { min: 15, max: 32 })).toEqual([1, 2]);
  expect(placesIn(values, { min: 10, max: 40 })).toEqual([0, 3]);
  expect(placesIn(values, { min: 21, max: 29 })).toBeNull();
  expect(placesIn(values, { min: 50, max: 60 })).toBeNull();
  expect(placesIn([], { min: 0, max: 60 })).toBeNull();
});

test("a point stands for the time since the one before it, the first for as long as the second", () => {
  expect([0, 1, 2].map((point) => secondsOf([10, 11, 14], point))).toEqual([1, 1, 3]);
  expect(secondsOf([10], 0)).toBe(1);
});

test("the course begins where the first point does, and with the mark of its run", () => {
  const started = (time: number) => ({ time, text: "Test started" });
  expect(courseOf({ time: [], marks: [started(1)] })).toBeNull();
  expect(courseOf({ time: [10, 11, 12], marks: [] })).toEqual({ min: 9, max: 12 });
  expect(courseOf({ time: [10, 11, 12], marks: [started(8.9), started(11)] })).toEqual({ min: 8.9, max: 12 });
  expect(courseOf({ time: [10, 11, 12], marks: [started(2)] })).toEqual({ min: 9, max: 12 });
});
