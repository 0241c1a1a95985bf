/** Which rows a table shows, and in which order. */

import type { Column, Value } from "./column";

/** A row under a key of its own, by which it is found again in the next answer. */
export interface Item<Row> {
  key: string;
  row: Row;
}

/** `rows` with their keys; those that would have the same one are numbered. */
export function keyed<Row>(rows: Row[], keyOf: (row: Row, place: number) => string): Item<Row>[] {
  const seen = new Map<string, number>();
  return rows.map((row, place) => {
    const key = keyOf(row, place);
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    return { key: before ? `${key}\n${before}` : key, row };
  });
}

/** Those rows that have all words of `query` somewhere in their texts, in any case of letters. */
export function found<Row>(items: Item<Row>[], columns: Column<Row>[], query: string): Item<Row>[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return items;
  const searched = columns.filter(({ kind, searched }) => searched ?? kind !== "number");
  return items.filter(({ row }) => {
    const text = searched.map(({ value }) => String(value(row) ?? "").toLowerCase()).join("\n");
    return words.every((word) => text.includes(word));
  });
}

// Numbers in names count as numbers: /items/9 comes before /items/10.
const collator = new Intl.Collator("en", { numeric: true });

function compare(one: Value, other: Value): number {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return collator.compare(String(one), String(other));
}

/** Rows ordered by `column`; equal ones stay as they were, those without a value are last either way. */
export function ordered<Row>(items: Item<Row>[], column: Column<Row>, descending: boolean): Item<Row>[] {
  const sign = descending ? -1 : 1;
  const pairs = items.map((item) => ({ item, value: column.value(item.row) }));
  pairs.sort((one, other) => {
    if (one.value == null || other.value == null)
      return Number(one.value == null) - Number(other.value == null);
    return sign * compare(one.value, other.value);
  });
  return pairs.map(({ item }) => item);
}
