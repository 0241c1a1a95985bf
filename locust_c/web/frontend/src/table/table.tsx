/** A table of rows that the page is given anew every two seconds. */

import type { ComponentChildren } from "preact";

export interface Column<Row> {
  key: string;
  title: string;
  kind?: "number" | "text";
  show: (row: Row) => ComponentChildren;
}

export function Table<Row>({ columns, rows, empty }: { columns: Column<Row>[]; rows: Row[]; empty: string }) {
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            {columns.map(({ key, title, kind }) => (
              <th key={key} scope="col" class={kind}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, place) => (
            <tr key={place}>
              {columns.map(({ key, kind, show }) => (
                <td key={key} class={kind}>
                  {show(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
