"""The charts: they have points, keep them over a reload, tell them as a table; runs of a given time."""

from __future__ import annotations

from collections.abc import Callable

import busy
import pytest
from command_process import QUIET
from page import Page
from site_process import Site

from benchmarks.server import Nginx

TITLES = [
    "Total Requests per Second",
    "Response Times (ms)",
    "Number of Users",
    "Generator Lag (p99, ms)",
    "Response Time Heat Map (ms)",
]

#: The figure of the chart with a title.
_FIGURE = """
const figure = [...document.querySelectorAll("figure")].find(
  (node) => node.querySelector("h2")?.textContent.trim() === arguments[0]);
"""

#: How many pixels of a chart are drawn upon, and the rows of its table, opened if need be.
_PIXELS = f"""{_FIGURE}
figure.scrollIntoView();  // what cannot be seen is not drawn
const canvas = figure.querySelector("canvas");
const {{data}} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
const seen = new Set();
for (let at = 0; at < data.length; at += 4) if (data[at + 3]) seen.add(data.slice(at, at + 4).join());
return seen.size;
"""
_ROWS = f"""{_FIGURE}
if (!figure) return [];
figure.querySelector("details").open = true;
const textOf = (cell) => cell.innerText.trim();
return [...figure.querySelectorAll("tbody tr")].map((row) => [...row.cells].map(textOf));
"""


@pytest.fixture(scope="module")
def site(start_site: Callable[..., Site], nginx: Nginx) -> Site:
    return start_site(busy.LOCUSTFILE, "-H", nginx.url)


def points(page: Page, title: str, least: int) -> list[list[str]]:
    """The rows of a chart's table, newest first, as soon as there are enough."""

    def enough() -> list[list[str]]:
        rows: list[list[str]] = page.script(_ROWS, title)
        return rows if len(rows) >= least else []

    return page.until(enough, f"{least} points of {title!r}")


def test_charts_have_points_and_keep_them(page: Page, site: Site) -> None:
    site.start(users=5)
    page.open(f"{site.url}?tab=charts")
    for title in TITLES:
        points(page, title, 4)
        page.until(lambda title=title: page.script(_PIXELS, title) > 3, f"a picture of {title!r}")
    page.chromium.size(1280, 1800)
    page.settled()
    page.chromium.picture("charts")
    users = points(page, "Number of Users", 4)
    assert users[0][1] == "5"
    rates = points(page, "Total Requests per Second", 4)
    assert float(rates[1][1]) > 0
    before = {row[0]: row[1] for row in users}

    page.reload()
    after = {row[0]: row[1] for row in points(page, "Number of Users", len(before))}
    assert before.items() <= after.items()
    site.stop()


def test_a_timed_run_tells_the_time_left_and_ends(page: Page, start_site: Callable[..., Site]) -> None:
    site = start_site(QUIET)
    page.open(site.url)
    page.fill("Number of users", "2")
    page.click("button", "Advanced options")
    page.fill("Run time", "5s")
    page.click("button", "Start")
    page.wait_for_text("of 5s", "left")
    first = int(page.until(lambda: progress(page), "a bar of progress"))
    page.until(lambda: int(progress(page) or 0) > first, "more of the time over")
    page.wait_for_status("stopped")
    page.wait_for_text("of run time")
    assert progress(page) is None
    assert site.figures["state"] == "stopped"


def progress(page: Page) -> str | None:
    """How much of the run time is over, in percent, as a screen reader tells it."""
    now: str | None = page.script(
        "return document.querySelector('[role=progressbar][aria-label=\"Run time\"]')"
        "?.getAttribute('aria-valuenow') ?? null"
    )
    return now
