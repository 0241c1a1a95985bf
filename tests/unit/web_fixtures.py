"""An environment with a web page, for the tests of the page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

import locust_c.web
from locust_c import User, constant, task
from locust_c.env import Environment
from locust_c.event import Events
from locust_c.web.application import make_app


class Visitor(User):
    """A user that makes no requests."""

    wait_time = constant(0.01)

    @task
    def look(self) -> None:
        """Do nothing."""


def make_environment(**arguments: Any) -> Environment:
    """An environment with one user class, a runner and events of its own."""
    environment = Environment(**{"user_classes": [Visitor], "events": Events(), **arguments})
    environment.create_local_runner()
    return environment


@contextmanager
def page(monkeypatch: pytest.MonkeyPatch | None = None, **arguments: Any) -> Iterator[Any]:
    """The page of a new environment, on a free port, not started.

    With ``monkeypatch`` it is the first page of a process.
    """
    if monkeypatch is not None:
        monkeypatch.setattr(locust_c.web, "app", make_app())
    environment = arguments.pop("environment", None) or make_environment()
    web_ui = environment.create_web_ui(host="127.0.0.1", port=0, delayed_start=True, **arguments)
    try:
        yield web_ui
    finally:
        web_ui.stop()
        if environment.runner is not None:
            environment.runner.quit()


def options(**values: Any) -> Any:
    """Parsed options, as far as the page reads them."""
    known = {"num_users": None, "spawn_rate": None, "run_time": None, "host": None, "stop_timeout": 0}
    return SimpleNamespace(**{**known, **values})


def template_args(html: str) -> Any:
    """What the page is given, as the tools of others find it."""
    found = re.search(r"window\.templateArgs = (.*);$", html, re.MULTILINE)
    assert found is not None, html
    return json.loads(found[1])


def until(condition: Callable[[], object]) -> None:
    """Wait until ``condition`` holds; fail after 5 s."""
    with gevent.Timeout(5):
        while not condition():
            gevent.sleep(0.002)
