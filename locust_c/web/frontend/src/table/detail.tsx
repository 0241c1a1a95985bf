/** One row in full: all its columns, and long texts whole. */

import { useEffect, useRef } from "preact/hooks";
import type { Column } from "./column";
import { inLines } from "./text";
import { CopyButton } from "./toolbar";
import "./detail.css";

interface DetailProps<Row> {
  columns: Column<Row>[];
  row: Row;
  onClose: () => void;
}

export function Detail<Row>({ columns, row, onClose }: DetailProps<Row>) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const node = dialog.current as HTMLDialogElement;
    const outside = (event: MouseEvent) => {
      if (event.target === node) node.close();
    };
    node.showModal();
    node.addEventListener("click", outside);
    return () => node.removeEventListener("click", outside);
  }, []);
  const texts = columns.filter(({ long }) => long);
  return (
    <dialog class="detail" ref={dialog} onClose={onClose} aria-label="The whole row">
      <div class="detail-box">
        <button type="button" class="tool close" onClick={() => dialog.current?.close()}>
          Close
        </button>
        {texts.map((column) => (
          <LongText key={column.key} title={column.title} text={String(column.value(row) ?? "")} />
        ))}
        <dl>
          {columns
            .filter(({ long }) => !long)
            .map(({ key, title, hint, value, show }) => (
              <div key={key} title={hint}>
                <dt>{title}</dt>
                <dd>{show ? show(row) : value(row)}</dd>
              </div>
            ))}
        </dl>
      </div>
    </dialog>
  );
}

function LongText({ title, text }: { title: string; text: string }) {
  return (
    <section>
      <h3>{title}</h3>
      <CopyButton title="Copy" text={() => text} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard */}
      <pre dir="auto" tabIndex={0}>
        {inLines(text)}
      </pre>
    </section>
  );
}
