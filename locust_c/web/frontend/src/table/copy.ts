/** Rows for other programs: as text, into the clipboard. */

import type { Column, Value } from "./column";

/** The fields of one line; those that hold the separator, quotes or line ends are quoted as RFC 4180 says. */
function line(fields: Value[], separator: string): string {
  return fields
    .map((field) => String(field ?? ""))
    .map((text) =>
      text.includes(separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text,
    )
    .join(separator);
}

/** Titles and rows, with `separator` between fields (a comma, or a tab as spreadsheets paste). */
export function sheet<Row>(columns: Column<Row>[], rows: Row[], separator: "," | "\t"): string {
  const titles = columns.map(({ title }) => title);
  const lines = [titles, ...rows.map((row) => columns.map(({ value }) => value(row)))];
  return lines.map((fields) => `${line(fields, separator)}\r\n`).join("");
}

/** Put `text` into the clipboard; false where the browser does not let us. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page that came over plain HTTP from another machine has no clipboard; the old way works there.
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "unseen";
  // Beside the button: outside of an open dialog nothing can be selected, and a menu would close.
  (focused?.parentElement ?? document.body).append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return copied;
}
