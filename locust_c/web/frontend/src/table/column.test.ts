import { expect, test } from "vitest";
import { type Column, chosenColumns, formatChoice, formatOrder, nextOrder, parseOrder } from "./column";

type Row = { name: string };
const value = (row: Row) => row.name;
const NAME: Column<Row> = { key: "name", title: "Name", value };
const COUNT: Column<Row> = { key: "count", title: "Count", kind: "number", value };
const ODD: Column<Row> = { key: "a, b", title: "Odd", optional: true, value };
const COLUMNS = [NAME, COUNT, ODD];
const keys = (columns: Column<Row>[]) => columns.map(({ key }) => key);

test("an order is a key, with a minus for descending", () => {
  for (const text of ["name", "-count", "a, b"]) {
    const order = parseOrder(text, COLUMNS);
    expect(order && formatOrder(order)).toBe(text);
  }
  expect(parseOrder("-count", COLUMNS)).toEqual({ key: "count", descending: true });
});

test("an address from elsewhere may name columns that are not there", () => {
  expect([parseOrder("", COLUMNS), parseOrder("-", COLUMNS), parseOrder("--name", COLUMNS)]).toEqual([
    null,
    null,
    null,
  ]);
  expect(keys(chosenColumns("gone,-count,-gone", COLUMNS))).toEqual(["name"]);
  expect(keys(chosenColumns("-name,-count", COLUMNS))).toEqual(["name", "count"]);
});

test("numbers begin with the largest, texts with the first, and a second click turns the order round", () => {
  const byCount = nextOrder(null, COUNT);
  expect(byCount).toEqual({ key: "count", descending: true });
  expect(nextOrder(byCount, COUNT)).toEqual({ key: "count", descending: false });
  expect(nextOrder(byCount, NAME)).toEqual({ key: "name", descending: false });
});

test("a choice of columns is written as what differs from the one at first", () => {
  expect(formatChoice(new Set(["count", "name"]), COLUMNS)).toBe("");
  const choice = formatChoice(new Set(["a, b", "name"]), COLUMNS);
  expect(choice).toBe("-count,a%2C%20b");
  expect(keys(chosenColumns(choice, COLUMNS))).toEqual(["name", "a, b"]);
});
