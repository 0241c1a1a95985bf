import { expect, test } from "vitest";
import { hasNews, type Seen, seenAfter } from "./news";

const counts = (errors: number, exceptions = 0, log_lines = 10) => ({ errors, exceptions, log_lines });

test("failures are news at once, log lines only those that come later", () => {
  const seen = seenAfter({}, counts(3), undefined);
  expect(hasNews(seen, counts(3), "errors")).toBe(true);
  expect(hasNews(seen, counts(3), "log_lines")).toBe(false);
  expect(hasNews(seen, counts(3, 0, 11), "log_lines")).toBe(true);
  expect(hasNews({}, counts(0), "exceptions")).toBe(false);
});

test("what is looked at is no news until there is more", () => {
  const seen = seenAfter({}, counts(3, 1), "errors");
  expect(hasNews(seen, counts(3, 1), "errors")).toBe(false);
  expect(hasNews(seen, counts(3, 1), "exceptions")).toBe(true);
  expect(hasNews(seen, counts(4, 1), "errors")).toBe(true);
});

test("after a reset the next failure is new", () => {
  let seen: Seen = seenAfter({}, counts(3), "errors");
  seen = seenAfter(seen, counts(0), undefined);
  expect(hasNews(seen, counts(0), "errors")).toBe(false);
  expect(hasNews(seen, counts(1), "errors")).toBe(true);
});

test("nothing changes without a change, so that nothing is drawn again", () => {
  const seen = seenAfter({}, counts(3), "errors");
  expect(seenAfter(seen, counts(3), "errors")).toBe(seen);
});
