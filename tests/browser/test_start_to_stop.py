"""A whole test by mouse: started, watched, changed, stopped, reset, and another one."""

from __future__ import annotations

from collections.abc import Callable

from command_process import REQUESTS
from page import Page
from site_process import Site

from benchmarks.server import Nginx


def test_a_whole_test_by_mouse(page: Page, start_site: Callable[..., Site], nginx: Nginx) -> None:
    site = start_site(REQUESTS)
    page.open(site.url)
    page.wait_for_status("ready")
    assert not page.has("button", "Stop")
    page.chromium.picture("start-form")

    page.fill("Number of users", "3")
    page.fill("Host", nginx.url)
    page.click("button", "Start")
    page.wait_for_status("running")
    page.until(lambda: page.number("Users") == 3, "3 users")
    first = page.until(lambda: int(page.row(name="/")["# Requests"].replace(",", "")), "requests counted")
    page.until(lambda: int(page.row(name="/")["# Requests"].replace(",", "")) > first, "more requests")
    page.until(lambda: page.number("Requests/s") > 0, "requests per second")
    page.chromium.picture("running")

    page.click("button", "Edit")
    page.fill("Number of users", "5")
    page.click("button", "Change")
    page.until(lambda: page.number("Users") == 5, "5 users")
    assert site.figures["user_count"] == 5

    page.click("button", "Stop")
    page.wait_for_status("stopped")
    assert not page.has("button", "Stop")
    assert page.number("Users") == 0
    total = site.figures["stats"][-1]["num_requests"]
    page.row(name="Aggregated", **{"#_requests": f"{total:,}"})

    page.click("button", "Reset")
    page.wait_for_text("No request has been made yet.")
    assert site.figures["stats"][-1]["num_requests"] == 0

    page.click("button", "New test")
    page.fill("Number of users", "1")
    page.click("button", "Start")
    page.wait_for_status("running")
    page.until(lambda: page.number("Users") == 1, "1 user")
    page.row(name="/")
