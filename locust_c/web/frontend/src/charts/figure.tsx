/** A chart as a figure: caption, legend, picture, a slider that moves the cursor by keyboard, a table. */

import type { ReadonlySignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { timeline } from "../live";
import { ignoreMouse, type PlotSpec, plotInto } from "./plot";
import { moment } from "./ticks";
import { course, cursorBand, cursorPoint, move, moveCursor, showAll, shown, told, zoom } from "./view";

/** Of a table: more would be no help to anybody. */
export const TABLE_ROWS = 30;

const ZOOM = 2;
const MOVE = 0.25;

interface FigureProps {
  title: string;
  /** Must be the same object as long as the chart is the same. */
  spec: PlotSpec;
  legend: ComponentChildren;
  /** What the chart shows, in sentences. */
  summary: ReadonlySignal<string>;
  /** What is at the cursor, in words. */
  told: string;
  actions?: ComponentChildren;
  children?: ComponentChildren;
  /** The columns of the table, and the cells of one point. */
  columns: string[];
  cells: (point: number) => string[];
  wide?: boolean;
  /** Up and down arrow. */
  moveBand?: (by: number) => void;
}

export function ChartFigure(props: FigureProps) {
  const { title, summary, wide } = props;
  return (
    <figure class={wide ? "card chart wide" : "card chart"} aria-label={`${title}. ${summary.value}`}>
      <figcaption>
        <h2>{title}</h2>
        <ToldTime />
        {props.actions}
      </figcaption>
      <div class="legend">{props.legend}</div>
      <Picture {...props} />
      {props.children}
      <PointTable {...props} />
    </figure>
  );
}

function ToldTime() {
  const time = told.value === null ? undefined : timeline.value.time[told.value];
  if (time === undefined) return null;
  return <span class="told">{cursorPoint.value === null ? "now" : moment(time)}</span>;
}

function Picture({ title, spec, told: words, moveBand }: FigureProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => plotInto(place.current as HTMLDivElement, spec), [spec]);
  return (
    <div class={course.value === null ? "picture blank" : "picture"}>
      <CursorSlider title={title} words={words} moveBand={moveBand} />
      <div class="plot" ref={place} aria-hidden="true" />
      {shown.value === null && <Nothing />}
    </div>
  );
}

/** Why the picture is empty. */
function Nothing() {
  if (course.value === null)
    return <p class="nothing">No points yet. While a test runs there is one each second.</p>;
  return (
    <p class="nothing">
      No points in this range.
      <button type="button" onClick={showAll}>
        Show all
      </button>
    </p>
  );
}

interface SliderProps {
  title: string;
  words: string;
  moveBand?: ((by: number) => void) | undefined;
}

/** A real slider, so that arrow keys, Home, End and screen readers work as everywhere; only its focus is visible. */
function CursorSlider({ title, words, moveBand }: SliderProps) {
  const [first, last] = shown.value ?? [0, 0];
  const point = told.value ?? 0;
  const keys: Record<string, () => void> = {
    "+": () => zoom(1 / ZOOM),
    "=": () => zoom(1 / ZOOM),
    "-": () => zoom(ZOOM),
    "0": showAll,
    "<": () => move(-MOVE),
    ">": () => move(MOVE),
    Escape: () => moveCursor(null),
  };
  if (moveBand) Object.assign(keys, { ArrowUp: () => moveBand(1), ArrowDown: () => moveBand(-1) });
  return (
    <input
      type="range"
      class="cursor"
      aria-label={`Cursor of ${title}`}
      aria-valuetext={words}
      min={first}
      max={last}
      value={point}
      disabled={shown.value === null}
      onInput={(event) => {
        ignoreMouse();
        moveCursor(event.currentTarget.valueAsNumber, cursorBand.value);
      }}
      onFocus={() => moveCursor(told.value)}
      onBlur={() => moveCursor(null)}
      onKeyDown={(event) => {
        const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
        if (!act) return;
        event.preventDefault();
        ignoreMouse();
        act();
      }}
    />
  );
}

function PointTable({ title, columns, cells }: FigureProps) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Show as table</summary>
      {open && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section class="scroll" tabIndex={0} aria-label={`Table of ${title}`}>
          <table>
            <caption>
              {title}: the newest {TABLE_ROWS} points shown, newest first
            </caption>
            <thead>
              <tr>
                <th scope="col">Time</th>
                {columns.map((column) => (
                  <th scope="col" class="number" key={column}>
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {newestPoints().map((point) => (
                <Row key={point} point={point} cells={cells(point)} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  );
}

function newestPoints(): number[] {
  if (!shown.value) return [];
  const [first, last] = shown.value;
  return Array.from({ length: Math.min(TABLE_ROWS, last - first + 1) }, (_, back) => last - back);
}

function Row({ point, cells }: { point: number; cells: string[] }) {
  return (
    <tr>
      <th scope="row">{moment(timeline.value.time[point] as number)}</th>
      {cells.map((cell, column) => (
        <td class="number" key={column}>
          {cell}
        </td>
      ))}
    </tr>
  );
}
