/** What all charts share: the part of the course that they show, and the cursor. */

import { batch, computed, signal } from "@preact/signals";
import { timeline } from "../live";
import { param, setParam } from "../url";
import {
  type Address,
  ALL,
  addressOf,
  courseOf,
  moved,
  nearest,
  placesIn,
  type Span,
  spanOf,
  zoomed,
} from "./range";

const from = param("from");
const to = param("to");

/** Response times on a logarithmic axis. */
export const scale = param("scale", "linear");

/** From the first point's beginning to the newest point; null without points. */
export const course = computed<Span | null>(() => courseOf(timeline.value));

const address = computed<Address>(() => ({ from: from.value, to: to.value }));

/** The part that is shown; null without points. */
export const span = computed<Span | null>(() => course.value && spanOf(address.value, course.value));

/** Whether the right edge is the newest point, also when there is a newer one. */
export const following = computed(() => to.value === "");

export const isZoomed = computed(() => from.value !== "" || to.value !== "");

/** The first and the last point that is shown; null if there is none. */
export const shown = computed(() => span.value && placesIn(timeline.value.time, span.value));

/** Another one when a picture of the shown points would look different, so that points out of view cost nothing. */
export const picture = computed(() => {
  const { epoch, marks, time } = timeline.value;
  const goesOn = shown.value !== null && time.length > shown.value[1] + 1;
  return [epoch, marks.length, shown.value, span.value?.min, span.value?.max, goesOn].join();
});

/** The moment of the point under the cursor; null without a cursor. */
export const cursor = signal<number | null>(null);

/** The band of the heat map under the cursor, if it is on one. */
export const cursorBand = signal<number | null>(null);

/** The number of the point under the cursor; null without a cursor or if it is out of view. */
export const cursorPoint = computed(() => {
  if (cursor.value === null || !shown.value) return null;
  const point = nearest(timeline.value.time, cursor.value);
  const [first, last] = shown.value;
  return first <= point && point <= last ? point : null;
});

/** The newest point that is shown. */
export const newest = computed(() => shown.value?.[1] ?? null);

/** What the legends tell of: the point under the cursor, otherwise the newest that is shown. */
export const told = computed(() => cursorPoint.value ?? newest.value);

/** Put the cursor on the point with this number. */
export function moveCursor(point: number | null, band: number | null = null): void {
  batch(() => {
    cursor.value = point === null ? null : (timeline.value.time[point] ?? null);
    cursorBand.value = band;
  });
}

/** Show what an address means; with `step` the browser's Back returns to what was shown before. */
export function show(next: Address, step = true): void {
  batch(() => {
    setParam("from", next.from, step && next.from !== from.peek());
    setParam("to", next.to, step && next.from === from.peek());
  });
}

export const showAll = () => show(ALL);

/** Show the last `seconds`, and go on to. */
export const showLast = (seconds: number) => show({ from: `-${seconds}`, to: "" });

export function showSpan(wanted: Span, step = true): void {
  if (course.value) show(addressOf(wanted, course.value, following.value), step);
}

/** Zoom in or out, around the cursor if there is one; while following, around the newest point. */
export function zoom(factor: number): void {
  if (!span.value || !course.value) return;
  const { min, max } = span.value;
  const around = cursor.value ?? (following.value ? max : (min + max) / 2);
  showSpan(zoomed(span.value, factor, around, course.value));
}

export function move(share: number): void {
  if (span.value && course.value) {
    const next = moved(span.value, share, course.value);
    show(addressOf(next, course.value, following.value && next.max >= course.value.max), false);
  }
}

/** Follow the newest point with the width of now, or stand still where the charts are. */
export function follow(on: boolean): void {
  if (!span.value) return;
  const { min, max } = span.value;
  if (on) showLast(Math.ceil(max - min));
  else show({ from: String(Math.floor(min)), to: String(Math.ceil(max)) });
}
