/** Of many rows of one height only those near the visible part are in the page. */

/** The rows from `start` on, up to but without `end`. */
export interface Window {
  start: number;
  end: number;
}

/** Up to so many rows all are in the page, so that the browser's own search finds them. */
export const ALL_UP_TO = 100;

/** Rows above and below the visible ones, for a scroll step to show at once. */
const MARGIN = 12;

/**
 * The rows that must be in the page.
 *
 * @param top how far the rows are scrolled; `height` is that of the visible part; all in pixels.
 */
export function windowOf(count: number, rowHeight: number, top: number, height: number): Window {
  if (count <= ALL_UP_TO || rowHeight <= 0) return { start: 0, end: Math.min(count, ALL_UP_TO) };
  const visible = Math.ceil(height / rowHeight);
  const first = Math.min(Math.max(0, Math.floor(top / rowHeight)), Math.max(0, count - visible));
  // Even, so that the stripes of the rows stay where they are.
  const start = Math.max(0, first - MARGIN) & ~1;
  return { start, end: Math.min(count, first + visible + 1 + MARGIN) };
}
