"""The page when its server does not answer, is back, or is another one."""

from __future__ import annotations

import signal
from collections.abc import Callable

from command_process import QUIET
from page import Page
from site_process import Site

LOST = "Connection to Locust lost"


def test_a_server_that_is_silent_for_a_while(page: Page, start_site: Callable[..., Site]) -> None:
    site = start_site(QUIET)
    site.start(users=2)
    page.open(site.url)
    page.wait_for_status("running")
    page.script("window.same = true")
    site.pause()
    page.until(lambda: LOST in page.text, "words about the connection", seconds=60)
    page.chromium.picture("connection-lost")
    # What was known stays, and it is said from when that is.
    assert page.figure("Users") == "2"
    assert "are from " in page.text
    site.resume()
    page.until(lambda: LOST not in page.text, "the connection is back", seconds=60)
    assert page.script("return window.same") is True
    site.call("POST", "swarm", data={"user_count": "3", "spawn_rate": "100"})
    page.until(lambda: page.number("Users") == 3, "figures that move again")


def test_a_server_that_ends_and_another_one_in_its_place(page: Page, start_site: Callable[..., Site]) -> None:
    page.expected_errors += ["ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE"]
    first = start_site(QUIET)
    page.open(first.url)
    page.wait_for_status("ready")
    page.script("window.same = true")
    first.process.send(signal.SIGTERM)
    page.wait_for_text(LOST)
    assert first.process.wait() == 0
    second = start_site(QUIET, "-u", "7", port=first.port)
    assert second.url == first.url
    # The page of the old server would show its form: it loads itself again.
    page.until(lambda: page.script("return window.same ?? null") is None, "a page loaded anew")
    page.wait_for_status("ready")
    assert LOST not in page.text
    assert page.find("field", "Number of users").get_attribute("value") == "7"
