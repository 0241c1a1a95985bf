/** The workers of a distributed test, and how busy they are. */

import { count, NOTHING } from "../format";
import { live, type Worker } from "../live";
import { inWords } from "../status";
import { type Column, Table } from "../table/table";

/** A worker that uses more of its processor measures itself. */
const BUSY_PERCENT = 90;

const MIB = 2 ** 20;

const COLUMNS: Column<Worker>[] = [
  { key: "id", title: "Worker", width: 16, grow: true, long: true, sticky: true, value: (row) => row.id },
  {
    key: "state",
    title: "State",
    value: (row) => (row.state === "missing" ? "Missing" : inWords(row.state)),
  },
  {
    key: "user_count",
    title: "# users",
    kind: "number",
    value: (row) => row.user_count,
    show: (row) => count(row.user_count),
  },
  {
    key: "cpu_usage",
    title: "CPU usage",
    kind: "number",
    width: 7,
    hint: "Of one processor, in percent. From 90 % on, response times are too long.",
    value: (row) => row.cpu_usage,
    show: (row) => <Cpu percent={row.cpu_usage} />,
  },
  {
    key: "memory_usage",
    title: "Memory usage",
    kind: "number",
    width: 8,
    value: (row) => row.memory_usage,
    show: (row) => (row.memory_usage ? `${count(row.memory_usage / MIB)} MiB` : NOTHING),
  },
];

function Cpu({ percent }: { percent: number | null | undefined }) {
  if (percent == null) return <>{NOTHING}</>;
  return percent < BUSY_PERCENT ? (
    <>{count(percent)}%</>
  ) : (
    <strong class="error">{count(percent)}% busy</strong>
  );
}

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
