/** Kinds of failures: requests of one name that failed in the same way are one. */

import { useMemo } from "preact/hooks";
import { ago, count, moment, share } from "../format";
import { usePolled } from "../polled";
import { type Column, Table } from "../table/table";
import type { Entry } from "./entry";

interface Failure {
  method: string;
  name: string;
  error: string;
  occurrences: number;
  /** Epoch seconds. */
  first_seen: number | null;
  last_seen: number | null;
}

interface Answer {
  stats: Entry[];
  errors: Failure[];
  /** All kinds that there are; the answer may have only the first ones. */
  errors_count: number;
}

/** The columns are Locust's, and the share, which is one of ours; failures are `all` in number. */
function columnsOf(all: number): Column<Failure>[] {
  return [
    {
      key: "occurrences",
      title: "# Failures",
      kind: "number",
      width: 6,
      value: (row) => row.occurrences,
      show: (row) => count(row.occurrences),
    },
    {
      key: "share",
      title: "Share",
      kind: "number",
      width: 4.75,
      hint: "Of all failures of the test",
      value: (row) => row.occurrences / all,
      show: (row) => share(row.occurrences / all),
    },
    { key: "method", title: "Method", width: 5, value: (row) => row.method },
    { key: "name", title: "Name", width: 16, long: true, sticky: true, value: (row) => row.name },
    { key: "error", title: "Message", width: 22, grow: true, long: true, value: (row) => row.error },
    seen("first_seen", "First Seen"),
    seen("last_seen", "Last Seen"),
  ];
}

function seen(key: "first_seen" | "last_seen", title: string): Column<Failure> {
  return {
    key,
    title,
    kind: "number",
    width: 8,
    value: (row) => row[key],
    show: (row) => <Moment epoch={row[key]} />,
  };
}

function Moment({ epoch }: { epoch: number | null }) {
  if (epoch === null) return <>–</>;
  const now = new Date();
  return (
    <time dateTime={new Date(epoch * 1000).toISOString()}>
      {ago(now.getTime() / 1000 - epoch)}
      <br />
      <span class="muted">{moment(epoch, now)}</span>
    </time>
  );
}

export function FailuresTab() {
  const data = usePolled<Answer>("stats/requests?all=1", ({ counts }) => counts.errors);
  const known = data?.errors.reduce((sum, { occurrences }) => sum + occurrences, 0) ?? 0;
  const all = Math.max(known, data?.stats.at(-1)?.num_failures ?? 0);
  const columns = useMemo(() => columnsOf(all), [all]);
  return (
    <Table
      name="failures"
      label="failures"
      unit="kind"
      columns={columns}
      rows={data?.errors ?? null}
      all={data?.errors_count}
      keyOf={({ method, name, error }) => `${method} ${name} ${error}`}
      order="-occurrences"
      lines={2}
      empty="No request has failed."
    />
  );
}
