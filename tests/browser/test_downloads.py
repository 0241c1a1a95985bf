"""Every file of the page: asked for with a click, saved by the browser, read."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import busy
from page import Page, wait_until
from site_process import Site

from benchmarks.server import Nginx

Rows = list[dict[str, str]]


def saved(page: Page, folder: Path, title: str) -> Path:
    """Click on the link that downloads it; the file that is there when the browser has it."""
    before = set(folder.iterdir())
    page.click("link", f"Download {title}")

    def complete() -> list[Path]:
        return [path for path in set(folder.iterdir()) - before if path.suffix in (".csv", ".html", ".json")]

    wait_until(complete, f"the download of {title}")
    return complete()[0]


def rows_of(path: Path) -> Rows:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_file(page: Page, start_site: Callable[..., Site], nginx: Nginx, tmp_path: Path) -> None:
    site = start_site(busy.LOCUSTFILE, "-H", nginx.url, "--csv", "run", "--csv-full-history")
    site.start(users=5)
    wait_until(lambda: site.call("GET", "exceptions").json()["exceptions"], "an exception")
    wait_until(lambda: len(site.figures["errors"]) == 2, "both kinds of failures")
    wait_until(lambda: len((site.folder / "run_stats_history.csv").read_text().splitlines()) > 2, "a history")
    site.stop()
    page.open(f"{site.url}?tab=reports")
    page.wait_for_status("stopped")
    total = site.figures["stats"][-1]
    page.chromium.picture("downloads")
    with page.chromium.downloads(tmp_path / "downloads") as folder:
        path = saved(page, folder, "Requests CSV")
        assert path.name.startswith("Locust_")
        assert path.name.endswith("_requests.csv")
        last = rows_of(path)[-1]
        assert (last["Name"], last["Request Count"]) == ("Aggregated", str(total["num_requests"]))
        assert busy.SCRIPT in [row["Name"] for row in rows_of(path)]

        failures = rows_of(saved(page, folder, "Failures CSV"))
        assert sum(int(row["Occurrences"]) for row in failures) == total["num_failures"] > 0
        assert any(busy.IMAGE in row["Error"] for row in failures)

        exceptions = rows_of(saved(page, folder, "Exceptions CSV"))
        assert busy.IMAGE in exceptions[0]["Message"]
        assert int(exceptions[0]["Count"]) > 0

        history = rows_of(saved(page, folder, "Full history CSV"))
        assert {"/", "Aggregated"} <= {row["Name"] for row in history}

        path = saved(page, folder, "Statistics JSON")
        entries = json.loads(path.read_text())
        assert sum(entry["num_requests"] for entry in entries) == total["num_requests"]

        report = saved(page, folder, "HTML report")
        assert report.name.endswith(".html")
        assert "&lt;script&gt;" in report.read_text()
    # The report is one file, without an icon.
    page.expected_errors.append("favicon.ico")
    first = page.driver.current_window_handle
    page.click("link", "Open HTML report")
    page.until(lambda: len(page.driver.window_handles) == 2, "the report in a window of its own")
    page.driver.switch_to.window(page.driver.window_handles[1])
    page.wait_for_text("/missing", "Aggregated")
    page.chromium.only_window(first)

    page.open(report.as_uri())
    page.wait_for_text("/missing", "Aggregated")
    assert page.script("return window.ran ?? null") is None
    page.chromium.picture("report")
