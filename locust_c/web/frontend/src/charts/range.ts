/**
 * Which part of the course of a test the charts show. Times are epoch seconds.
 *
 * In the address `from` and `to` say it. Without `to` the right edge follows the newest point; `from=-300` is
 * then the last five minutes.
 */

import type { Timeline } from "../timeline";

export interface Span {
  min: number;
  max: number;
}

export interface Address {
  from: string;
  to: string;
}

export const ALL: Address = { from: "", to: "" };

/** Nobody zooms further: points are a second apart. */
const NARROWEST_S = 5;

/** A course that has only begun fills the chart from the left. */
const FIRST_S = 60;

const width = ({ min, max }: Span) => max - min;

/** How many seconds the point with this number stands for: those since the one before it. */
export function secondsOf(time: number[], point: number): number {
  const end = Math.min(Math.max(point, 1), time.length - 1);
  return end < 1 ? 1 : (time[end] as number) - (time[end - 1] as number);
}

/** From the beginning of the first point, which a mark may tell, to the newest point; null without points. */
export function courseOf({ time, marks }: Pick<Timeline, "time" | "marks">): Span | null {
  const [first, last] = [time[0], time.at(-1)];
  if (first === undefined || last === undefined) return null;
  const length = secondsOf(time, 0);
  const begun = marks.findLast((mark) => mark.time <= first && mark.time > first - 2 * length);
  return { min: Math.min(begun?.time ?? first, first - length), max: last };
}

function secondsIn(text: string): number | null {
  const seconds = Number(text);
  return text.trim() === "" || !Number.isFinite(seconds) ? null : seconds;
}

/** The span that an address means for a course; what makes no sense in it means the whole course. */
export function spanOf({ from, to }: Address, course: Span): Span {
  const [start, end] = [secondsIn(from), secondsIn(to)];
  if (end !== null) {
    const min = start ?? course.min;
    if (min >= 0 && end - min >= NARROWEST_S) return { min, max: end };
  } else if (start !== null && start >= 0 && start <= course.max) {
    return { min: start, max: Math.max(course.max, start + NARROWEST_S) };
  } else if (start !== null && start < 0 && course.max + start > course.min) {
    return { min: course.max + Math.min(start, -NARROWEST_S), max: course.max };
  }
  return { min: course.min, max: Math.max(course.max, course.min + FIRST_S) };
}

/** The address of a span, in whole seconds. One that reaches the newest point goes on to follow it if it did. */
export function addressOf(span: Span, course: Span, following: boolean): Address {
  const min = Math.floor(span.min);
  const reachesEnd = span.max >= course.max;
  if (reachesEnd && span.min <= course.min) return ALL;
  if (reachesEnd && following) return { from: String(-Math.ceil(course.max - span.min)), to: "" };
  return { from: String(min), to: String(Math.max(Math.ceil(span.max), min + NARROWEST_S)) };
}

function inside(span: Span, course: Span): Span {
  const most = Math.max(course.min, course.max - width(span));
  const min = Math.min(Math.max(span.min, course.min), most);
  return { min, max: min + width(span) };
}

/** `span` made `factor` times as wide, with the moment `around` staying where it is. */
export function zoomed(span: Span, factor: number, around: number, course: Span): Span {
  const most = Math.max(width(course), NARROWEST_S);
  const wanted = Math.min(Math.max(width(span) * factor, NARROWEST_S), most);
  const min = around - ((around - span.min) * wanted) / width(span);
  return inside({ min, max: min + wanted }, course);
}

/** `span` moved by `share` of its width; not beyond the course. */
export function moved(span: Span, share: number, course: Span): Span {
  const by = width(span) * share;
  return inside({ min: span.min + by, max: span.max + by }, course);
}

/** The place in rising `values` that is nearest to `value`; -1 if there are none. */
export function nearest(values: number[], value: number): number {
  let [low, high] = [0, values.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) < value) low = middle;
    else high = middle;
  }
  if (high < 0) return -1;
  return value - (values[low] as number) <= (values[high] as number) - value ? low : high;
}

/** The first and the last place of rising `values` within `span`; null if none is. */
export function placesIn(values: number[], span: Span): [first: number, last: number] | null {
  let first = nearest(values, span.min);
  let last = nearest(values, span.max);
  if (first < 0) return null;
  if ((values[first] as number) < span.min) first += 1;
  if ((values[last] as number) > span.max) last -= 1;
  return first <= last ? [first, last] : null;
}
