/** The statistics of one name, as `/stats/requests` has them, and the columns that show them. */

import type { Column } from "../table/column";

export interface Entry {
  method: string | null;
  name: string;
  num_requests: number;
  num_failures: number;
  median_response_time: number;
  avg_response_time: number;
  min_response_time: number;
  max_response_time: number;
  avg_content_length: number;
  current_rps: number;
  current_fail_per_sec: number;
  total_rps: number;
  total_fail_per_sec: number;
  [percentile: `response_time_percentile_${string}`]: number;
}

/** The columns that say which requests a row is about. */
export function nameColumns<Row extends { method: string | null; name: string }>(): Column<Row>[] {
  return [
    { key: "method", title: "Type", width: 4.75, value: (row) => row.method },
    { key: "name", title: "Name", width: 12, grow: true, long: true, sticky: true, value: (row) => row.name },
  ];
}

/** Rows without the last one, which is that of all requests together. */
export function withoutTotal<Row>(rows: Row[] | undefined): { rows: Row[] | null; total: Row | undefined } {
  return { rows: rows?.slice(0, -1) ?? null, total: rows?.at(-1) };
}

export const keyOfEntry = ({ method, name }: { method: string | null; name: string }) => `${method} ${name}`;

interface Percentile {
  key: `response_time_percentile_${string}`;
  title: string;
}

/** `share` as Locust writes it, which is as Python writes a float. */
export function percentile(share: number): Percentile {
  const text = Number.isInteger(share) ? `${share}.0` : String(share);
  return {
    key: `response_time_percentile_${text}`,
    title: `${Number((share * 100).toFixed(6))}%ile (ms)`,
  };
}
