"""Between the task's call of its client and the response no Python code runs."""

from __future__ import annotations

import sys
from collections import Counter
from types import FrameType
from typing import Any

import pytest
from servers.control import Echo

from locust_c import FastHttpUser, HttpUser
from locust_c.env import Environment

REQUESTS = 50


def calls_during(function: Any) -> Counter[str]:
    """The Python functions that run in this thread meanwhile, in the hub too."""
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            calls[frame.f_code.co_qualname] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("kind", [HttpUser, FastHttpUser])
def test_a_request_runs_no_python(echo: Echo, kind: type[Any]) -> None:
    class Visitor(kind):  # type: ignore[misc]
        host = echo.url

    environment = Environment(user_classes=[Visitor])
    environment.create_local_runner()
    client = Visitor(environment).client

    def visit() -> None:
        for _ in range(REQUESTS):
            client.get("/anything", name="page")

    visit()
    calls = calls_during(visit)
    client.close()
    assert environment.stats.get("page", "GET").num_requests == 2 * REQUESTS
    assert sum(calls.values()) - calls["visit"] < REQUESTS, calls
