import { expect, test } from "vitest";
import { type Connection, inWords } from "./connection";

const AT = new Date(2026, 0, 5, 10, 32, 11).getTime();

function after(kind: Connection["kind"], age_ms: number, message?: string): string {
  return inWords({ kind, since: AT, answered: AT - age_ms, ...(message ? { message } : {}) });
}

test("the words say when the connection was lost and how old the figures are", () => {
  expect(after("lost", 2000)).toBe(
    "Connection to Locust lost at 10:32:11. Trying again… The figures shown are from then.",
  );
  // The page was not looked at for an hour, during which the server ended.
  expect(after("lost", 3_600_000)).toContain("The figures shown are from 09:32:11.");
});

test("without any answer there are no figures to be old", () => {
  expect(inWords({ kind: "lost", since: AT, answered: null })).toBe(
    "Connection to Locust lost at 10:32:11. Trying again…",
  );
});

test("each trouble has its words, and no trouble none", () => {
  expect(after("ok", 0)).toBe("");
  expect(after("signed-out", 0)).toContain("You are signed out.");
  expect(after("offline", 0)).toContain("This browser is offline since 10:32:11.");
  expect(after("failing", 0, "No space left")).toContain("an error since 10:32:11: No space left");
});
