"""One Chromium for all tests; each must leave its console without an error."""

# ruff: noqa: I001
from __future__ import annotations

import locust_c  # noqa: F401  (before Selenium: what gevent replaces must not have been imported)

from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from chromium import OUTPUT, Chromium
from page import Page
from site_process import Site


@pytest.fixture(scope="session")
def chromium(plain_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """The browser."""
    browser = Chromium(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.quit()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Keep a picture and the console of a test that failed."""
    report = yield
    page = getattr(item, "funcargs", {}).get("page")
    if report.when == "call" and report.failed and isinstance(page, Page):
        page.chromium.picture(f"failed-{item.name}")
        text = "\n".join([page.address, *page.chromium.console(), "", page.text])
        (OUTPUT / f"failed-{item.name}.txt").write_text(text)
    return report


@pytest.fixture
def page(chromium: Chromium) -> Iterator[Page]:
    """An empty window; what the browser complained about in it fails the test."""
    chromium.reset()
    page = Page(chromium)
    yield page
    errors = page.unexpected_errors()
    chromium.reset()
    assert not errors, "the browser's console:\n" + "\n".join(errors)


@pytest.fixture(scope="module")
def start_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    """A function that starts locust-c with a locustfile and options; all end with the module."""
    sites: list[Site] = []

    def start(locustfile: str, *options: str, **arguments: Any) -> Site:
        folder = tmp_path_factory.mktemp("site")
        site = Site(folder, locustfile, *options, **arguments)
        sites.append(site)
        return site

    yield start
    for site in sites:
        site.end()
