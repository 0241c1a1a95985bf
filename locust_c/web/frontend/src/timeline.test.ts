import { expect, test } from "vitest";
import { emptyTimeline, merged, type TimelinePart } from "./timeline";

function part(epoch: number, first: number, ...users: number[]): TimelinePart {
  const time = users.map((_, place) => first + place);
  return {
    ...emptyTimeline(),
    epoch,
    next: first + users.length,
    time,
    users,
    rps: users,
    failures: users,
    percentiles: ["0.5"],
    response_times: { "0.5": users },
    lag: users,
    heat: { edges: [1, 2], points: users.map((count) => [0, count]) },
  };
}

test("points of the same epoch are appended to all columns", () => {
  const both = merged(part(1, 0, 5, 6), part(1, 2, 7));
  expect(both).toEqual(part(1, 0, 5, 6, 7));
});

test("another epoch replaces everything", () => {
  expect(merged(part(1, 0, 5, 6), part(2, 0, 9))).toEqual(part(2, 0, 9));
});

test("without new points and marks nothing changes, so that nothing is drawn again", () => {
  const before = part(1, 0, 5, 6);
  expect(merged(before, part(1, 2))).toBe(before);
  const mark = { time: 1, text: "stopped" };
  expect(merged(before, { ...part(1, 2), marks: [mark] }).marks).toEqual([mark]);
});
