/** Tables of a locustfile's own: which rows they have, and what their cells show. */

import { NOTHING } from "../format";

export type Row = Record<string, unknown>;

export interface ExtendedTable {
  key: string;
  structure: { key: string; title: string }[];
}

/**
 * The rows that have something in one of the columns: all tables of a key get the same rows.
 *
 * @param stats `extended_stats` of the locustfile, so of whatever shape: what is no list of rows has none.
 */
export function rowsOf({ key, structure }: ExtendedTable, stats: unknown): Row[] {
  return listed(stats)
    .filter((part) => part.key === key)
    .flatMap(({ data }) => listed(data))
    .filter((row) => structure.some((column) => row[column.key] !== undefined));
}

function listed(value: unknown): Row[] {
  return Array.isArray(value) ? value.filter((row) => typeof row === "object" && row !== null) : [];
}

/** Whether a column holds numbers, and nothing else where it holds something. */
export function isNumeric(rows: Row[], key: string): boolean {
  const values = rows.map((row) => row[key]).filter((value) => value !== undefined && value !== null);
  return values.length > 0 && values.every((value) => typeof value === "number");
}

/** What a cell is ordered by and copied as. */
export function cellValue(value: unknown): string | number | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "number" || typeof value === "string") return value;
  return JSON.stringify(value);
}

/** What a cell shows; numbers without the digits that only come of binary fractions. */
export function cellText(value: unknown): string {
  const known = cellValue(value);
  if (known === null) return NOTHING;
  return typeof known === "number" ? String(Number(known.toPrecision(12))) : known;
}
