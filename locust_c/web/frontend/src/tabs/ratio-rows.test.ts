import { expect, test } from "vitest";
import { ratioRows } from "./ratio-rows";

test("tasks come behind what they belong to, with both ratios", () => {
  const perClass = {
    B: { ratio: 0.25, tasks: { set: { ratio: 1, tasks: { x: { ratio: 0.5 }, y: { ratio: 0.5 } } } } },
    A: { ratio: 0.75, tasks: { x: { ratio: 1 } } },
  };
  const total = {
    B: { ratio: 0.25, tasks: { set: { ratio: 0.25, tasks: { x: { ratio: 0.125 }, y: { ratio: 0.125 } } } } },
    A: { ratio: 0.75, tasks: { x: { ratio: 0.75 } } },
  };
  expect(
    ratioRows(perClass, total).map(({ path, depth, own, total }) => [path.join("/"), depth, own, total]),
  ).toEqual([
    ["B", 0, 0.25, 0.25],
    ["B/set", 1, 1, 0.25],
    ["B/set/x", 2, 0.5, 0.125],
    ["B/set/y", 2, 0.5, 0.125],
    ["A", 0, 0.75, 0.75],
    ["A/x", 1, 1, 0.75],
  ]);
});

test("what only one of the answers has is shown without the other", () => {
  expect(ratioRows({ A: { ratio: 1 } }, {})).toEqual([
    { path: ["A"], name: "A", depth: 0, own: 1, total: null },
  ]);
});
