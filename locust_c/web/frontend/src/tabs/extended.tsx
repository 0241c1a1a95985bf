/** A tab of a locustfile's own: the tables with its key, filled from `extended_stats` of `/stats/requests`. */

import { args } from "../args";
import { usePolled } from "../polled";
import { type Column, Table } from "../table/table";

type Row = Record<string, unknown>;

export function ExtendedTab({ tabKey }: { tabKey: string }) {
  const data = usePolled<{ extended_stats?: { key: string; data: Row[] }[] }>("stats/requests");
  const rows = data?.extended_stats?.find(({ key }) => key === tabKey)?.data ?? [];
  const tables = (args.extended_tables ?? []).filter(({ key }) => key === tabKey);
  return (
    <>
      {tables.map(({ structure }, place) => (
        <Table
          key={place}
          name={`${tabKey}.${place}`}
          label="rows"
          columns={structure.map(columnOf)}
          rows={rows}
          empty="Nothing has been counted yet."
        />
      ))}
    </>
  );
}

function columnOf({ key, title }: { key: string; title: string }): Column<Row> {
  const value = (row: Row) => (typeof row[key] === "number" ? row[key] : String(row[key] ?? ""));
  return { key, title, long: true, value };
}
