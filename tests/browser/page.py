"""The page as a person meets it: things are found by their role and name, and waited for."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

from chromium import Chromium
from selenium.common.exceptions import (
    NoSuchElementException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE_S = 20.0
POLL_S = 0.05

#: Visible elements of a role whose name is `name`, or begins with it: a tab may have a count behind.
_FIND = """
const [role, name] = arguments;
const selectors = {
  button: "button, summary", field: "input, select, textarea", heading: "h1, h2, h3", link: "a[href]",
  tab: "[role=tab]", column: "thead th",
};
const tidy = (text) => (text ?? "").replace(/\\s+/g, " ").trim();
function nameOf(node) {
  if (node.ariaLabel) return tidy(node.ariaLabel);
  const by = (node.getAttribute("aria-labelledby") ?? "").split(" ").filter(Boolean);
  if (by.length) return tidy(by.map((id) => document.getElementById(id)?.textContent).join(" "));
  const labels = [...(node.labels ?? [])];
  return tidy(labels.length ? labels.map((label) => label.textContent).join(" ") : node.textContent);
}
const found = [...document.querySelectorAll(selectors[role])].filter((node) => node.checkVisibility());
const exact = found.filter((node) => nameOf(node) === name);
if (exact.length) return exact;
const isWord = /^[\\p{L}\\p{N}]/u;
return found.filter((node) => nameOf(node).startsWith(name) && !isWord.test(nameOf(node).slice(name.length)));
"""

_FIGURE = """
const [title] = arguments;
for (const term of document.querySelectorAll("header dt")) {
  if (term.textContent.trim() === title) return term.nextElementSibling.textContent.trim();
}
return null;
"""

_ROWS = """
const table = [...document.querySelectorAll("main table")].find((node) => node.checkVisibility());
if (!table) return [];
const tidy = (text) => text.replace(/\\s+/g, " ").trim();
const titles = [...table.querySelectorAll("thead th")].map((cell) => tidy(cell.innerText));
return [...table.querySelectorAll("tbody tr, tfoot tr")].map((row) =>
  Object.fromEntries([...row.cells].map((cell, place) => [titles[place], cell.textContent.trim()])));
"""

Found = TypeVar("Found")


class Page:
    """The page in the browser's window, with the words that tests are written in."""

    def __init__(self, chromium: Chromium) -> None:
        self.chromium = chromium
        self.driver = chromium.driver
        #: Parts of console errors that the test itself causes, such as `ERR_CONNECTION_REFUSED`.
        self.expected_errors: list[str] = []

    def open(self, url: str) -> None:
        """Go to an address."""
        self.driver.get(url)

    def reload(self) -> None:
        """Load the page anew."""
        self.driver.refresh()

    @property
    def address(self) -> str:
        """What is in the address bar."""
        return self.driver.current_url

    def script(self, text: str, *arguments: object) -> Any:
        """Run a script in the page; the value that it returns."""
        return self.driver.execute_script(text, *arguments)

    def until(self, condition: Callable[[], Found], what: str, seconds: float = PATIENCE_S) -> Found:
        """Wait until ``condition`` returns something true, and return it; fail with ``what`` otherwise."""

        def ask(_: object) -> Found:
            try:
                return condition()
            except (IndexError, KeyError, NoSuchElementException, StaleElementReferenceException):
                return False  # type: ignore[return-value]

        try:
            return WebDriverWait(self.driver, seconds, POLL_S).until(ask)
        except TimeoutException:
            raise AssertionError(f"{what}: not within {seconds:.0f} s; the page says:\n{self.text}") from None

    def all(self, role: str, name: str) -> list[WebElement]:
        """The visible elements of a role with this name, now."""
        found: list[WebElement] = self.script(_FIND, role, name)
        return found

    def has(self, role: str, name: str) -> bool:
        """Whether there is one now."""
        return bool(self.all(role, name))

    def find(self, role: str, name: str) -> WebElement:
        """The first of them, waited for."""
        return self.until(lambda: self.all(role, name)[0], f"{role} {name!r}")

    def click(self, role: str, name: str) -> None:
        """Click on it as soon as it is there."""
        self.until(lambda: self._clicked(role, name), f"a click on the {role} {name!r}")

    def _clicked(self, role: str, name: str) -> bool:
        self.all(role, name)[0].click()
        return True

    def fill(self, field: str, value: str) -> None:
        """Type a value into the field with this label, in place of what is there."""
        node = self.find("field", field)
        node.send_keys(Keys.CONTROL, "a")
        node.send_keys(value or Keys.DELETE)

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        self.driver.switch_to.active_element.send_keys(*keys)

    @property
    def focused(self) -> str:
        """What the focused element says."""
        text: str = self.script("return document.activeElement.innerText")
        return text.strip()

    @property
    def text(self) -> str:
        """Everything that can be read on the page."""
        text: str = self.script("return document.body.innerText")
        return text

    def wait_for_text(self, *texts: str) -> None:
        """Wait until all of these can be read."""
        for text in texts:
            self.until(lambda text=text: text in self.text, f"the text {text!r}")

    def figure(self, title: str) -> str:
        """The figure of the header with this title; empty if there is none."""
        return self.script(_FIGURE, title) or ""

    def number(self, title: str) -> float:
        """The same as a number."""
        return float(re.sub(r"[^0-9.]", "", self.figure(title)) or "nan")

    def wait_for_status(self, *states: str) -> None:
        """Wait until the header says one of these states."""
        self.until(lambda: self.figure("Status").lower() in states, f"status {' or '.join(states)}")

    def rows(self) -> list[dict[str, str]]:
        """The rows of the first visible table, by the titles of its columns."""
        rows: list[dict[str, str]] = self.script(_ROWS)
        return rows

    def row(self, **cells: str) -> dict[str, str]:
        """The first row with these cells (titles in lower case, with underscores), waited for."""
        wanted = {title.replace("_", " "): value for title, value in cells.items()}

        def matching() -> dict[str, str] | None:
            for row in self.rows():
                lower = {title.lower(): value for title, value in row.items()}
                if all(lower.get(title) == value for title, value in wanted.items()):
                    return row
            return None

        found = self.until(matching, f"a row with {wanted}")
        assert found is not None
        return found

    def open_tab(self, title: str) -> None:
        """Click on a tab; it is the selected one afterwards."""
        self.click("tab", title)
        self.until(lambda: self.selected_tab.startswith(title), f"the tab {title!r} selected")

    @property
    def selected_tab(self) -> str:
        """The title of the selected tab."""
        title: str = self.script("return document.querySelector('[role=tab][aria-selected=true]').innerText")
        return " ".join(title.split())

    def scrolls_sideways(self) -> bool:
        """Whether the document is wider than the window."""
        wide: bool = self.script(
            "const root = document.scrollingElement; return root.scrollWidth > root.clientWidth"
        )
        return wide

    def settled(self) -> None:
        """Wait until everything drawn is on the screen and no transition runs."""
        self.driver.execute_async_script(
            "const done = arguments[0];"
            "Promise.all(document.getAnimations().map((a) => a.finished.catch(() => {})))"
            ".then(() => requestAnimationFrame(() => requestAnimationFrame(() => done())));"
        )

    def unexpected_errors(self) -> list[str]:
        """Errors of the console since the last call that the test did not expect."""
        return [
            error
            for error in self.chromium.console()
            if not any(part in error for part in self.expected_errors)
        ]


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> None:
    """Wait for something outside of the browser."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds:.0f} s"
        time.sleep(POLL_S)
