"""Extending a test: listeners of events, and a page of one's own in the web UI.

`locust -f examples/extending.py -H http://127.0.0.1:8000`, then open http://127.0.0.1:8089/slowest
"""

from typing import Any

from locust import HttpUser, constant, events, task, web

slowest: dict[str, float] = {}


def remember_slowest(name: str, response_time: float, exception: Exception | None, **kwargs: Any) -> None:
    """Listen to every request. A listener names the values that it wants; **kwargs takes the others."""
    if exception is None:
        slowest[name] = max(response_time, slowest.get(name, 0.0))


events.request += remember_slowest


@events.test_start.add_listener
def forget(**kwargs: Any) -> None:
    slowest.clear()


@web.app.route("/slowest")
def slowest_page() -> dict[str, float]:
    """Served beside the pages of the web UI; a dict becomes JSON, as in any Flask view."""
    return slowest


class Visitor(HttpUser):
    wait_time = constant(1)

    @task
    def front_page(self) -> None:
        self.client.get("/")
