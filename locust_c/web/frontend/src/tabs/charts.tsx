import { useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { HeatMap } from "../charts/heatmap";
import { LATE_MS, LateNote } from "../charts/late";
import { LineChart } from "../charts/lines";
import { type Line, responseTimeLines } from "../charts/series";
import { Toolbar } from "../charts/toolbar";
import { scale } from "../charts/view";
import { count, milliseconds, rate } from "../format";
import { timeline } from "../live";
import { setParam } from "../url";
import "../charts/charts.css";

const REQUESTS: Line[] = [
  { colour: "rps", label: "Requests/s", unit: "", values: ({ rps }) => rps, show: rate },
  {
    colour: "failures",
    label: "Failures/s",
    unit: "",
    values: ({ failures }) => failures,
    show: rate,
    filled: true,
  },
];
const USERS: Line[] = [
  { colour: "users", label: "Users", unit: "", values: ({ users }) => users, show: count, filled: true },
];
const LAG: Line[] = [
  { colour: "lag", label: "p99", unit: "ms", values: ({ lag }) => lag, show: milliseconds },
];

export function ChartsTab() {
  return (
    <>
      <Toolbar />
      <div class="charts">
        <LineChart title="Total Requests per Second" lines={REQUESTS} />
        <ResponseTimes />
        <LineChart title="Number of Users" lines={USERS} />
        <LineChart title="Generator Lag (p99, ms)" lines={LAG} least={1.2 * LATE_MS} limit={LATE_MS}>
          <LateNote />
        </LineChart>
        <HeatMap />
      </div>
      <p class="hint">
        Drag over a chart to zoom, double-click to see all. With the keyboard: Tab to a chart, arrow keys move
        the cursor, + and - zoom, &lt; and &gt; move the range, 0 shows all, Esc takes the cursor away.
      </p>
    </>
  );
}

function ResponseTimes() {
  const percentiles = useComputed(() => timeline.value.percentiles.join());
  const lines = useMemo(
    () => responseTimeLines(percentiles.value ? percentiles.value.split(",") : []),
    [percentiles.value],
  );
  const logarithmic = scale.value === "log";
  return (
    <LineChart
      title="Response Times (ms)"
      lines={lines}
      logarithmic={logarithmic}
      actions={
        <button
          type="button"
          class="small"
          aria-label="Log scale"
          aria-pressed={logarithmic}
          onClick={() => setParam("scale", logarithmic ? "linear" : "log")}
        >
          Log<span> scale</span>
        </button>
      }
    />
  );
}
