"""Takes the pictures of the README from a real run: `.venv/bin/python tests/browser/screenshots.py`.

The run is that of `./demo`, two minutes of it, so its figures are those of the machine that this runs on.
"""

# ruff: noqa: I001
from __future__ import annotations

import locust_c  # noqa: F401  (before Selenium: what gevent replaces must not have been imported)

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from chromium import ROOT, Chromium
from page import Page
from site_process import Site

IMAGES = ROOT / "docs" / "images"
LARGEST = 150_000
WATCHED_S = 75

#: Below the top of the page, which stays where it is.
_TO_SECOND_ROW = """
const card = document.querySelectorAll("figure")[2];
scrollBy(0, card.getBoundingClientRect().top - document.querySelector("header").offsetHeight - 16);
"""
WIDTH = 1280


@contextmanager
def shop() -> Iterator[str]:
    """The server of `./demo`; its address."""
    command = [sys.executable, str(ROOT / "examples" / "target_server.py"), "--until-input-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.communicate()


def keep(page: Page, name: str, height: int) -> None:
    """Take a picture for the README, ``height`` pixels of the page."""
    page.chromium.size(WIDTH, height)
    page.settled()
    target = IMAGES / f"{name}.png"
    shutil.move(page.chromium.picture(name), target)
    size = target.stat().st_size
    assert size <= LARGEST, f"{target} has {size} bytes"
    print(f"{target.relative_to(ROOT)}: {size:,} bytes")


def take(page: Page, site: Site) -> None:
    """Start a test on the page and keep what is to be seen of it."""
    page.chromium.theme("light")
    page.open(site.url)
    page.fill("Number of users", "200")
    page.fill("Ramp up", "5")
    page.click("button", "Advanced options")
    page.fill("Run time", "2m")
    page.script("document.activeElement.blur()")
    keep(page, "start-form", 640)
    page.click("button", "Start")
    page.open_tab("Charts")
    page.until(lambda: is_late(site), "a run that lasts", seconds=2 * WATCHED_S)
    keep(page, "charts", 550)
    page.chromium.theme("dark")
    page.script(_TO_SECOND_ROW)
    keep(page, "dark", 930)
    page.chromium.theme("light")
    page.script("scrollTo(0, 0)")
    page.open_tab("Statistics")
    page.row(name="Aggregated")
    keep(page, "statistics", 510)


def is_late(site: Site) -> bool:
    """Whether the run has been watched for long enough."""
    elapsed = site.call("GET", "stats/live").json()["elapsed_s"]
    return elapsed is not None and elapsed >= WATCHED_S


def main() -> None:
    """Take all pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    locustfile = (ROOT / "examples" / "locustfile.py").read_text()
    with tempfile.TemporaryDirectory() as folder, shop() as host:
        for name in ("site", "profile"):
            (Path(folder) / name).mkdir()
        site = Site(Path(folder) / "site", locustfile, "-H", host)
        chromium = Chromium(Path(folder) / "profile")
        try:
            take(Page(chromium), site)
        finally:
            chromium.quit()
            site.end()


if __name__ == "__main__":
    main()
