import { expect, test } from "vitest";
import { ago, count, duration, milliseconds, moment, rate, share } from "./format";

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

test("moments, and how long ago they were", () => {
  expect([-3, 4.9, 5, 59.9, 60, 3599, 7300, 200_000].map(ago)).toEqual([
    "just now",
    "just now",
    "5 s ago",
    "59 s ago",
    "1 min ago",
    "59 min ago",
    "2 h ago",
    "2 d ago",
  ]);
  const then = new Date(2026, 10, 6, 4, 3, 9);
  expect(moment(then.getTime() / 1000, new Date(2026, 10, 6, 23))).toBe("04:03:09");
  expect(moment(then.getTime() / 1000, new Date(2026, 10, 7, 1))).toBe("2026-11-06 04:03:09");
});
