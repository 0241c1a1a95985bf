/** Lines over time: what they are called, where their values are, how values are written. */

import { milliseconds, NOTHING } from "../format";
import type { Timeline } from "../timeline";

export type Values = (number | null)[];

export interface Line {
  /** Its colour is the custom property `--series-…` of this name. */
  colour: string;
  label: string;
  unit: string;
  values: (timeline: Timeline) => Values;
  show: (value: number | null | undefined) => string;
  /** Filled down to zero. */
  filled?: boolean;
}

const COLOURS = 6;

/** "0.95" is p95. */
export function percentileName(share: string): string {
  return `p${Number((Number(share) * 100).toFixed(4))}`;
}

export function responseTimeLines(percentiles: string[]): Line[] {
  return percentiles.map((share, place) => ({
    // The last ones, so that the highest percentile has the same colour whether there are two or six.
    colour: `p${(COLOURS - Math.min(percentiles.length, COLOURS) + place) % COLOURS}`,
    label: percentileName(share),
    unit: "ms",
    values: (timeline) => timeline.response_times[share] ?? [],
    show: milliseconds,
  }));
}

/** A value with its unit. */
export function withUnit(line: Line, value: number | null | undefined): string {
  return value == null ? NOTHING : `${line.show(value)}${line.unit ? ` ${line.unit}` : ""}`;
}

/** The newest, the lowest and the highest value of the points `first` to `last`; null if all are gaps. */
export function extremes(values: Values, first: number, last: number) {
  let found: { latest: number; lowest: number; highest: number } | null = null;
  for (let point = first; point <= last; point += 1) {
    const value = values[point];
    if (value == null) continue;
    found ??= { latest: value, lowest: value, highest: value };
    found.latest = value;
    if (value < found.lowest) found.lowest = value;
    if (value > found.highest) found.highest = value;
  }
  return found;
}

/** What a line shows, in a sentence. */
export function summary(line: Line, values: Values, first: number, last: number): string {
  const found = extremes(values, first, last);
  if (!found) return `${line.label}: no values.`;
  const { latest, lowest, highest } = found;
  return (
    `${line.label}: latest ${withUnit(line, latest)}, ` +
    `lowest ${withUnit(line, lowest)}, highest ${withUnit(line, highest)}.`
  );
}

/** Points with a gap on both sides, which no line would show. */
export function lonely(values: Values, first: number, last: number): number[] | null {
  const found: number[] = [];
  for (let point = first; point <= last; point += 1) {
    if (values[point] != null && values[point - 1] == null && values[point + 1] == null) found.push(point);
  }
  return found.length ? found : null;
}
