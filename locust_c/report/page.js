// The report can be read without this: it sorts the tables, and tells the values below the pointer in the charts.
"use strict";

function sortBy(table, heading) {
  const column = heading.cellIndex;
  const down = heading.getAttribute("aria-sort") === "descending" ||
    (column < 2 && heading.getAttribute("aria-sort") !== "ascending");
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "ascending" : "descending");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => ({ row, text: row.cells[column].textContent }));
  const numbers = rows.every(({ text }) => /^([\d,.]+|–)$/.test(text));
  const number = ({ text }) => (text === "–" ? -1 : Number(text.replaceAll(",", "")));
  rows.sort((a, b) => (numbers ? number(a) - number(b) : a.text.localeCompare(b.text)) * (down ? 1 : -1));
  body.append(...rows.map(({ row }) => row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const heading of table.tHead.rows[0].cells) {
    // No button element: on the pages of a printed table after the first it would stay empty.
    const handle = document.createElement("span");
    handle.tabIndex = 0;
    handle.setAttribute("role", "button");
    handle.textContent = heading.textContent;
    handle.addEventListener("click", () => sortBy(table, heading));
    handle.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      sortBy(table, heading);
    });
    heading.replaceChildren(handle);
  }
}

const points = window.templateArgs.history.map((row) => ({ row, at: Date.parse(row.time) / 1000 }));

function readable(value) {
  if (typeof value !== "number") return "–";
  return value.toLocaleString("en", value < 1000 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 });
}

function watchPointer(figure) {
  const legend = figure.querySelector(".legend");
  const plot = figure.querySelector(".plot > svg");
  const begin = Number(legend.dataset.begin);
  const end = Number(legend.dataset.end);
  const values = Array.from(legend.children, (line) => {
    const shown = line.querySelector("span");
    return { shown, peak: shown.textContent, key: line.dataset.key };
  });
  const moment = document.createElement("li");
  moment.className = "quiet";
  const cursor = document.createElementNS(plot.namespaceURI, "line");
  cursor.setAttribute("class", "cursor");
  cursor.setAttribute("y1", 0);
  cursor.setAttribute("y2", plot.getAttribute("height"));
  const show = (event) => {
    const box = plot.getBoundingClientRect();
    const at = begin + ((event.clientX - box.left) / box.width) * (end - begin);
    const nearest = points.reduce((a, b) => (Math.abs(b.at - at) < Math.abs(a.at - at) ? b : a));
    const place = ((nearest.at - begin) / (end - begin)) * 100 + "%";
    cursor.setAttribute("x1", place);
    cursor.setAttribute("x2", place);
    for (const { shown, key } of values) shown.textContent = readable(nearest.row[key]?.[1]);
    moment.textContent = new Date(nearest.at * 1000).toISOString().slice(11, 19);
    if (!cursor.parentNode) {
      plot.append(cursor);
      legend.prepend(moment);
    }
  };
  const hide = () => {
    cursor.remove();
    moment.remove();
    for (const { shown, peak } of values) shown.textContent = peak;
  };
  plot.parentNode.addEventListener("pointermove", show);
  plot.parentNode.addEventListener("pointerdown", show);
  plot.parentNode.addEventListener("pointerleave", hide);
}

document.querySelectorAll("figure").forEach(watchPointer);
