/** A chart of lines over time. */

import { computed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import uPlot from "uplot";
import { timeline } from "../live";
import { colours } from "./colours";
import { ChartFigure } from "./figure";
import type { PlotSpec } from "./plot";
import { type Line, lonely, summary, withUnit } from "./series";
import { logTicks, moment } from "./ticks";
import { shown, told } from "./view";

const LINE_WIDTH = 1.75;
const DOT = 5;

/** Room for a label of the logarithmic axis, in px. */
const TICK_SPACE = 22;

interface LineChartProps {
  title: string;
  lines: Line[];
  logarithmic?: boolean;
  /** The axis reaches at least this far. */
  least?: number;
  /** A value from which on things are bad: a dashed line. */
  limit?: number;
  actions?: ComponentChildren;
  children?: ComponentChildren;
}

export function LineChart({ title, lines, logarithmic = false, least = 1, limit, ...rest }: LineChartProps) {
  const spec = useMemo(() => specOf(lines, logarithmic, least, limit), [lines, logarithmic, least, limit]);
  const words = useMemo(() => computed(() => wordsOf(lines)), [lines]);
  const point = told.value;
  const at = (line: Line, place: number) => line.values(timeline.value)[place];
  const values = lines.map(
    (line) => `${line.label} ${point === null ? "–" : withUnit(line, at(line, point))}`,
  );
  const time = point === null ? undefined : timeline.value.time[point];
  return (
    <ChartFigure
      title={title}
      spec={spec}
      legend={<Legend lines={lines} />}
      summary={words}
      told={time === undefined ? "no points" : `${moment(time)}: ${values.join(", ")}`}
      columns={lines.map(({ label, unit }) => (unit ? `${label} (${unit})` : label))}
      cells={(place) => lines.map((line) => line.show(at(line, place)))}
      {...rest}
    />
  );
}

function wordsOf(lines: Line[]): string {
  const [first, last] = shown.value ?? [0, -1];
  return lines.map((line) => summary(line, line.values(timeline.value), first, last)).join(" ");
}

function Legend({ lines }: { lines: Line[] }) {
  const point = told.value;
  return (
    <ul>
      {lines.map((line) => (
        <li key={line.label}>
          <i class={line.filled ? "swatch area" : "swatch"} data-series={line.colour} />
          {line.label} <b>{withUnit(line, point === null ? null : line.values(timeline.value)[point])}</b>
        </li>
      ))}
    </ul>
  );
}

function seriesOf(line: Line): uPlot.Series {
  const colour = () => colours.value.series(line.colour);
  return {
    label: line.label,
    width: LINE_WIDTH,
    stroke: colour,
    ...(line.filled ? { fill: () => `${colour()}30` } : {}),
    points: {
      show: false,
      size: DOT,
      fill: colour,
      filter: (plot, series) => {
        const [first, last] = shown.peek() ?? [0, -1];
        return lonely(plot.data[series] as (number | null)[], first, last);
      },
    },
  };
}

function specOf(lines: Line[], logarithmic: boolean, least: number, limit: number | undefined): PlotSpec {
  return {
    series: lines.map(seriesOf),
    scale: logarithmic ? logarithmicScale : linearScale(least),
    axis: logarithmic
      ? {
          filter: (_plot, ticks) => ticks,
          splits: (plot, _axis, min, max) =>
            logTicks(min, max, plot.bbox.height / devicePixelRatio / TICK_SPACE),
        }
      : {},
    columns: (course) => lines.map(({ values }) => values(course)),
    ...(limit === undefined ? {} : { draw: (plot) => drawLimit(plot, limit) }),
  };
}

const linearScale = (least: number): uPlot.Scale => ({
  range: (_plot, _min, max) => uPlot.rangeNum(0, Math.max(max ?? 0, least), 0.1, true),
});

/** Whole powers of ten would leave much of the chart empty. */
const logarithmicScale: uPlot.Scale = {
  distr: 3,
  range: (_plot, min, max) => {
    const low = Math.max(min ?? 1, 0.001);
    return [low / 1.5, Math.max(max ?? 10, low * 4) * 1.5];
  },
};

function drawLimit({ ctx, bbox, valToPos, scales }: uPlot, limit: number): void {
  if (limit > (scales.y?.max ?? 0)) return;
  const top = Math.round(valToPos(limit, "y", true));
  ctx.save();
  ctx.strokeStyle = colours.value.series("limit");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, top);
  ctx.lineTo(bbox.left + bbox.width, top);
  ctx.stroke();
  ctx.restore();
}
