import { count, milliseconds, rate } from "../format";
import { usePolled } from "../polled";
import { type Column, Table } from "../table/table";

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
  [percentile: `response_time_percentile_${string}`]: number;
}

export interface Statistics {
  stats: Entry[];
}

const COLUMNS: Column<Entry>[] = [
  { key: "method", title: "Type", show: (row) => row.method },
  { key: "name", title: "Name", show: (row) => row.name },
  { key: "num_requests", title: "Requests", kind: "number", show: (row) => count(row.num_requests) },
  { key: "num_failures", title: "Failures", kind: "number", show: (row) => count(row.num_failures) },
  {
    key: "median",
    title: "Median (ms)",
    kind: "number",
    show: (row) => milliseconds(row.median_response_time),
  },
  { key: "rps", title: "Requests/s", kind: "number", show: (row) => rate(row.current_rps) },
];

export function StatisticsTab() {
  const data = usePolled<Statistics>("stats/requests?all=1");
  return <Table columns={COLUMNS} rows={data?.stats ?? []} empty="No request has been made yet." />;
}
