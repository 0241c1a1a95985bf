/** The table itself, in a box that scrolls both ways: titles above, the total below, names at the left. */

import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import { count } from "../format";
import type { Column, Order } from "./column";
import type { Item } from "./rows";
import { useKeptFocus, useRoom, useTop, useWindow } from "./scrolled";
import { cut, inLine } from "./text";
import "./grid.css";

interface GridProps<Row> {
  box: RefObject<HTMLElement>;
  label: string;
  columns: Column<Row>[];
  items: Item<Row>[];
  total: Row | undefined;
  order: Order | null;
  query: string;
  lines: number;
  onOrder: (column: Column<Row>) => void;
  onOpen: (key: string) => void;
}

export function Grid<Row>(props: GridProps<Row>) {
  const { box, label, columns, items, total } = props;
  const { start, end, rowHeight, onScroll } = useWindow(box, items.length);
  useRoom(box);
  useKeptFocus(box);
  useTop(box, props.query, props.order?.key, props.order?.descending);
  useOpening(box, props.onOpen);
  const opener = columns.find(({ long }) => long);
  return (
    <section
      class="table-box"
      ref={box}
      aria-label={`Table of ${label}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard
      tabIndex={0}
      onScroll={onScroll}
    >
      <table
        aria-label={label}
        aria-rowcount={items.length + (total ? 2 : 1)}
        class={props.lines > 1 ? "sheet tall" : "sheet"}
        style={{ "--lines": props.lines, minWidth: leastWidth(columns, total) }}
      >
        <colgroup>
          {columns.map((column) => (
            <col key={column.key} style={{ width: column.grow ? "auto" : widthOf(column, total) }} />
          ))}
        </colgroup>
        <thead>
          <tr class="titles" aria-rowindex={1}>
            {columns.map((column) => (
              <Title key={column.key} column={column} order={props.order} onOrder={props.onOrder} />
            ))}
          </tr>
        </thead>
        <Space height={start * rowHeight} />
        <tbody class="rows">
          {items.slice(start, end).map(({ key, row }, place) => (
            <tr key={key} data-row={key} aria-rowindex={start + place + 2}>
              {columns.map((column) => cell(column, row, column === opener))}
            </tr>
          ))}
        </tbody>
        <Space height={(items.length - end) * rowHeight} />
        {total && (
          <tfoot>
            <tr class="total" aria-rowindex={items.length + 2}>
              {columns.map((column) => cell(column, total, false))}
            </tr>
          </tfoot>
        )}
      </table>
    </section>
  );
}

interface TitleProps<Row> {
  column: Column<Row>;
  order: Order | null;
  onOrder: (column: Column<Row>) => void;
}

function Title<Row>({ column, order, onOrder }: TitleProps<Row>) {
  const by = order?.key === column.key ? (order.descending ? "descending" : "ascending") : undefined;
  return (
    <th scope="col" class={classOf(column)} aria-sort={by} title={column.hint}>
      <button type="button" class="sort" onClick={() => onOrder(column)}>
        <span>{column.title}</span>
        <svg class="sort-arrow" viewBox="0 0 10 10" aria-hidden="true">
          <path d={by === "ascending" ? "M5 2 8.5 7.5h-7z" : "M5 8 1.5 2.5h7z"} />
        </svg>
      </button>
    </th>
  );
}

/** In place of the rows that are not in the page. */
function Space({ height }: { height: number }) {
  return (
    <tbody class="space" aria-hidden="true" hidden={height <= 0}>
      <tr>
        <td style={{ height: `${height}px` }} />
      </tr>
    </tbody>
  );
}

/** What of a long text is in the page: more than fits into a row of a few lines. */
const CELL_CHARACTERS = 400;
const HINT_CHARACTERS = 1000;

// A plain function: components would cost as much again for cells that only show a number.
function cell<Row>(column: Column<Row>, row: Row, opens: boolean) {
  const { key, value, show, long, sticky } = column;
  const Tag = sticky ? "th" : "td";
  const text = long ? inLine(cut(String(value(row) ?? ""), HINT_CHARACTERS)) : null;
  return (
    <Tag
      key={key}
      scope={sticky ? "row" : undefined}
      class={classOf(column)}
      title={text || undefined}
      data-opens={long}
    >
      <div class="cell" dir={column.kind === "number" ? undefined : "auto"}>
        {show ? show(row) : text === null ? value(row) : named(cut(text, CELL_CHARACTERS))}
      </div>
      {opens && text !== null && (
        <button type="button" class="opener" aria-label={`The whole row of ${cut(text, 80)}`}>
          <svg class="opener-icon" viewBox="0 0 10 10" aria-hidden="true">
            <path d="M6 1.5h2.5V4M8.5 1.5l-3 3M4 8.5H1.5V6M1.5 8.5l3-3" />
          </svg>
        </button>
      )}
    </Tag>
  );
}

/** A text of which nothing would be seen is shown in quotes. */
function named(text: string): string {
  return text.trim() ? text : `“${text}”`;
}

/** A click on a long text, or on its button, opens the row; selecting some of the text does not. */
function useOpening(box: RefObject<HTMLElement>, onOpen: (key: string) => void): void {
  useEffect(() => {
    const node = box.current as HTMLElement;
    const open = ({ target }: MouseEvent) => {
      const place = (target as Element).closest("[data-opens]");
      const row = place?.closest<HTMLElement>("[data-row]");
      if (row?.dataset.row !== undefined && document.getSelection()?.isCollapsed !== false) {
        onOpen(row.dataset.row);
      }
    };
    node.addEventListener("click", open);
    return () => node.removeEventListener("click", open);
  }, []);
}

function classOf<Row>({ kind, sticky, long }: Column<Row>): string | undefined {
  return (
    [kind === "number" && "number", sticky && "sticky", long && "long"].filter(Boolean).join(" ") || undefined
  );
}

const NUMBER_REM = 5.25;
const TEXT_REM = 8;
const DIGIT_REM = 0.58;
const PADDING_REM = 1.5;

/** How wide `column` is at least; `total` has the largest numbers, for which there must be room. */
function widthOf<Row>({ kind, width, sticky, value }: Column<Row>, total: Row | undefined): string {
  let rem = width ?? (kind === "number" ? NUMBER_REM : TEXT_REM);
  const largest = kind === "number" && total !== undefined ? value(total) : null;
  if (typeof largest === "number") {
    // By its digits, so that the width changes only when there is one more.
    rem = Math.max(rem, count(largest).length * DIGIT_REM + PADDING_REM);
  }
  // On a phone there must be room for something beside it.
  return sticky ? `min(${rem}rem, 45vw)` : `${rem}rem`;
}

function leastWidth<Row>(columns: Column<Row>[], total: Row | undefined): string {
  return `calc(${columns.map((column) => widthOf(column, total)).join(" + ")})`;
}
