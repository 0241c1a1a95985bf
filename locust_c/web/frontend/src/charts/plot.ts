/** One uPlot instance that shows a part of the timeline, with the cursor and the x range of all charts. */

import { effect } from "@preact/signals";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { timeline } from "../live";
import type { Timeline } from "../timeline";
import { colours } from "./colours";
import { font } from "./font";
import { drawMarks, LABEL_HEIGHT } from "./marks";
import { axisNumber, timeLabels } from "./ticks";
import { cursor, cursorBand, moveCursor, picture, showAll, showSpan, span } from "./view";

export interface PlotSpec {
  series: uPlot.Series[];
  /** The y scale and its axis. */
  scale: uPlot.Scale;
  axis?: uPlot.Axis;
  /** The columns of the series. */
  columns: (timeline: Timeline) => (number | null)[][];
  /** Drawn over the grid, below the marks. */
  draw?: (plot: uPlot) => void;
  /** The band at this height (px from the top), if the chart has bands. */
  bandAt?: (plot: uPlot, top: number) => number | null;
  /** Show where the cursor is, beyond the line and the dots; called when it or the picture changes. */
  highlight?: (plot: uPlot) => void;
}

/** The same in all charts, so that they stand exactly below each other. */
const AXIS_WIDTH = 52;
const AXIS_HEIGHT = 26;
const LINE_HEIGHT = 14;

/** Shorter drags are clicks. */
const LEAST_DRAG = 6;

const AWAY = { left: -10, top: -10 };

const lines: uPlot.Axis = {
  stroke: () => colours.value.muted,
  grid: { stroke: () => colours.value.line, width: 1 },
  ticks: { show: false },
  gap: 6,
};

function timeAxis(): uPlot.Axis {
  return {
    ...lines,
    font: font(),
    space: 70,
    size: (_plot, labels) =>
      labels?.some((label) => label?.includes("\n")) ? AXIS_HEIGHT + LINE_HEIGHT : AXIS_HEIGHT,
    values: (_plot, ticks, _axis, _space, step) => timeLabels(ticks, step),
  };
}

function valueAxis(axis: uPlot.Axis): uPlot.Axis {
  return {
    ...lines,
    font: font(),
    space: 32,
    size: AXIS_WIDTH,
    values: (_plot, ticks) => ticks.map((tick) => (tick === null ? "" : axisNumber(tick))),
    ...axis,
  };
}

const CURSOR: uPlot.Cursor = {
  y: false,
  move: (plot, left, top) => [left < 0 ? left : nearestLeft(plot, left), top],
  drag: { x: true, y: false, setScale: false, dist: LEAST_DRAG },
  bind: {
    dblclick: () => () => {
      showAll();
      return null;
    },
  },
  points: { size: 7 },
};

/** Where the point is that is nearest to `left`, so that the cursor stands on what the legend tells. */
function nearestLeft(plot: uPlot, left: number): number {
  const time = plot.data[0][plot.posToIdx(left)];
  const place = time === undefined ? left : plot.valToPos(time, "x");
  return place >= 0 && place <= plot.over.clientWidth ? place : left;
}

/** The plot whose cursor the mouse moves. */
let pointed: uPlot | null = null;

/** The cursor was moved by keyboard: a mouse that lies still over a plot has no say until it moves. */
export function ignoreMouse(): void {
  pointed = null;
}

function zoomToSelection(plot: uPlot): void {
  const { left, width } = plot.select;
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  if (width < LEAST_DRAG) return;
  showSpan({ min: plot.posToVal(left, "x"), max: plot.posToVal(left + width, "x") });
}

function options(node: HTMLElement, spec: PlotSpec): uPlot.Options {
  const tellCursor = (plot: uPlot) => {
    const { left = -1, top = -1, idx } = plot.cursor;
    if (plot === pointed) moveCursor(left < 0 ? null : (idx ?? null), spec.bandAt?.(plot, top) ?? null);
  };
  const draw = (plot: uPlot) => {
    spec.draw?.(plot);
    drawMarks(plot, timeline.peek().marks);
  };
  return {
    width: node.clientWidth,
    height: node.clientHeight,
    padding: [LABEL_HEIGHT, 12, 0, 0],
    legend: { show: false },
    cursor: CURSOR,
    scales: { x: { time: true, auto: false }, y: spec.scale },
    axes: [timeAxis(), valueAxis(spec.axis ?? {})],
    series: [{}, ...spec.series],
    hooks: { draw: [draw], setCursor: [tellCursor], setSelect: [zoomToSelection] },
  };
}

/** Draw `spec` into `node`, again whenever something changed and it is in view; returns what ends that. */
export function plotInto(node: HTMLElement, spec: PlotSpec): () => void {
  const columns = (): uPlot.AlignedData => [timeline.peek().time, ...spec.columns(timeline.peek())];
  const plot = new uPlot(options(node, spec), columns(), node);
  const pointTo = () => {
    pointed = plot;
  };
  // Before uPlot's own listener, which tells where the cursor is.
  plot.over.addEventListener("mousemove", pointTo, { capture: true });
  plot.over.addEventListener("mouseleave", () => {
    if (plot === pointed) moveCursor(null);
    pointed = null;
  });

  const putCursor = () => {
    if (plot === pointed) return;
    const at = cursor.peek() === null ? -1 : plot.valToPos(cursor.peek() as number, "x");
    const inside = at >= 0 && at <= plot.over.clientWidth;
    plot.setCursor(inside ? { left: at, top: 0 } : AWAY, false);
  };

  let frame = 0;
  let inView = false;
  let isStale = true;
  const draw = () => {
    frame = 0;
    isStale = false;
    const { min, max } = span.peek() ?? { min: 0, max: 1 };
    plot.batch(() => {
      plot.setData(columns(), false);
      plot.setScale("x", { min, max });
    });
    putCursor();
    spec.highlight?.(plot);
  };
  const drawSoon = () => {
    isStale = true;
    if (inView && frame === 0) frame = requestAnimationFrame(draw);
  };

  const stopDrawing = effect(() => {
    picture.value;
    colours.value;
    drawSoon();
  });
  const stopCursor = effect(() => {
    cursor.value;
    cursorBand.value;
    putCursor();
    spec.highlight?.(plot);
  });
  const sizes = new ResizeObserver(() => {
    const { clientWidth: width, clientHeight: height } = node;
    if (width && height && (width !== plot.width || height !== plot.height)) plot.setSize({ width, height });
  });
  sizes.observe(node);
  const views = new IntersectionObserver((entries) => {
    inView = entries.at(-1)?.isIntersecting ?? false;
    if (isStale) drawSoon();
  });
  views.observe(node);

  return () => {
    cancelAnimationFrame(frame);
    stopDrawing();
    stopCursor();
    sizes.disconnect();
    views.disconnect();
    if (plot === pointed) pointed = null;
    plot.destroy();
  };
}
