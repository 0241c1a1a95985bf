import { expect, test } from "vitest";
import type { Column } from "./column";
import { sheet } from "./copy";

interface Row {
  name: string;
  count: number | null;
}

const COLUMNS: Column<Row>[] = [
  { key: "name", title: "Name", value: (row) => row.name },
  {
    key: "count",
    title: "# Requests",
    kind: "number",
    value: (row) => row.count,
    show: () => "shown otherwise",
  },
];

test("fields are quoted where they must be, numbers are plain", () => {
  const rows = [
    { name: "/a,b", count: 1234567 },
    { name: 'say "hi"\nthere', count: 0.5 },
    { name: "tab\there", count: null },
  ];
  expect(sheet(COLUMNS, rows, ",")).toBe(
    'Name,# Requests\r\n"/a,b",1234567\r\n"say ""hi""\nthere",0.5\r\ntab\there,\r\n',
  );
  expect(sheet(COLUMNS, rows, "\t")).toBe(
    'Name\t# Requests\r\n/a,b\t1234567\r\n"say ""hi""\nthere"\t0.5\r\n"tab\there"\t\r\n',
  );
});
