import { count } from "../format";
import { usePolled } from "../polled";
import { type Column, Table } from "../table/table";

interface Failure {
  method: string;
  name: string;
  error: string;
  occurrences: number;
  first_seen: number | null;
  last_seen: number | null;
}

const COLUMNS: Column<Failure>[] = [
  { key: "occurrences", title: "# Failures", kind: "number", show: (row) => count(row.occurrences) },
  { key: "method", title: "Method", show: (row) => row.method },
  { key: "name", title: "Name", show: (row) => row.name },
  { key: "error", title: "Message", show: (row) => row.error },
];

export function FailuresTab() {
  const data = usePolled<{ errors: Failure[] }>("stats/requests?all=1");
  return <Table columns={COLUMNS} rows={data?.errors ?? []} empty="No request has failed." />;
}
