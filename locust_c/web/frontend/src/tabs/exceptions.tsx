/** What tasks raised; exceptions of one type that came from the same place are one row. */

import { args } from "../args";
import { count } from "../format";
import { usePolled } from "../polled";
import { type Column, Table } from "../table/table";
import { cut, inLines } from "../table/text";
import { lastPlace } from "./traceback";
import "./exceptions.css";

interface Exception {
  count: number;
  msg: string;
  traceback: string;
  /** Where there are workers: those that it happened on. */
  nodes: string;
}

const COLUMNS: Column<Exception>[] = [
  {
    key: "count",
    title: "# Occurrences",
    kind: "number",
    width: 7.5,
    value: (row) => row.count,
    show: (row) => count(row.count),
  },
  { key: "msg", title: "Message", width: 20, long: true, sticky: true, value: (row) => row.msg },
  {
    key: "traceback",
    title: "Traceback",
    width: 22,
    grow: true,
    long: true,
    value: (row) => row.traceback,
    show: (row) => <code class="lines">{cut(inLines(lastPlace(row.traceback)), 400)}</code>,
  },
  ...(args.is_distributed
    ? [{ key: "nodes", title: "Nodes", width: 10, long: true, value: (row: Exception) => row.nodes }]
    : []),
];

export function ExceptionsTab() {
  const data = usePolled<{ exceptions: Exception[] }>("exceptions", ({ counts }) => counts.exceptions);
  return (
    <Table
      name="exceptions"
      label="exceptions"
      unit="kind"
      columns={COLUMNS}
      rows={data?.exceptions ?? null}
      keyOf={({ msg, traceback }) => `${msg} ${traceback}`}
      order="-count"
      lines={3}
      empty="No task has raised an exception."
    />
  );
}
