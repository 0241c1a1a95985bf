"""Every tab: by mouse and by keyboard, in both themes, on a phone, with names and texts of all kinds."""

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

TABS = {
    "stats": "Statistics",
    "charts": "Charts",
    "failures": "Failures",
    "exceptions": "Exceptions",
    "ratios": "Current Ratio",
    "reports": "Download Data",
    "logViewer": "Logs",
}

#: What can be read on a tab as soon as it shows what it is for.
CONTENT = {
    "stats": ["/missing", "Aggregated"],
    "charts": ["Total Requests per Second", "Generator Lag", "Heat Map"],
    "failures": ["/missing", "404"],
    "exceptions": ["RuntimeError", "broken"],
    "ratios": ["Visitor", "front_page", "50"],
    "reports": ["CSV", "eport"],
    "logViewer": [busy.SCRIPT],
}


@pytest.fixture(scope="module")
def site(start_site: Callable[..., Site], nginx: Nginx) -> Site:
    site = start_site(busy.LOCUSTFILE, "-H", nginx.url)
    site.start(users=5)
    return site


def test_tabs_by_mouse(page: Page, site: Site) -> None:
    page.open(site.url)
    assert page.selected_tab == TABS["stats"]
    for key, title in TABS.items():
        page.open_tab(title)
        page.wait_for_text(*CONTENT[key])
        assert ("tab=" in page.address) == (key != "stats")
    page.driver.back()
    page.until(lambda: page.selected_tab.startswith(TABS["reports"]), "the tab before")
    page.reload()
    page.until(lambda: page.selected_tab.startswith(TABS["reports"]), "the same tab after a reload")


def test_tabs_by_keyboard(page: Page, site: Site) -> None:
    page.open(site.url)
    page.wait_for_status("running")
    for _ in range(20):
        if page.focused.startswith(TABS["stats"]):
            break
        page.press(Keys.TAB)
    titles = list(TABS.values())
    for title in [*titles[1:], titles[0]]:
        page.press(Keys.ARROW_RIGHT)
        assert page.focused.startswith(title)
        assert page.selected_tab.startswith(title)
    page.press(Keys.END)
    assert page.selected_tab.startswith(titles[-1])
    page.press(Keys.HOME)
    assert page.selected_tab.startswith(titles[0])
    # One more step leads out of the bar into what the tab shows.
    page.press(Keys.TAB)
    assert page.script("return document.activeElement.closest('[role=tablist]') === null")


def test_the_stop_button_by_keyboard(page: Page, start_site: Callable[..., Site]) -> None:
    site = start_site(busy.LOCUSTFILE, "-H", "http://127.0.0.1:1")
    page.open(site.url)
    page.wait_for_status("ready")
    page.find("field", "Number of users").send_keys(Keys.ENTER)
    page.until(lambda: page.has("button", "Stop"), "a running test")
    for _ in range(5):
        if page.focused == "Stop":
            break
        page.press(Keys.SHIFT + Keys.TAB)
    page.press(Keys.SPACE)
    page.wait_for_status("stopped")
    # Who uses the keyboard is not thrown back to the top of the page.
    assert page.script("return document.activeElement.tagName") == "BUTTON"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_tab_has_a_serious_accessibility_finding(page: Page, site: Site, theme: str) -> None:
    page.chromium.theme(theme)
    page.open(site.url)
    found = {}
    for key, title in TABS.items():
        page.open_tab(title)
        page.wait_for_text(*CONTENT[key])
        found[key] = axe.findings(page)
        page.chromium.picture(f"tab-{key}-{theme}")
    page.click("button", "Edit")
    page.wait_for_text("Change the running test")
    found["edit"] = axe.findings(page)
    page.chromium.picture(f"edit-{theme}")
    page.press(Keys.ESCAPE)
    page.open_tab(TABS["stats"])
    page.click("button", "Columns")
    found["columns"] = axe.findings(page)
    page.press(Keys.ESCAPE)
    page.until(lambda: page.focused == "Columns", "the focus back on the button")
    page.click("button", "The whole row of /missing")
    page.until(lambda: page.script("return document.querySelector('dialog[open]') !== null"), "the row")
    found["row"] = axe.findings(page)
    page.chromium.picture(f"row-{theme}")
    page.press(Keys.ESCAPE)
    page.until(lambda: page.script("return document.querySelector('dialog[open]') === null"), "no dialog")
    assert not any(found.values()), "\n".join(text for texts in found.values() for text in texts)


def test_the_start_form_has_no_serious_accessibility_finding(
    page: Page, start_site: Callable[..., Site]
) -> None:
    page.open(start_site(busy.LOCUSTFILE, "--class-picker").url)
    page.wait_for_status("ready")
    for theme in ("light", "dark"):
        page.chromium.theme(theme)
        assert axe.findings(page) == []
        page.chromium.picture(f"start-form-{theme}")
        page.click("button", "Configure Visitor")
        page.wait_for_text("Fixed count")
        assert axe.findings(page) == []
        page.press(Keys.ESCAPE)
        page.until(lambda: page.focused == "Configure", "the focus back on the button")


def test_no_tab_scrolls_sideways_on_a_phone(page: Page, site: Site) -> None:
    page.chromium.size(*PHONE)
    page.open(site.url)
    for key, title in TABS.items():
        page.open_tab(title)
        page.wait_for_text(*CONTENT[key])
        page.settled()
        page.chromium.picture(f"phone-{key}")
        assert not page.scrolls_sideways(), title
    page.click("button", "Edit")
    page.settled()
    page.chromium.picture("phone-edit")
    assert not page.scrolls_sideways()
    page.chromium.size(*DESKTOP)
    page.settled()
    assert not page.scrolls_sideways()


def test_names_and_texts_are_shown_and_never_run(page: Page, site: Site) -> None:
    page.open(site.url)
    for key, texts in {
        "stats": [busy.SCRIPT, busy.TEMPLATE, busy.HEBREW, busy.EMOJI],
        "failures": [busy.IMAGE],
        "exceptions": [busy.IMAGE],
        "logViewer": [busy.SCRIPT],
    }.items():
        page.open_tab(TABS[key])
        page.wait_for_text(*texts)
        assert page.script("return document.querySelectorAll('main img, main script, main b').length") == 0
    assert page.script("return window.ran ?? null") is None


def test_the_theme_follows_the_system_until_one_is_chosen(page: Page, site: Site) -> None:
    def ground() -> int:
        colours: str = page.script("return getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colours.strip("rgb()").split(","))

    page.chromium.theme("dark")
    page.open(site.url)
    page.wait_for_status("running")
    assert ground() < 200
    page.chromium.theme("light")
    page.until(lambda: ground() > 600, "a light page")
    page.click("button", "Theme: system. Change to light")
    page.click("button", "Theme: light. Change to dark")
    page.until(lambda: ground() < 200, "a dark page")
    page.reload()
    page.wait_for_status("running")
    assert ground() < 200
    page.click("button", "Theme: dark. Change to system")
    page.until(lambda: ground() > 600, "the system's theme again")
