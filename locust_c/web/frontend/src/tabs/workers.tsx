import { count } from "../format";
import { live, type Worker } from "../live";
import { type Column, Table } from "../table/table";

const COLUMNS: Column<Worker>[] = [
  { key: "id", title: "Worker", width: 16, grow: true, long: true, sticky: true, value: (row) => row.id },
  { key: "state", title: "State", value: (row) => row.state },
  {
    key: "user_count",
    title: "# users",
    kind: "number",
    value: (row) => row.user_count,
    show: (row) => count(row.user_count),
  },
];

export function WorkersTab() {
  return (
    <Table
      name="workers"
      label="workers"
      unit="worker"
      columns={COLUMNS}
      rows={live.value?.workers ?? null}
      keyOf={(row) => row.id}
      order="id"
      empty="No worker is connected."
    />
  );
}
