/** The latency heat map: how many requests took how long, second by second. Bands are numbered from the fastest. */

import { milliseconds } from "../format";
import { secondsOf } from "./range";

/** For each point: band, count, band, count, … */
export type Counts = number[][];

/** Points that share a column of the picture, added up. */
export interface Column {
  /** Where it begins and ends, in the unit of `place`. */
  from: number;
  to: number;
  /** How long its points are. */
  seconds: number;
  counts: Map<number, number>;
}

/** The limits of a band in words. `edges` (ms, rising) has one limit more than there are bands. */
export function bandLabel(edges: number[], band: number): string {
  if (band <= 0) return `under ${milliseconds(edges[1])} ms`;
  if (band >= edges.length - 2) return `from ${milliseconds(edges[edges.length - 2])} ms on`;
  return `${milliseconds(edges[band])}–${milliseconds(edges[band + 1])} ms`;
}

/** Where a time in ms is on the axis, on which each band is 1 high. */
export function bandPosition(edges: number[], ms: number): number {
  let band = edges.findIndex((edge) => edge > ms) - 1;
  if (band === -2) band = edges.length - 2;
  band = Math.max(band, 0);
  const [low, high] = [edges[band] as number, edges[band + 1] as number];
  return band + Math.log(ms / low) / Math.log(high / low);
}

/** The time in ms at a place on that axis. */
export function msAt(edges: number[], position: number): number {
  const band = Math.min(Math.max(Math.floor(position), 0), edges.length - 2);
  const [low, high] = [edges[band] as number, edges[band + 1] as number];
  return low * (high / low) ** (position - band);
}

export function countOf(pairs: number[] | undefined, band: number): number {
  if (!pairs) return 0;
  for (let at = 0; at < pairs.length; at += 2) if (pairs[at] === band) return pairs[at + 1] as number;
  return 0;
}

/** All requests of a point, and the band that most of them are in; null without requests. */
export function fullest(pairs: number[] | undefined): { band: number; count: number; sum: number } | null {
  if (!pairs || pairs.length === 0) return null;
  const most = { band: 0, count: 0, sum: 0 };
  for (let at = 0; at < pairs.length; at += 2) {
    const [band, count] = [pairs[at] as number, pairs[at + 1] as number];
    most.sum += count;
    if (count > most.count) Object.assign(most, { band, count });
  }
  return most;
}

/** The lowest and the highest band that has a request among the points `first` to `last`; null if none has. */
export function bandsIn(points: Counts, first: number, last: number): [number, number] | null {
  let [low, high] = [Number.POSITIVE_INFINITY, -1];
  for (let point = first; point <= last; point += 1) {
    const pairs = points[point] ?? [];
    for (let at = 0; at < pairs.length; at += 2) {
      low = Math.min(low, pairs[at] as number);
      high = Math.max(high, pairs[at] as number);
    }
  }
  return high < 0 ? null : [low, high];
}

/**
 * The columns of the points `first` to `last`, each at least `narrowest` wide: points closer than that are one.
 *
 * @param place where on the picture a moment (epoch seconds) is; whole numbers, rising.
 */
export function columnsOf(
  time: number[],
  points: Counts,
  [first, last]: [number, number],
  place: (time: number) => number,
  narrowest: number,
): Column[] {
  const columns: Column[] = [];
  let open: Column | null = null;
  for (let point = first; point <= last; point += 1) {
    const pairs = points[point] ?? [];
    const end = time[point] as number;
    const seconds = secondsOf(time, point);
    if (pairs.length === 0) {
      if (open && place(end) - open.from >= narrowest) open = null;
      continue;
    }
    if (!open) {
      open = { from: place(end - seconds), to: 0, seconds: 0, counts: new Map() };
      columns.push(open);
    }
    open.seconds += seconds;
    open.to = Math.max(place(end), open.from + 1);
    for (let at = 0; at < pairs.length; at += 2) {
      const band = pairs[at] as number;
      open.counts.set(band, (open.counts.get(band) ?? 0) + (pairs[at + 1] as number));
    }
    if (open.to - open.from >= narrowest) open = null;
  }
  return columns;
}

/** The least and the most requests per second in a band of a column; null if there are no columns. */
export function ratesIn(columns: Column[]): [number, number] | null {
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (const { counts, seconds } of columns) {
    for (const count of counts.values()) {
      low = Math.min(low, count / seconds);
      high = Math.max(high, count / seconds);
    }
  }
  return high > 0 ? [low, high] : null;
}

/** How far (0 to 1) a rate is between the least and the most; by its logarithm, so that a few slow ones show. */
export function strength(rate: number, [low, high]: [number, number]): number {
  return high > low ? Math.min(Math.max(Math.log(rate / low) / Math.log(high / low), 0), 1) : 1;
}
