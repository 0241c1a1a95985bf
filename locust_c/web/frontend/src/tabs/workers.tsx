import { count } from "../format";
import { live, type Worker } from "../live";
import { type Column, Table } from "../table/table";

const COLUMNS: Column<Worker>[] = [
  { key: "id", title: "Worker", show: (row) => row.id },
  { key: "state", title: "State", show: (row) => row.state },
  { key: "user_count", title: "# users", kind: "number", show: (row) => count(row.user_count) },
];

export function WorkersTab() {
  return <Table columns={COLUMNS} rows={live.value?.workers ?? []} empty="No worker is connected." />;
}
