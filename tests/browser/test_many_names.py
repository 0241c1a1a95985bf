"""Statistics of 2,000 names: found, sorted and chosen by columns, all of it in the address."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from page import Page
from site_process import Site

NAMES = 2000

LOCUSTFILE = f"""
from locust import User, constant, events, task

@events.test_start.add_listener
def fill(environment, **kwargs):
    for number in range({NAMES}):
        environment.events.request.fire(
            request_type="GET" if number % 2 else "POST", name=f"/item/{{number:04}}", response_time=number,
            response_length=10, exception=OSError("lost") if number % 100 == 0 else None, context={{}},
        )

class Quiet(User):
    wait_time = constant(1)

    @task
    def nothing(self):
        pass
"""


@pytest.fixture(scope="module")
def site(start_site: Callable[..., Site]) -> Site:
    site = start_site(LOCUSTFILE)
    site.start(users=1)
    return site


def names(page: Page) -> list[str]:
    """The names in the rows that are in the page, without the total's."""
    return [row["Name"] for row in page.rows() if row.get("Name", "").startswith("/item/")]


def parameters(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.address).query)


def test_search_order_and_columns_are_in_the_address(page: Page, site: Site) -> None:
    page.open(site.url)
    page.wait_for_text(f"{NAMES:,} names")
    page.row(name="Aggregated", **{"#_requests": f"{NAMES:,}"})
    assert names(page)[0] == "/item/0000"
    # Only the rows that can be seen are in the page, or 2,000 of them would be drawn every two seconds.
    assert page.script("return document.querySelectorAll('main tbody tr').length") < 200

    page.click("button", "Max (ms)")
    page.until(lambda: names(page)[0] == "/item/1999", "the slowest first")
    page.click("button", "Max (ms)")
    page.until(lambda: names(page)[0] == "/item/0000", "the fastest first")
    page.click("button", "Max (ms)")
    page.until(lambda: names(page)[0] != "/item/0000", "another order")
    page.click("button", "# Fails")
    page.until(lambda: names(page)[0].endswith("00"), "those that failed first")

    page.fill("Search requests", "item/19")
    page.until(lambda: page.has("field", "Search requests") and len(names(page)) > 0, "rows")
    page.wait_for_text(f"100 of {NAMES:,}")
    assert names(page)[0] == "/item/1900"
    page.row(name="Aggregated", **{"#_requests": f"{NAMES:,}"})

    page.click("button", "Columns")
    page.click("field", "Min (ms)")
    page.click("field", "Average (ms)")
    page.until(lambda: not page.has("column", "Min (ms)"), "a column less")
    page.chromium.picture("many-names")
    before = parameters(page)
    assert len(before) == 3
    order = names(page)

    page.reload()
    page.until(lambda: names(page) == order, "the same rows after a reload")
    assert parameters(page) == before
    assert page.find("field", "Search requests").get_attribute("value") == "item/19"
    assert not page.has("column", "Min (ms)")
    assert not page.has("column", "Average (ms)")
    assert page.has("column", "Max (ms)")

    page.fill("Search requests", "no such name")
    page.wait_for_text(f"0 of {NAMES:,}")
    page.fill("Search requests", "")
    page.wait_for_text(f"{NAMES:,} names")


def test_the_last_of_them_is_reached_by_scrolling(page: Page, site: Site) -> None:
    page.open(site.url)
    page.wait_for_text(f"{NAMES:,} names")
    page.script(
        "for (const box of document.querySelectorAll('main, main *'))"
        " if (box.scrollHeight > box.clientHeight && getComputedStyle(box).overflowY !== 'visible')"
        " box.scrollTop = box.scrollHeight;"
    )
    page.until(lambda: f"/item/{NAMES - 1}" in names(page), "the last name")
    page.row(name="Aggregated")


def test_the_failures_are_found_by_their_words(page: Page, site: Site) -> None:
    page.open(f"{site.url}?tab=failures")
    page.wait_for_text("/item/1900", "lost")
    page.fill("Search failures", "0300")
    page.until(lambda: names(page) == ["/item/0300"], "the one that was looked for")
