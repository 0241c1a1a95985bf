/** A tab of a locustfile's own: the tables with its key, filled from `extended_stats` of `/stats/requests`. */

import { args } from "../args";
import { usePolled } from "../polled";
import { Table } from "../table/table";

type Row = Record<string, unknown>;

export function ExtendedTab({ tabKey }: { tabKey: string }) {
  const data = usePolled<{ extended_stats?: { key: string; data: Row[] }[] }>("stats/requests");
  const rows = data?.extended_stats?.find(({ key }) => key === tabKey)?.data ?? [];
  const tables = (args.extended_tables ?? []).filter(({ key }) => key === tabKey);
  return (
    <>
      {tables.map(({ structure }) => (
        <Table
          columns={structure.map(({ key, title }) => ({
            key,
            title,
            show: (row: Row) => String(row[key] ?? ""),
          }))}
          rows={rows}
          empty="Nothing has been counted yet."
        />
      ))}
    </>
  );
}
