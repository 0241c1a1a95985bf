/** Above a table: its search, how many rows it finds, the choice of columns, and copies of what is shown. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Column } from "./column";
import { copyText, sheet } from "./copy";
import { Menu } from "./menu";
import "./toolbar.css";

interface SearchProps {
  label: string;
  query: string;
  onQuery: (query: string) => void;
  words: string;
}

export function Search({ label, query, onQuery, words }: SearchProps) {
  return (
    <div class="search">
      <input
        type="search"
        aria-label={`Search ${label}`}
        placeholder="Search"
        autocomplete="off"
        spellcheck={false}
        value={query}
        onInput={(event) => onQuery(event.currentTarget.value)}
      />
      {/* Read aloud while one searches, not whenever a row is added. */}
      <span class="muted" aria-live={query ? "polite" : "off"}>
        {words}
      </span>
    </div>
  );
}

interface ColumnsProps<Row> {
  columns: Column<Row>[];
  chosen: Column<Row>[];
  onChoice: (keys: Set<string>) => void;
}

export function ColumnsMenu<Row>({ columns, chosen, onChoice }: ColumnsProps<Row>) {
  const keys = new Set(chosen.map(({ key }) => key));
  const initial = new Set(columns.filter(({ optional }) => !optional).map(({ key }) => key));
  const toggle = (key: string) => {
    const next = new Set(keys);
    if (!next.delete(key)) next.add(key);
    onChoice(next);
  };
  return (
    <Menu title="Columns">
      {() => (
        <fieldset>
          <legend class="unseen">Columns that are shown</legend>
          {columns.map(({ key, title, hint }) => (
            <label class="check" key={key} title={hint}>
              <input
                type="checkbox"
                checked={keys.has(key)}
                disabled={keys.size === 1 && keys.has(key)}
                onChange={() => toggle(key)}
              />
              {title}
            </label>
          ))}
          <button type="button" class="tool" onClick={() => onChoice(initial)}>
            As at first
          </button>
        </fieldset>
      )}
    </Menu>
  );
}

const FORMATS = [
  { title: "As CSV", separator: "," },
  { title: "As TSV, for spreadsheets", separator: "\t" },
] as const;

export function CopyMenu<Row>({ columns, rows }: { columns: Column<Row>[]; rows: () => Row[] }) {
  return (
    <Menu title="Copy">
      {() =>
        FORMATS.map(({ title, separator }) => (
          <CopyButton key={title} title={title} text={() => sheet(columns, rows(), separator)} />
        ))
      }
    </Menu>
  );
}

const SAID_MS = 2000;

/** Copies what `text` gives, and says so. */
export function CopyButton({ title, text }: { title: ComponentChildren; text: () => string }) {
  const [said, setSaid] = useState("");
  async function copy() {
    setSaid((await copyText(text())) ? "Copied" : "The browser refused");
    setTimeout(() => setSaid(""), SAID_MS);
  }
  return (
    <button type="button" class="tool copy" onClick={copy}>
      <span class={said ? "gone" : undefined}>{title}</span>
      <span class="said" aria-live="polite">
        {said}
      </span>
    </button>
  );
}
