import { count } from "../format";
import { usePolled } from "../polled";
import { type Column, Table } from "../table/table";

interface Exception {
  count: number;
  msg: string;
  traceback: string;
  nodes: string;
}

const COLUMNS: Column<Exception>[] = [
  { key: "count", title: "# Occurrences", kind: "number", show: (row) => count(row.count) },
  { key: "msg", title: "Message", show: (row) => row.msg },
  { key: "traceback", title: "Traceback", show: (row) => <pre>{row.traceback}</pre> },
];

export function ExceptionsTab() {
  const data = usePolled<{ exceptions: Exception[] }>("exceptions");
  return <Table columns={COLUMNS} rows={data?.exceptions ?? []} empty="No task has raised an exception." />;
}
