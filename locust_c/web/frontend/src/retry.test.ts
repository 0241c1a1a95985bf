import { expect, test } from "vitest";
import { pauseAfter } from "./retry";

test("a lost server is asked soon, then ever more rarely, but never more than ten seconds apart", () => {
  expect([1, 2, 3, 4, 5, 6, 2000].map(pauseAfter)).toEqual([1000, 2000, 4000, 8000, 10000, 10000, 10000]);
});

test("a server that answers is asked every two seconds", () => {
  expect(pauseAfter(0)).toBe(2000);
});
