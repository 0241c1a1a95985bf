import { expect, test } from "vitest";
import { cellText, cellValue, isNumeric, rowsOf } from "./extended-rows";

const table = {
  key: "sizes",
  structure: [
    { key: "name", title: "Name" },
    { key: "size", title: "Size" },
  ],
};

test("a table has the rows of its key that have one of its columns", () => {
  const stats = [
    { key: "sizes", data: [{ name: "/", size: 1 }, { size: null }, { other: 1 }] },
    { key: "else", data: [{ name: "no" }] },
    { key: "sizes", data: [{ name: "/b" }] },
  ];
  expect(rowsOf(table, stats)).toEqual([{ name: "/", size: 1 }, { size: null }, { name: "/b" }]);
  expect(rowsOf(table, [])).toEqual([]);
});

test("what a locustfile sends in another shape has no rows, and breaks nothing", () => {
  for (const odd of [
    undefined,
    null,
    {},
    "sizes",
    [null],
    [{ key: "sizes" }],
    [{ key: "sizes", data: {} }],
  ]) {
    expect(rowsOf(table, odd)).toEqual([]);
  }
  expect(rowsOf(table, [{ key: "sizes", data: [null, 1, { size: 2 }] }])).toEqual([{ size: 2 }]);
});

test("a column of numbers may have gaps", () => {
  expect(isNumeric([{ size: 1 }, { size: null }, {}], "size")).toBe(true);
  expect(isNumeric([{ size: 1 }, { size: "2" }], "size")).toBe(false);
  expect(isNumeric([{}], "size")).toBe(false);
});

test("whatever a cell holds is shown as text", () => {
  expect([undefined, null, 0.1 + 0.2, 2026, 1e21, "", true, { a: [1] }].map(cellText)).toEqual([
    "–",
    "–",
    "0.3",
    "2026",
    "1e+21",
    "",
    "true",
    '{"a":[1]}',
  ]);
  expect([undefined, 0.5, "x", [1]].map(cellValue)).toEqual([null, 0.5, "x", "[1]"]);
});
