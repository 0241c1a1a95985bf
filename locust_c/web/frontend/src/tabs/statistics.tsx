/** The statistics of all names; the same names with the phases of their requests. */

import { args } from "../args";
import { count, milliseconds, rate, share } from "../format";
import { usePolled } from "../polled";
import { type Column, Table } from "../table/table";
import { param, setParam } from "../url";
import { type Entry, keyOfEntry, nameColumns, percentile, withoutTotal } from "./entry";
import { PhasesTable } from "./phases-table";
import "./statistics.css";

const failed = (failures: number, words: string) =>
  failures > 0 ? <span class="failed">{words}</span> : words;

function number(
  key: Exclude<keyof Entry, "method" | "name">,
  title: string,
  format: (value: number | undefined) => string,
  more: Partial<Column<Entry>> = {},
): Column<Entry> {
  return { key, title, kind: "number", value: (row) => row[key], show: (row) => format(row[key]), ...more };
}

const failureShare = ({ num_failures, num_requests }: Entry) =>
  num_requests ? num_failures / num_requests : 0;

/** Titles and order are Locust's; those at the end are ours. */
const COLUMNS: Column<Entry>[] = [
  ...nameColumns<Entry>(),
  number("num_requests", "# Requests", count, { width: 5.75 }),
  number("num_failures", "# Fails", count, {
    show: ({ num_failures }) => failed(num_failures, count(num_failures)),
  }),
  number("median_response_time", "Median (ms)", milliseconds),
  ...args.percentiles_to_statistics.map(percentile).map(({ key, title }) => number(key, title, milliseconds)),
  number("avg_response_time", "Average (ms)", milliseconds),
  number("min_response_time", "Min (ms)", milliseconds),
  number("max_response_time", "Max (ms)", milliseconds),
  number("avg_content_length", "Average size (bytes)", count, { width: 6 }),
  number("current_rps", "Current RPS", rate, { hint: "Requests per second, over the last ten seconds" }),
  number("current_fail_per_sec", "Current Failures/s", rate, {
    hint: "Failures per second, over the last ten seconds",
    show: ({ current_fail_per_sec: now }) => failed(now, rate(now)),
  }),
  number("total_rps", "Total RPS", rate, {
    optional: true,
    hint: "Requests per second, from the first request to the last",
  }),
  number("total_fail_per_sec", "Total Failures/s", rate, {
    optional: true,
    hint: "Failures per second, from the first request to the last",
  }),
  {
    key: "fail_ratio",
    title: "Failure share",
    kind: "number",
    optional: true,
    hint: "Failures out of all requests of the name",
    value: failureShare,
    show: (row) => failed(row.num_failures, share(failureShare(row))),
  },
];

const view = param("view", "figures");

export function StatisticsTab() {
  return view.value === "phases" ? (
    <PhasesTable>
      <Switch />
    </PhasesTable>
  ) : (
    <FiguresTable />
  );
}

function FiguresTable() {
  const data = usePolled<{ stats: Entry[] }>("stats/requests?all=1");
  return (
    <Table
      name="stats"
      label="requests"
      unit="name"
      columns={COLUMNS}
      {...withoutTotal(data?.stats)}
      keyOf={keyOfEntry}
      order="name"
      empty="No request has been made yet."
    >
      <Switch />
    </Table>
  );
}

const VIEWS = [
  { key: "figures", title: "Figures" },
  { key: "phases", title: "Phases" },
];

function Switch() {
  return (
    <fieldset class="choice">
      <legend class="unseen">What is shown of each name</legend>
      {VIEWS.map(({ key, title }) => (
        <button
          type="button"
          class="tool"
          aria-pressed={view.value === key}
          onClick={() => setParam("view", key)}
        >
          {title}
        </button>
      ))}
    </fieldset>
  );
}
