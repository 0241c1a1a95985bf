import { expect, test } from "vitest";
import { placeLabels } from "./labels";

test("labels stand right of their lines, at the end of the picture left of them", () => {
  expect(placeLabels([10, 95], [30, 30], 100, 2)).toEqual([
    { mark: 0, left: 10, row: 0 },
    { mark: 1, left: 65, row: 0 },
  ]);
});

test("a label that would cover another goes one row down, and the oldest are left out", () => {
  expect(placeLabels([10, 20, 30, 80], [40, 40, 40, 20], 100, 2)).toEqual([
    { mark: 1, left: 20, row: 1 },
    { mark: 2, left: 30, row: 0 },
    { mark: 3, left: 80, row: 0 },
  ]);
});

test("a picture too narrow for a label has none", () => {
  expect(placeLabels([10], [40], 30, 2)).toEqual([]);
});
