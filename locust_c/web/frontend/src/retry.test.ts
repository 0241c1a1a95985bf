import { expect, test } from "vitest";
import { newestShown, pauseAfter } from "./retry";

test("a lost server is asked soon, then ever more rarely, but never more than ten seconds apart", () => {
  expect([1, 2, 3, 4, 5, 6, 2000].map(pauseAfter)).toEqual([1000, 2000, 4000, 8000, 10000, 10000, 10000]);
});

test("a server that answers is asked every two seconds", () => {
  expect(pauseAfter(0)).toBe(2000);
});

test("data is asked for until it cannot be from before the last change", () => {
  const newest = newestShown();
  expect([newest.isDue(1), newest.isDue(1), newest.isDue(1), newest.isDue(1)]).toEqual([
    true,
    true,
    true,
    true,
  ]);
  newest.shows(1);
  expect([newest.isDue(1), newest.isDue(1), newest.isDue(1), newest.isDue(1)]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(newest.isDue(2)).toBe(true);
  newest.shows(2);
  expect([newest.isDue(2), newest.isDue(2), newest.isDue(2)]).toEqual([true, true, false]);
});
