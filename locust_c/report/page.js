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

const { lines, heat } = window.chartValues;

function readable(value) {
  if (typeof value !== "number") return "–";
  return value.toLocaleString("en", value < 1000 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 });
}

const clock = (at) => new Date(at * 1000).toISOString().slice(11, 19);

/** The place of the time that is nearest to `at`. */
function nearest(times, at) {
  return times.reduce((best, time, place) => (Math.abs(time - at) < Math.abs(times[best] - at) ? place : best), 0);
}

/** Has `show(share of the width, share of the height)` called for the pointer, which returns a time, and `hide()`. */
function watchPointer(figure, show, hide) {
  const plot = figure.querySelector(".plot > svg");
  const begin = Number(figure.dataset.begin);
  const end = Number(figure.dataset.end);
  const cursor = document.createElementNS(plot.namespaceURI, "line");
  cursor.setAttribute("class", "cursor");
  cursor.setAttribute("y1", 0);
  cursor.setAttribute("y2", plot.getAttribute("height"));
  const follow = (event) => {
    const box = plot.getBoundingClientRect();
    const at = begin + ((event.clientX - box.left) / box.width) * (end - begin);
    const time = show(at, (event.clientY - box.top) / box.height);
    const place = ((time - begin) / (end - begin)) * 100 + "%";
    cursor.setAttribute("x1", place);
    cursor.setAttribute("x2", place);
    if (!cursor.parentNode) plot.append(cursor);
  };
  plot.parentNode.addEventListener("pointermove", follow);
  plot.parentNode.addEventListener("pointerdown", follow);
  plot.parentNode.addEventListener("pointerleave", () => {
    cursor.remove();
    hide();
  });
}

function tellLines(figure) {
  const legend = figure.querySelector(".legend");
  const values = Array.from(legend.children, (line) => {
    const shown = line.querySelector("span");
    return { shown, peak: shown.textContent, column: lines[line.dataset.key] };
  });
  const moment = document.createElement("li");
  moment.className = "quiet";
  watchPointer(
    figure,
    (at) => {
      const place = nearest(lines.time, at);
      for (const { shown, column } of values) shown.textContent = readable(column[place]);
      moment.textContent = clock(lines.time[place]);
      if (!moment.parentNode) legend.prepend(moment);
      return lines.time[place];
    },
    () => {
      moment.remove();
      for (const { shown, peak } of values) shown.textContent = peak;
    },
  );
}

function tellHeat(figure) {
  const told = figure.querySelector(".told");
  const summary = told.textContent;
  const bands = heat.edges.length - 1;
  const begin = Number(figure.dataset.begin);
  watchPointer(
    figure,
    (at, height) => {
      const place = Math.max(heat.time.findIndex((end) => at <= end), 0);
      const row = Math.min(Math.max(Math.floor((1 - height) * bands), 0), bands - 1);
      const [low, high] = [heat.edges[row], heat.edges[row + 1]];
      let [count, sum] = [0, 0];
      for (let cell = 0; cell < heat.counts[place].length; cell += 2) {
        sum += heat.counts[place][cell + 1];
        if (heat.counts[place][cell] === heat.first + row) count = heat.counts[place][cell + 1];
      }
      const from = place > 0 ? heat.time[place - 1] : begin;
      told.textContent =
        `${clock(from)} to ${clock(heat.time[place])}, ${readable(low)} to ${readable(high)} ms: ` +
        `${readable(count)} of ${readable(sum)} requests`;
      return (from + heat.time[place]) / 2;
    },
    () => {
      told.textContent = summary;
    },
  );
}

document.querySelectorAll("figure:not(.heat)").forEach(tellLines);
document.querySelectorAll("figure.heat").forEach(tellHeat);
