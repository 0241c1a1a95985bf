/** A table of rows that the page is given anew every two seconds; thousands of them stay fluid. */

import type { ComponentChildren } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { param, setParam } from "../url";
import { type Column, chosenColumns, formatChoice, formatOrder, nextOrder, parseOrder } from "./column";
import { Detail } from "./detail";
import { Grid } from "./grid";
import { found, type Item, keyed, ordered } from "./rows";
import { useHeld } from "./scrolled";
import { cut, inLine } from "./text";
import { ColumnsMenu, CopyMenu, Search } from "./toolbar";
import { countWords } from "./words";

export type { Column } from "./column";

export interface TableProps<Row> {
  /** Of this table, in the address: `name.sort`, `name.q` and `name.columns`. */
  name: string;
  /** What the rows are, in the plural and small letters, for screen readers. */
  label: string;
  columns: Column<Row>[];
  /** Null before they are known. */
  rows: Row[] | null;
  /** A row that stays last, whatever the order and the search are. */
  total?: Row | undefined;
  /** What tells a row from the others, and is the same in the next answer; its place if left out. */
  keyOf?: (row: Row, place: number) => string;
  /** The order at first, as in the address: a key, with a minus for descending. */
  order?: string;
  /** The parameter of the search, where several tables share one. */
  queryName?: string;
  /** What one row is called where they are counted. */
  unit?: string;
  /** How many rows the server has, where it sent only the first ones. */
  all?: number | undefined;
  /** How many lines of text a row has. */
  lines?: number;
  /** What to say where there are no rows. */
  empty: string;
  /** More for the bar above the table. */
  children?: ComponentChildren;
  /** Words between the bar and the table. */
  note?: ComponentChildren;
}

export function Table<Row>(props: TableProps<Row>) {
  const { columns, rows, total, empty, label } = props;
  const box = useRef<HTMLElement>(null);
  const { value: fresh, held } = useHeld(box, { rows: rows ?? [], total });
  const { items, shown, chosen, order, query, choose, arrange, search } = useChoices(props, fresh.rows);
  const [openKey, setOpenKey] = useState<string | null>(null);
  if (rows === null) return <div class="table-wait" aria-busy="true" />;
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  const words = countWords(shown.length, items.length, props.all ?? items.length, props.unit ?? "row", query);
  return (
    <div class="table">
      <div class="table-tools">
        <Search
          label={label}
          query={query}
          onQuery={search}
          words={held ? `${words} · held while text is selected` : words}
        />
        {props.children}
        <ColumnsMenu columns={columns} chosen={chosen} onChoice={choose} />
        <CopyMenu columns={chosen} rows={() => [...shown.map(({ row }) => row), ...(total ? [total] : [])]} />
      </div>
      {props.note}
      <Grid
        box={box}
        label={label}
        columns={chosen}
        items={shown}
        total={fresh.total}
        order={order}
        query={query}
        lines={props.lines ?? 1}
        onOrder={arrange}
        onOpen={setOpenKey}
      />
      {shown.length === 0 && (
        <p class="empty">
          Nothing here matches “<bdi>{cut(inLine(query), 60)}</bdi>”.
        </p>
      )}
      <Opened columns={columns} items={items} openKey={openKey} onClose={() => setOpenKey(null)} />
    </div>
  );
}

/** What the address says of the table, and the rows that come of it. */
function useChoices<Row>(props: TableProps<Row>, rows: Row[]) {
  const { name, columns, queryName = `${name}.q`, keyOf = (_, place) => String(place) } = props;
  const order = parseOrder(param(`${name}.sort`, props.order).value, columns);
  const query = param(queryName).value;
  const choice = param(`${name}.columns`).value;
  const items = useMemo(() => keyed(rows, keyOf), [rows]);
  const matching = useMemo(() => found(items, columns, query), [items, columns, query]);
  const shown = useMemo(() => {
    const column = columns.find(({ key }) => key === order?.key);
    return column ? ordered(matching, column, order?.descending ?? false) : matching;
  }, [matching, columns, order?.key, order?.descending]);
  const chosen = useMemo(() => chosenColumns(choice, columns), [choice, columns]);
  return {
    items,
    shown,
    chosen,
    order,
    query,
    choose: (keys: Set<string>) => setParam(`${name}.columns`, formatChoice(keys, columns)),
    arrange: (column: Column<Row>) => setParam(`${name}.sort`, formatOrder(nextOrder(order, column))),
    search: (text: string) => setParam(queryName, text),
  };
}

interface OpenedProps<Row> {
  columns: Column<Row>[];
  items: Item<Row>[];
  openKey: string | null;
  onClose: () => void;
}

/** The row that is open, as it is now; as it was last where it is gone. */
function Opened<Row>({ columns, items, openKey, onClose }: OpenedProps<Row>) {
  const last = useRef<Item<Row> | undefined>(undefined);
  const now = openKey === null ? undefined : items.find(({ key }) => key === openKey);
  last.current = now ?? (last.current?.key === openKey ? last.current : undefined);
  if (!last.current) return null;
  return <Detail columns={columns} row={last.current.row} onClose={onClose} />;
}
