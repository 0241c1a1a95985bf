import { expect, test } from "vitest";
import { count, duration, milliseconds, rate, share } from "./format";

test("counts, rates and times have the digits that matter", () => {
  expect([count(1234567), count(null), rate(0.126), rate(1234.56)]).toEqual([
    "1,234,567",
    "–",
    "0.13",
    "1,234.6",
  ]);
  expect([milliseconds(0.034), milliseconds(12.34), milliseconds(1234.5)]).toEqual(["0.03", "12.3", "1,235"]);
});

test("nearly none and nearly all are not called none and all", () => {
  expect([0, 0.0004, 0.5, 0.9999, 1].map(share)).toEqual(["0%", "<0.1%", "50%", ">99.9%", "100%"]);
});

test("durations", () => {
  expect([0, 59.4, 60, 725, 11229].map(duration)).toEqual(["0s", "59s", "1:00", "12:05", "3:07:09"]);
});
