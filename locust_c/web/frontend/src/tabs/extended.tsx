/** A tab of a locustfile's own: the tables with its key, filled from `extended_stats` of `/stats/requests`. */

import { useMemo } from "preact/hooks";
import { args } from "../args";
import { usePolled } from "../polled";
import { type Column, Table } from "../table/table";
import { cellText, cellValue, type ExtendedTable, isNumeric, type Row, rowsOf } from "./extended-rows";

interface Answer {
  extended_stats?: unknown;
}

export function ExtendedTab({ tabKey }: { tabKey: string }) {
  const data = usePolled<Answer>("stats/requests");
  const tables = (args.extended_tables ?? []).filter(({ key }) => key === tabKey);
  if (tables.length === 0) {
    return <p class="empty">The locustfile gives this tab no table: none of extended_tables has its key.</p>;
  }
  return (
    <div class="stack">
      {tables.map((table, place) => (
        <OneTable key={place} table={table} name={`${tabKey}.${place}`} data={data} />
      ))}
    </div>
  );
}

function OneTable({ table, name, data }: { table: ExtendedTable; name: string; data: Answer | null }) {
  const rows = useMemo(() => data && rowsOf(table, data.extended_stats), [data]);
  const numbers = table.structure.filter(({ key }) => isNumeric(rows ?? [], key)).map(({ key }) => key);
  // The same columns as long as they are of the same kind: the table begins anew with others.
  const columns = useMemo(
    () => table.structure.map((column) => columnOf(column, numbers.includes(column.key))),
    [numbers.join("\n")],
  );
  return (
    <Table
      name={name}
      label={table.structure.map(({ title }) => title).join(", ")}
      columns={columns}
      rows={rows}
      empty="The locustfile has sent no rows for this table yet."
    />
  );
}

function columnOf({ key, title }: { key: string; title: string }, isNumber: boolean): Column<Row> {
  return {
    key,
    title,
    kind: isNumber ? "number" : "text",
    long: !isNumber,
    value: (row) => cellValue(row[key]),
    show: (row) => cellText(row[key]),
  };
}
