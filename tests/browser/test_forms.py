"""The form that starts a test: what a locustfile adds to it, what is refused, and what the test then gets."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from page import Page
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from site_process import Site

CLASSES = """
import json
from locust import LoadTestShape, User, constant, events, task

@events.init_command_line_parser.add_listener
def arguments(parser):
    parser.add_argument("--region", choices=["north", "south"], default="north", help="Where the shop is")
    parser.add_argument("--token", is_secret=True, default="t0p", help="What the shop asks for")
    parser.add_argument("--verbose-log", action="store_true", default=False)
    parser.add_argument("--pages", type=int, default=3)
    parser.add_argument("--hidden", include_in_web_ui=False, default="unseen")

@events.test_start.add_listener
def tell(environment, **kwargs):
    options = environment.parsed_options
    wanted = ("region", "token", "verbose_log", "pages", "hidden", "profile", "run_time")
    print("options", json.dumps({name: getattr(options, name) for name in wanted}))

class Reader(User):
    wait_time = constant(0.05)
    weight = 3

    @task
    def read(self):
        pass

    @task
    def browse(self):
        pass

class Buyer(User):
    wait_time = constant(0.05)

    @task
    def buy(self):
        pass

class Steps(LoadTestShape):
    def tick(self):
        return (2, 10) if self.get_run_time() < 60 else None
"""


@pytest.fixture(scope="module")
def site(start_site: Callable[..., Site]) -> Site:
    return start_site(CLASSES, "--class-picker", "-u", "4")


def told_options(site: Site) -> dict[str, object]:
    """What the last test was started with."""
    lines = [line for line in site.process.out.splitlines() if line.startswith("options ")]
    return json.loads(lines[-1].removeprefix("options ")) if lines else {}


def test_fields_that_are_wrong_are_said_beside_the_form(page: Page, site: Site) -> None:
    page.open(site.url)
    page.fill("Number of users", "-1")
    page.click("button", "Start")
    # The browser itself refuses to send it, and puts the cursor there.
    page.until(lambda: page.script("return document.activeElement.name") == "user_count", "the cursor there")
    page.fill("Number of users", "2")
    page.click("button", "Advanced options")
    page.fill("Run time", "soon")
    page.click("button", "Start")
    page.wait_for_text("20s, 3m, 2h")
    assert site.figures["state"] == "ready"
    page.fill("Run time", "")
    page.click("field", "All")
    assert not page.find("button", "Start").is_enabled()
    page.wait_for_text("Pick at least one user class.")
    page.click("field", "Buyer")
    page.until(lambda: page.find("button", "Start").is_enabled(), "a form that can be sent")


def test_a_class_is_configured_and_picked_and_arguments_arrive(page: Page, site: Site) -> None:
    page.open(site.url)
    assert page.find("field", "Number of users").get_attribute("value") == "4"
    page.click("button", "Configure Reader")
    page.wait_for_text("Fixed count")
    page.fill("Fixed count", "2")
    page.click("field", "browse")
    page.chromium.picture("class-picker-dialog")
    page.click("button", "Save")
    page.until(lambda: page.focused == "Configure", "the cursor back on the button")
    page.click("field", "Buyer")

    token = page.find("field", "token")
    assert token.get_attribute("type") == "password"
    assert not page.has("field", "hidden")
    assert "Where the shop is" in page.text
    Select(page.find("field", "region")).select_by_visible_text("south")
    page.fill("token", "0ther")
    page.click("field", "verbose_log")
    page.fill("pages", "7")
    page.click("button", "Advanced options")
    page.fill("Profile", "nightly")
    page.fill("Run time", "5m")
    page.chromium.picture("class-picker", whole=True)
    page.press(Keys.ENTER)

    page.wait_for_status("running", "spawning users")
    page.until(lambda: told_options(site), "the options in the test")
    assert told_options(site) == {
        "region": "south",
        "token": "0ther",
        "verbose_log": True,
        "pages": 7,
        "hidden": "unseen",
        "profile": "nightly",
        "run_time": 300,
    }
    page.until(lambda: site.figures["user_count"] == 2, "the fixed count of users")
    tasks = site.call("GET", "tasks").json()["per_class"]
    assert list(tasks) == ["Reader"]
    assert list(tasks["Reader"]["tasks"]) == ["read"]
    site.stop()


def test_a_load_shape_takes_the_place_of_the_numbers(page: Page, site: Site) -> None:
    page.open(site.url)
    if not page.has("button", "Start"):
        page.click("button", "New test")
    Select(page.find("field", "Load shape")).select_by_visible_text("Steps")
    page.until(lambda: not page.has("field", "Number of users"), "no field for the users")
    page.click("button", "Start")
    page.until(lambda: site.figures["user_count"] == 2, "the users of the shape")
    page.wait_for_text("Steps")
    site.stop()
