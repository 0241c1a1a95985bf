/** Vertical marks with labels: starts and stops of runs. */

import type uPlot from "uplot";
import type { Mark } from "../timeline";
import { colours } from "./colours";
import { font } from "./font";
import { placeLabels } from "./labels";

/** Of a label; the first row of them is above the plotting area. */
export const LABEL_HEIGHT = 16;
const PADDING = 4;
const ROWS = 2;

/** Draw the marks that are within the x range. */
export function drawMarks(plot: uPlot, marks: Mark[]): void {
  const { ctx, bbox } = plot;
  const { min = 0, max = 0 } = plot.scales.x ?? {};
  const visible = marks.filter(({ time }) => min <= time && time <= max);
  if (visible.length === 0) return;
  const { text, card } = colours.value;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = font(ratio);
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.lineWidth = ratio;
  ctx.strokeStyle = text;
  ctx.fillStyle = text;
  const at = visible.map(({ time }) => Math.round(plot.valToPos(time, "x", true)));
  const widths = visible.map((mark) => ctx.measureText(mark.text).width + 2 * PADDING * ratio);
  ctx.globalAlpha = 0.55;
  ctx.setLineDash([3 * ratio, 3 * ratio]);
  ctx.beginPath();
  for (const left of at) {
    ctx.moveTo(left, bbox.top - LABEL_HEIGHT * ratio);
    ctx.lineTo(left, bbox.top + bbox.height);
  }
  ctx.stroke();
  ctx.setLineDash([]);
  for (const { mark, left, row } of placeLabels(at, widths, bbox.left + bbox.width, ROWS)) {
    const top = bbox.top + (row - 1) * LABEL_HEIGHT * ratio;
    ctx.globalAlpha = 0.85;
    ctx.fillStyle = card;
    ctx.fillRect(left, top, widths[mark] as number, LABEL_HEIGHT * ratio);
    ctx.globalAlpha = 1;
    ctx.fillStyle = text;
    ctx.fillText(visible[mark]?.text ?? "", left + PADDING * ratio, top + (LABEL_HEIGHT / 2) * ratio);
  }
  ctx.restore();
}
