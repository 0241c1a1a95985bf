"use strict";
// The page: a form that starts a test, and tables that ask for the figures every two seconds.

const POLL_MS = 2000;
const RUNNING = ["spawning", "running", "stopping", "cleanup"];
const args = JSON.parse(document.getElementById("template-args").textContent);
const base = document.body.dataset.base.replace(/\/$/, "");
const byId = (id) => document.getElementById(id);
const view = { tab: "stats", state: args.state, editing: false, used: args.state !== "ready" };

/* ---- building elements: text is always set as text, whatever names and errors hold ---- */

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.map((child) => child ?? ""));
  return node;
}

function table(columns, rows, isTotal = () => false) {
  const cell = (tag, column, text, row) => {
    const bad = row && column.bad && column.bad(row) ? " bad" : "";
    return element(tag, { class: (column.kind || "") + bad }, text);
  };
  const head = element("tr", {}, ...columns.map((column) => cell("th", column, column.title)));
  const body = rows.map((row) => element(
    "tr", isTotal(row) ? { class: "total" } : {}, ...columns.map((column) => cell("td", column, column.show(row), row)),
  ));
  return element("div", { class: "scroll" }, element(
    "table", {}, element("thead", {}, head), element("tbody", {}, ...body),
  ));
}

const empty = (text) => element("div", { class: "scroll empty" }, text);
const whole = (value) => value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en");
const rate = (value) => (value || 0).toLocaleString("en", { maximumFractionDigits: 1 });
const moment = (seconds) => seconds ? new Date(seconds * 1000).toLocaleTimeString() : "–";
const number = (title, show, bad) => ({ title, show, bad, kind: "number" });

/* ---- the panels ---- */

// A panel is made anew every two seconds: whoever has scrolled a wide table sideways stays where they were.
function show(id, node) {
  const before = byId(id).firstElementChild;
  const left = before ? before.scrollLeft : 0;
  byId(id).replaceChildren(node);
  node.scrollLeft = left;
}

const percentileColumns = args.percentiles_to_statistics.map((p) => number(
  `${+(p * 100).toFixed(6)}% (ms)`, (row) => whole(row[`response_time_percentile_${p}`]),
));
const STATISTICS = [
  { title: "Type", show: (row) => row.method || "" },
  { title: "Name", show: (row) => row.name, kind: "name" },
  number("Requests", (row) => whole(row.num_requests)),
  number("Failures", (row) => whole(row.num_failures), (row) => row.num_failures > 0),
  number("Median (ms)", (row) => whole(row.median_response_time)),
  ...percentileColumns,
  number("Average (ms)", (row) => whole(row.avg_response_time)),
  number("Min (ms)", (row) => whole(row.min_response_time)),
  number("Max (ms)", (row) => whole(row.max_response_time)),
  number("Average size (bytes)", (row) => whole(row.avg_content_length)),
  number("Requests/s", (row) => rate(row.current_rps)),
  number("Failures/s", (row) => rate(row.current_fail_per_sec), (row) => row.current_fail_per_sec > 0),
];
const FAILURES = [
  number("Occurrences", (row) => whole(row.occurrences)),
  { title: "Type", show: (row) => row.method },
  { title: "Name", show: (row) => row.name, kind: "name" },
  { title: "Error", show: (row) => row.error, kind: "name" },
  number("First seen", (row) => moment(row.first_seen)),
  number("Last seen", (row) => moment(row.last_seen)),
];
const EXCEPTIONS = [
  number("Occurrences", (row) => whole(row.count)),
  { title: "Message", show: (row) => row.msg, kind: "name" },
  { title: "Traceback", show: (row) => element("pre", {}, row.traceback), kind: "name" },
];

function badge(tab, count) {
  const node = document.querySelector(`[data-tab="${tab}"] .badge`);
  node.hidden = !count;
  node.textContent = count;
}

function ratioList(tasks) {
  return element("ul", { class: "ratio" }, ...Object.entries(tasks).map(([name, task]) => element(
    "li", {}, element("span", {}, `${(task.ratio * 100).toFixed(1)}%`), name, task.tasks ? ratioList(task.tasks) : "",
  )));
}

function showFigures(figures) {
  setState(figures.state);
  byId("user-count").textContent = whole(figures.user_count);
  byId("rps").textContent = rate(figures.current_rps);
  byId("fail-ratio").textContent = `${+(figures.fail_ratio * 100).toFixed(2)}%`;
  show("stats", table(STATISTICS, figures.stats, (row) => row === figures.stats.at(-1)));
  show("failures", figures.errors.length ? table(FAILURES, figures.errors) : empty("No request has failed."));
  badge("failures", figures.errors.length);
}

function showExceptions({ exceptions }) {
  show("exceptions", exceptions.length ? table(EXCEPTIONS, exceptions) : empty("No task has raised an exception."));
  badge("exceptions", exceptions.length);
}

function showRatios(ratios) {
  const part = (title, tasks) => [element("h2", {}, title), ratioList(tasks)];
  show("ratios", element(
    "div", { class: "card" }, ...part("Within each user class", ratios.per_class), ...part("Of all tasks", ratios.total),
  ));
}

function showLogs(logs) {
  const lines = element("pre", {}, logs.master.join("\n") || "Nothing has been logged.");
  show("logViewer", element("div", { class: "scroll" }, lines));
}

const PANELS = {
  exceptions: ["/exceptions", showExceptions], ratios: ["/tasks", showRatios], logViewer: ["/logs", showLogs],
};

/* ---- what is visible ---- */

function setState(state) {
  view.state = state;
  view.used = view.used || state !== "ready";
  document.body.dataset.state = state;
  byId("state").textContent = state;
  arrange();
}

function arrange() {
  const running = RUNNING.includes(view.state);
  const form = view.editing || !view.used;
  byId("start").hidden = !form;
  byId("test").hidden = form;
  byId("cancel").hidden = !view.used;
  byId("new").hidden = running || form;
  byId("edit").hidden = byId("stop").hidden = !running;
  byId("edit").disabled = form;
  byId("reset").hidden = !view.used;
  byId("form-title").textContent = running ? "Change the running test" : "Start a test";
  document.querySelector('#swarm [type="submit"]').textContent = running ? "Change" : "Start";
}

function showTab(tab) {
  view.tab = tab;
  for (const button of document.querySelectorAll("[data-tab]")) {
    button.setAttribute("aria-selected", String(button.dataset.tab === tab));
    byId(button.dataset.tab).hidden = button.dataset.tab !== tab;
  }
  const address = new URL(location.href);
  address.searchParams.set("tab", tab);
  history.replaceState(null, "", address);
  refreshPanel();
}

function notice(text) {
  byId("notice").textContent = text;
  byId("notice").hidden = !text;
}

/* ---- talking to the server ---- */

async function ask(path, body) {
  const response = await fetch(base + path, body === undefined ? {} : { method: "POST", body });
  if (!response.ok) throw new Error(await response.text() || response.statusText);
  return (response.headers.get("content-type") || "").includes("json") ? response.json() : response.text();
}

async function refreshPanel() {
  if (view.tab in PANELS) {
    const [path, display] = PANELS[view.tab];
    await attempt(async () => display(await ask(path)));
  }
}

async function attempt(action) {
  try {
    await action();
    notice("");
  } catch (error) {
    notice(error instanceof TypeError ? "Locust does not answer: it has ended, or cannot be reached." : error.message);
  }
}

async function poll() {
  await attempt(async () => showFigures(await ask("/stats/requests")));
  if (view.used) {
    await attempt(async () => showExceptions(await ask("/exceptions")));
    if (view.tab === "ratios" || view.tab === "logViewer") await refreshPanel();
  }
  setTimeout(poll, POLL_MS);
}

async function swarm(event) {
  event.preventDefault();
  const form = event.target;
  const fields = new FormData(form);
  for (const box of form.querySelectorAll('[type="checkbox"]')) fields.set(box.name, String(box.checked));
  const button = form.querySelector('[type="submit"]');
  button.disabled = true;
  let problem = "";
  try {
    const answer = await ask("/swarm", new URLSearchParams(fields));
    if (answer.success) {
      view.editing = false;
      view.used = true;
      byId("host").textContent = answer.host || "–";
      showFigures(await ask("/stats/requests"));
    } else {
      problem = answer.message;
    }
  } catch (error) {
    problem = error.message;
  }
  button.disabled = false;
  byId("form-error").textContent = problem;
  byId("form-error").hidden = !problem;
}

async function command(button, path) {
  button.disabled = true;
  await attempt(async () => {
    await ask(path, "");
    showFigures(await ask("/stats/requests"));
  });
  button.disabled = false;
}

function edit(editing) {
  view.editing = editing;
  arrange();
  if (editing) byId("swarm").querySelector("input").focus();
}

byId("swarm").addEventListener("submit", swarm);
byId("new").addEventListener("click", () => edit(true));
byId("edit").addEventListener("click", () => edit(true));
byId("cancel").addEventListener("click", () => edit(false));
byId("stop").addEventListener("click", (event) => command(event.target, "/stop"));
byId("reset").addEventListener("click", (event) => command(event.target, "/stats/reset"));
for (const button of document.querySelectorAll("[data-tab]")) {
  button.addEventListener("click", () => showTab(button.dataset.tab));
}
arrange();
const wanted = new URLSearchParams(location.search).get("tab");
if (document.querySelector(`[data-tab="${CSS.escape(wanted || "")}"]`)) showTab(wanted);
poll();
