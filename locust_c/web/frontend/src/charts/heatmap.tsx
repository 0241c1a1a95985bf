/** The latency heat map, drawn into a uPlot instance, so that its axis, cursor and zoom are those of the others. */

import { computed, signal } from "@preact/signals";
import type uPlot from "uplot";
import { count, milliseconds, share } from "../format";
import { timeline } from "../live";
import { colours } from "./colours";
import { ChartFigure, TABLE_ROWS } from "./figure";
import {
  bandLabel,
  bandPosition,
  bandsIn,
  type Column,
  columnsOf,
  countOf,
  fullest,
  msAt,
  ratesIn,
  strength,
} from "./heat";
import type { PlotSpec } from "./plot";
import { secondsOf } from "./range";
import { axisNumber, logTicks, moment } from "./ticks";
import { cursorBand, cursorPoint, moveCursor, shown, told } from "./view";

const TITLE = "Response Time Heat Map (ms)";

/** In device pixels. */
const NARROWEST_COLUMN = 3;

/** Room for a label of the axis, in px. */
const TICK_SPACE = 22;

/** So that a few response times do not fill the chart with one band. */
const LEAST_BANDS = 8;

/** Requests per second in a band: those of the lightest and of the darkest cell. */
const rates = signal<[number, number] | null>(null);

export function HeatMap() {
  const { heat, time } = timeline.value;
  const point = told.value;
  const words = point === null ? "no points" : `${moment(time[point] as number)}: ${toldOf(point)}`;
  return (
    <ChartFigure
      wide
      title={TITLE}
      spec={SPEC}
      legend={<Legend />}
      summary={summary}
      told={words}
      columns={bands.value.map((band) => bandLabel(heat.edges, band))}
      cells={(place) => bands.value.map((band) => count(countOf(heat.points[place], band)))}
      moveBand={moveBand}
    />
  );
}

const isGap = (point: number) => timeline.value.users[point] === null;

/** What is in the band under the cursor, or where most of the point's requests are. */
function toldOf(point: number): string {
  const { edges, points } = timeline.value.heat;
  if (isGap(point)) return "no test";
  const most = fullest(points[point]);
  if (cursorBand.value !== null) {
    const inBand = countOf(points[point], cursorBand.value);
    const part = most ? ` (${share(inBand / most.sum)})` : "";
    return `${bandLabel(edges, cursorBand.value)}: ${count(inBand)} ${inBand === 1 ? "request" : "requests"}${part}`;
  }
  if (!most) return "no requests";
  return `most in ${bandLabel(edges, most.band)}: ${count(most.count)} of ${count(most.sum)} requests`;
}

/** The bands of the newest points, for the table. */
const bands = computed(() => {
  const [first, last] = shown.value ?? [0, -1];
  const between = bandsIn(timeline.value.heat.points, Math.max(first, last - TABLE_ROWS + 1), last);
  return between ? Array.from({ length: between[1] - between[0] + 1 }, (_, place) => between[0] + place) : [];
});

const summary = computed(() => {
  const [first, last] = shown.value ?? [0, -1];
  const { edges, points } = timeline.value.heat;
  const sums = new Map<number, number>();
  let sum = 0;
  for (let point = first; point <= last; point += 1) {
    const pairs = points[point] ?? [];
    for (let at = 0; at < pairs.length; at += 2) {
      const [band, number] = [pairs[at] as number, pairs[at + 1] as number];
      sums.set(band, (sums.get(band) ?? 0) + number);
      sum += number;
    }
  }
  if (sum === 0) return "No requests.";
  const inUse = [...sums.keys()].sort((a, b) => a - b);
  const most = inUse.reduce((one, other) => ((sums.get(other) ?? 0) > (sums.get(one) ?? 0) ? other : one));
  return (
    `${count(sum)} requests, fastest ${bandLabel(edges, inUse[0] as number)}, ` +
    `slowest ${bandLabel(edges, inUse.at(-1) as number)}, ` +
    `most (${share((sums.get(most) ?? 0) / sum)}) ${bandLabel(edges, most)}.`
  );
});

function Legend() {
  const point = told.value;
  const between = rates.value;
  return (
    <>
      <ul>
        <li>
          <b>{point === null ? "–" : toldOf(point)}</b>
        </li>
      </ul>
      {between && (
        <span class="key">
          {rateLabel(between[0])}
          <i class="scale" />
          {rateLabel(between[1])} requests/s in a band
        </span>
      )}
    </>
  );
}

const rateLabel = (rate: number) => milliseconds(Number(rate.toPrecision(2)));

function moveBand(by: number): void {
  const { edges, points } = timeline.value.heat;
  const point = told.value;
  if (point === null) return;
  const from = cursorBand.value ?? (fullest(points[point])?.band ?? 0) - by;
  moveCursor(point, Math.min(Math.max(from + by, 0), edges.length - 2));
}

function range(): [number, number] {
  const { heat } = timeline.peek();
  const [first, last] = shown.peek() ?? [0, -1];
  const [low, high] = bandsIn(heat.points, first, last) ?? [8, 8 + LEAST_BANDS];
  // Whole doublings, which are two bands, so that the axis seldom moves.
  const min = Math.max(low - 1 - ((low - 1) % 2), 0);
  const max = Math.max(high + 2 + (high % 2), min + LEAST_BANDS);
  return [min, max];
}

function splits(plot: uPlot, _axis: number, min: number, max: number): number[] {
  const { edges } = timeline.peek().heat;
  if (edges.length < 2) return [];
  const most = plot.bbox.height / devicePixelRatio / TICK_SPACE;
  return logTicks(msAt(edges, min), msAt(edges, max), most).map((ms) => bandPosition(edges, ms));
}

function draw(plot: uPlot): void {
  const { time, heat } = timeline.peek();
  const points = shown.peek();
  const columns = points ? columnsAt(plot, time, heat.points, points) : [];
  const between = ratesIn(columns);
  rates.value = between;
  if (!between) return;
  const { ctx, bbox } = plot;
  const shades = colours.value.heat;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  const tops = heat.edges.map((_, band) => Math.round(plot.valToPos(band, "y", true)));
  for (const { from, to, counts, seconds } of columns) {
    for (const [band, number] of counts) {
      const [low, high] = [tops[band] as number, tops[band + 1] as number];
      ctx.fillStyle = shades[Math.round(strength(number / seconds, between) * (shades.length - 1))] ?? "";
      ctx.fillRect(from, high, to - from, low - high);
    }
  }
  ctx.restore();
}

function columnsAt(
  plot: uPlot,
  time: number[],
  points: number[][],
  [first, last]: [number, number],
): Column[] {
  // One more, which begins in the picture and ends beyond it.
  const end = Math.min(last + 1, time.length - 1);
  const place = (moment: number) => Math.round(plot.valToPos(moment, "x", true));
  return columnsOf(time, points, [first, end], place, NARROWEST_COLUMN);
}

function bandAt(plot: uPlot, top: number): number | null {
  if (top < 0) return null;
  const last = timeline.peek().heat.edges.length - 2;
  return Math.min(Math.max(Math.floor(plot.posToVal(top, "y")), 0), last);
}

const frames = new WeakMap<uPlot, HTMLElement>();

/** A frame around the cell under the cursor. */
function highlight(plot: uPlot): void {
  let frame = frames.get(plot);
  if (!frame) {
    frame = document.createElement("div");
    frame.className = "cell";
    plot.over.append(frame);
    frames.set(plot, frame);
  }
  const [point, band] = [cursorPoint.peek(), cursorBand.peek()];
  frame.hidden = point === null || band === null || isGap(point);
  if (point === null || band === null) return;
  const { time } = timeline.peek();
  const end = time[point] as number;
  const [left, right] = [plot.valToPos(end - secondsOf(time, point), "x"), plot.valToPos(end, "x")];
  const [top, bottom] = [plot.valToPos(band + 1, "y"), plot.valToPos(band, "y")];
  const width = Math.max(right - left, 3);
  frame.style.transform = `translate(${right - width}px, ${top}px)`;
  frame.style.width = `${width}px`;
  frame.style.height = `${bottom - top}px`;
}

const SPEC: PlotSpec = {
  series: [{ paths: () => null, points: { show: false } }],
  scale: { range },
  axis: {
    splits,
    values: (_plot, ticks) => {
      const { edges } = timeline.peek().heat;
      return ticks.map((tick) => axisNumber(Number(msAt(edges, tick).toPrecision(2))));
    },
  },
  columns: ({ time }) => [time.map(() => null)],
  draw,
  bandAt,
  highlight,
};
