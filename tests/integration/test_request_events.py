"""The requests of the engine reach the statistics first, then listeners of every version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.server import Nginx
from locust_c import FastHttpUser, HttpUser, User
from locust_c.env import Environment
from locust_c.event import Events
from locust_c.exception import StopUser


class Plain(HttpUser):
    """On the API of requests."""


class Fast(FastHttpUser):
    """On the API of geventhttpclient."""


@pytest.fixture(params=[Plain, Fast])
def user(request: pytest.FixtureRequest, nginx: Nginx) -> Iterator[User]:
    kind = type(request.param.__name__, (request.param,), {"host": nginx.url})
    environment = Environment(user_classes=[kind], events=Events())
    runner = environment.create_local_runner()
    yield kind(environment)
    runner.quit()


def test_listeners_of_every_version_hear_of_a_request(user: Any) -> None:
    seen: list[tuple[Any, ...]] = []
    total = user.environment.stats.total

    def of_0_5(method: Any, path: Any, response_time: Any, response: Any, **kw: Any) -> None:
        seen.append((method, path, response.status_code, total.num_requests))

    def of_0_7(request_type: Any, name: Any, response_time: Any, response_length: Any) -> None:
        seen.append((request_type, name, response_length, total.num_requests))

    def of_today(request_type: Any, name: Any, context: Any, exception: Any, url: Any, **kw: Any) -> None:
        seen.append(
            (request_type, name, context, exception, url, kw["response_time"] > 0, total.num_requests)
        )

    events = user.environment.events
    events.request += of_today
    events.request_success += of_0_5
    events.request_success += of_0_7
    response = user.client.get("/", context={"who": "me"})
    length = len(response.content)
    assert seen == [
        ("GET", "/", {"who": "me"}, None, f"{user.host}/", True, 1),
        ("GET", "/", 200, 1),
        ("GET", "/", length, 1),
    ]


def test_a_failed_request_reaches_the_old_failure_event_only(user: Any) -> None:
    seen: list[tuple[Any, ...]] = []
    events = user.environment.events
    events.request_success += lambda *args: seen.append(args)
    events.request_failure += lambda method, path, ms, exception, response: seen.append(
        (method, path, type(exception), response.status_code)
    )
    user.client.get("/there-is-no-such-page")
    ((method, path, kind, status),) = seen
    assert (method, path, status) == ("GET", "/there-is-no-such-page", 404)
    assert issubclass(kind, Exception)
    assert user.environment.stats.total.num_failures == 1


def test_a_control_exception_of_a_listener_reaches_the_task_after_the_sample_was_recorded(user: Any) -> None:
    def stopping(**kwargs: Any) -> None:
        raise StopUser

    user.environment.events.request += stopping
    with pytest.raises(StopUser):
        user.client.get("/")
    assert user.environment.stats.total.num_requests == 1


def test_a_fire_of_ones_own_gets_every_request(user: Any) -> None:
    seen: list[dict[str, Any]] = []
    user.environment.events.request.fire = lambda **kwargs: seen.append(kwargs)
    user.client.get("/")
    assert [kwargs["name"] for kwargs in seen] == ["/"]
    assert user.environment.stats.total.num_requests == 0
