/** What a table is told about a column; how an order and a choice of columns are written in the address. */

import type { ComponentChildren } from "preact";

export type Value = string | number | null | undefined;

export interface Column<Row> {
  key: string;
  title: string;
  /** What rows are ordered by, and what is copied; it is also what is shown, unless there is `show`. */
  value: (row: Row) => Value;
  show?: (row: Row) => ComponentChildren;
  /** Numbers are aligned to the right, and begin with the largest when rows are ordered by them. */
  kind?: "number" | "text";
  /** What the column means, for who points at its title. */
  hint?: string;
  /** Not shown until it is chosen. */
  optional?: boolean;
  /** In rem; of a column that grows the least. */
  width?: number;
  /** Takes the width that the others leave. */
  grow?: boolean;
  /** Texts of any length: cut to the lines of a row; a click opens the whole text. */
  long?: boolean;
  /** Stays at the left when the table is scrolled sideways. */
  sticky?: boolean;
  /** Texts are searched; this one is not, or this number is as well. */
  searched?: boolean;
}

export interface Order {
  key: string;
  descending: boolean;
}

/** `text` as in the address: `name`, or `-name` for descending. Null for a column that is not there. */
export function parseOrder<Row>(text: string, columns: Column<Row>[]): Order | null {
  const descending = text.startsWith("-");
  const key = descending ? text.slice(1) : text;
  return columns.some((column) => column.key === key) ? { key, descending } : null;
}

export function formatOrder({ key, descending }: Order): string {
  return descending ? `-${key}` : key;
}

/** The order after a click on the title of `column`. */
export function nextOrder<Row>(before: Order | null, { key, kind }: Column<Row>): Order {
  if (before?.key === key) return { key, descending: !before.descending };
  return { key, descending: kind === "number" };
}

/** The columns that are shown: `text` of the address adds to those at first, and with a minus takes away. */
export function chosenColumns<Row>(text: string, columns: Column<Row>[]): Column<Row>[] {
  const changes = new Set(text.split(","));
  const chosen = columns.filter(({ key, optional }) => {
    const written = encodeURIComponent(key);
    return optional ? changes.has(written) : !changes.has(`-${written}`);
  });
  return chosen.length ? chosen : columns.filter(({ optional }) => !optional);
}

/** How the address writes that the columns `keys` are shown: empty for those that are shown at first. */
export function formatChoice<Row>(keys: Set<string>, columns: Column<Row>[]): string {
  return columns
    .filter(({ key, optional }) => keys.has(key) === Boolean(optional))
    .map(({ key, optional }) => (optional ? "" : "-") + encodeURIComponent(key))
    .join(",");
}
