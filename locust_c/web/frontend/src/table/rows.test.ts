import { expect, test } from "vitest";
import type { Column } from "./column";
import { found, keyed, ordered } from "./rows";

interface Row {
  name: string;
  count: number | null;
}

const NAME: Column<Row> = { key: "name", title: "Name", value: (row) => row.name };
const COUNT: Column<Row> = { key: "count", title: "Count", kind: "number", value: (row) => row.count };
const items = (...rows: [string, number | null][]) =>
  keyed(
    rows.map(([name, count]) => ({ name, count })),
    ({ name }) => name,
  );
const names = (list: { row: Row }[]) => list.map(({ row }) => row.name);

test("rows of one key are told apart, and keep their keys while they keep their places", () => {
  const keys = (list: { key: string }[]) => list.map(({ key }) => key);
  const twice = keys(items(["a", 1], ["a", 2], ["b", 3]));
  expect(new Set(twice).size).toBe(3);
  expect(keys(items(["a", 9], ["a", 8], ["b", 7]))).toEqual(twice);
});

test("equal rows keep their order in both directions", () => {
  const rows = items(["x", 1], ["y", 2], ["z", 1], ["w", 2]);
  expect(names(ordered(rows, COUNT, false))).toEqual(["x", "z", "y", "w"]);
  expect(names(ordered(rows, COUNT, true))).toEqual(["y", "w", "x", "z"]);
});

test("rows without a value are last in both directions", () => {
  const rows = items(["none", null], ["one", 1], ["zero", 0]);
  expect(names(ordered(rows, COUNT, false))).toEqual(["zero", "one", "none"]);
  expect(names(ordered(rows, COUNT, true))).toEqual(["one", "zero", "none"]);
});

test("names are ordered as people count, and the list given stays as it is", () => {
  const rows = items(["/b", 1], ["/a/10", 1], ["/a/9", 1], ["/B", 1]);
  expect(names(ordered(rows, NAME, false))).toEqual(["/a/9", "/a/10", "/b", "/B"]);
  expect(names(rows)).toEqual(["/b", "/a/10", "/a/9", "/B"]);
});

test("a search finds rows that have all its words in their texts, not in their numbers", () => {
  const rows = items(["GET /Items", 7], ["POST /items", 8], ["GET /", 9]);
  expect(names(found(rows, [NAME, COUNT], " items  get "))).toEqual(["GET /Items"]);
  expect(names(found(rows, [NAME, COUNT], "9"))).toEqual([]);
  expect(found(rows, [NAME, COUNT], "  ")).toBe(rows);
  expect(names(found(rows, [NAME, { ...COUNT, searched: true }], "9"))).toEqual(["GET /"]);
});

test("what looks like a pattern is only text", () => {
  expect(names(found(items(["a.b(*", 1], ["aXb", 1]), [NAME], ".b(*"))).toEqual(["a.b(*"]);
});
