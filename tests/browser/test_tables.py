"""Tables of thousands of names: order, search, columns, what an update leaves alone, whole rows, copies."""

from __future__ import annotations

from collections.abc import Callable

import axe
import busy
import pytest
from chromium import DESKTOP, PHONE
from page import Page
from selenium.webdriver.common.keys import Keys
from site_process import Site

from benchmarks.server import Nginx

NAMES = 2000
KINDS = 600

LOCUSTFILE = f"""
from locust import User, constant, task

class Many(User):
    wait_time = constant(0.1)

    def fire(self, number, **more):
        self.environment.events.request.fire(
            request_type="GET", name=f"/items/{{number}}", response_time=number, response_length=10,
            **{{"exception": None, "context": {{}}, **more}},
        )

    def on_start(self):
        for number in range({NAMES}):
            self.fire(number)
        for number in range({KINDS}):
            self.fire(7, exception=ValueError(f"kind {{number:03}} " + "{busy.IMAGE}" * 200))

    @task
    def again(self):
        for number in range(0, {NAMES}, 5):
            self.fire(number)
"""

BOX = "document.querySelector('.table-box')"


@pytest.fixture(scope="module")
def site(start_site: Callable[..., Site]) -> Site:
    site = start_site(LOCUSTFILE)
    site.start(users=1)
    return site


def open_table(page: Page, site: Site, query: str = "") -> None:
    page.open(site.url + query)
    page.until(lambda: page.script("return document.querySelectorAll('[data-row]').length > 0"), "rows")


def names(page: Page) -> list[str]:
    """The names in the page, without the total."""
    found: list[str] = page.script(
        "return [...document.querySelectorAll('.rows th .cell')].map((cell) => cell.textContent)"
    )
    return found


def requests_of(page: Page, name: str) -> str:
    return next(row["# Requests"] for row in page.rows() if row.get("Name") == name)


def test_only_rows_near_the_visible_ones_are_in_the_page(page: Page, site: Site) -> None:
    open_table(page, site)
    assert len(names(page)) < 150
    assert page.script("return document.querySelector('main table').ariaRowCount") == str(NAMES + 2)
    page.script(f"{BOX}.focus()")
    page.press(Keys.END)
    page.until(lambda: names(page)[-1] == f"/items/{NAMES - 1}", "the last name")
    last = page.script(
        "const row = [...document.querySelectorAll('[data-row]')].at(-1);"
        "const total = document.querySelector('.total').getBoundingClientRect();"
        "return [row.ariaRowIndex, row.getBoundingClientRect().bottom <= total.top + 1,"
        f" total.bottom <= {BOX}.getBoundingClientRect().bottom]"
    )
    assert last == [str(NAMES + 1), True, True]
    page.press(Keys.HOME)
    page.until(lambda: names(page)[0] == "/items/0", "the first name")


def test_order_search_and_columns_are_in_the_address(page: Page, site: Site) -> None:
    open_table(page, site)
    page.click("button", "Max (ms)")
    page.until(lambda: names(page)[0] == f"/items/{NAMES - 1}", "the slowest first")
    page.click("button", "Max (ms)")
    page.until(lambda: names(page)[0] == "/items/0", "the fastest first")
    page.find("field", "Search requests").send_keys("ITEMS/199")
    page.wait_for_text(f"11 of {NAMES:,}")
    page.click("button", "Columns")
    page.click("field", "Median (ms)")
    page.click("field", "Failure share")
    page.press(Keys.ESCAPE)
    page.reload()
    page.wait_for_text(f"11 of {NAMES:,}")
    assert page.address.partition("?")[2] == (
        "stats.sort=max_response_time&stats.q=ITEMS%2F199&stats.columns=-median_response_time%2Cfail_ratio"
    )
    assert names(page)[:2] == ["/items/199", "/items/1990"]
    titles = {title for row in page.rows() for title in row}
    assert "Failure share" in titles and "Median (ms)" not in titles
    assert page.rows()[-1]["Name"] == "Aggregated"
    page.fill("Search requests", "nowhere <b>")
    page.wait_for_text("Nothing here matches “nowhere <b>”.")


def test_an_update_leaves_position_and_focus_alone(page: Page, site: Site) -> None:
    open_table(page, site)
    page.script(f"{BOX}.scrollTop = 10000")
    page.until(lambda: "/items/310" in names(page), "the rows there")
    focused = "return document.activeElement.closest('[data-row]')?.dataset.row"
    page.script("document.querySelector('[data-row$=\"/items/320\"] button').focus({preventScroll: true})")
    before = requests_of(page, "/items/315")
    page.until(lambda: requests_of(page, "/items/315") != before, "another figure")
    assert page.script(f"return {BOX}.scrollTop") == 10000
    assert page.script(focused) == "GET /items/320"
    # A row that leaves the page leaves the focus to the box, where the keyboard goes on scrolling.
    page.script(f"{BOX}.scrollTop = 0")
    page.until(lambda: page.script(f"return document.activeElement === {BOX}"), "focus on the box")


def test_selected_text_is_held(page: Page, site: Site) -> None:
    open_table(page, site)
    total = requests_of(page, "Aggregated")
    page.script(
        "const rows = document.querySelectorAll('[data-row]');"
        "getSelection().setBaseAndExtent(rows[1].cells[1], 0, rows[5].cells[3], 1)"
    )
    selected = "return getSelection().toString()"
    text = page.script(selected)
    assert "/items/3" in text
    page.wait_for_text("held while text is selected")
    page.until(
        lambda: page.figure("Requests/s") and int(site.figures["stats"][-1]["num_requests"]), "figures"
    )
    page.script("window.asked = performance.getEntriesByType('resource').length")
    page.until(
        lambda: page.script("return performance.getEntriesByType('resource').length > asked + 3"), "answers"
    )
    assert page.script(selected) == text
    page.script("getSelection().removeAllRanges()")
    page.until(lambda: requests_of(page, "Aggregated") != total, "newer figures")


def test_a_whole_row_by_mouse_and_by_keyboard(page: Page, site: Site) -> None:
    open_table(page, site, "?tab=failures")
    page.wait_for_text(f"500 of {KINDS} kinds shown", "kind 000", "Share")
    cells = page.script("return [...document.querySelectorAll('[data-row] .long .cell')].slice(0, 2)")
    cells[1].click()
    is_open = "return document.querySelector('dialog').open"
    page.until(lambda: page.script(is_open), "the row")
    assert page.script("return document.querySelectorAll('dialog pre')[1].textContent.length") > 2000
    assert axe.findings(page) == []
    page.chromium.picture("failure")
    page.press(Keys.ESCAPE)
    gone = "return document.querySelector('dialog') === null"
    page.until(lambda: page.script(gone), "no dialog")
    page.script("document.querySelectorAll('[data-row] button')[1].focus()")
    page.press(Keys.ENTER)
    page.until(lambda: page.script(is_open), "the row")
    page.click("button", "Close")
    page.until(lambda: page.script(gone), "no dialog")
    assert page.script("return document.activeElement === document.querySelectorAll('[data-row] button')[1]")
    assert page.script("return [document.querySelectorAll('main img').length, window.ran ?? null]") == [
        0,
        None,
    ]


def test_rows_are_copied_as_they_are_shown(page: Page, site: Site) -> None:
    open_table(page, site, "?stats.q=items/199&stats.sort=-max_response_time")
    page.wait_for_text(f"11 of {NAMES:,}")
    page.chromium.cdp("Browser.grantPermissions", permissions=["clipboardReadWrite"])
    page.click("button", "Copy")
    page.click("button", "As TSV")
    page.wait_for_text("Copied")
    text: str = page.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    lines = [line.split("\t") for line in text.splitlines()]
    assert lines[0][:3] == ["Type", "Name", "# Requests"]
    assert [line[1] for line in lines[1:3]] == ["/items/1999", "/items/1998"]
    assert lines[-1][1] == "Aggregated"
    assert len(lines) == 13


def test_phases(page: Page, start_site: Callable[..., Site], nginx: Nginx) -> None:
    site = start_site(busy.LOCUSTFILE, "-H", nginx.url)
    site.start()
    open_table(page, site)
    page.click("button", "Phases")
    page.wait_for_text("Where the time goes", "Look-up", "Generator lag")
    row = page.row(type="GET", name="/")
    assert float(row["Wait (ms)"]) > 0
    assert row["TLS (ms)"] == "\N{EN DASH}"
    page.click("button", "99%")
    page.click("button", "What is this?")
    page.wait_for_text("The TLS handshake.")
    assert axe.findings(page) == []
    page.chromium.picture("phases")
    page.reload()
    page.wait_for_text("Where the time goes")
    assert page.address.partition("?")[2] == "view=phases&phases.at=p99"
    assert page.script("return document.querySelector('[data-phase=wait]').getBoundingClientRect().width") > 0


def test_a_phone_scrolls_the_table_beside_its_names(page: Page, site: Site) -> None:
    page.chromium.size(*PHONE)
    open_table(page, site)
    page.settled()
    page.script(f"{BOX}.scrollLeft = 400")
    page.settled()
    page.chromium.picture("phone-table")
    left, right = page.script(
        f"const box = {BOX}.getBoundingClientRect();"
        "const name = document.querySelector('.rows th').getBoundingClientRect();"
        "return [name.left - box.left, name.right - box.left]"
    )
    assert 0 <= left < 5
    assert 120 < right < 200
    assert not page.scrolls_sideways()
    page.chromium.size(*DESKTOP)
