"""What the request event is fired with is counted in the statistics of the environment, whoever made them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from run_fixtures import quit_within_patience

from locust_c.env import Environment
from locust_c.stats import RequestStats


@pytest.fixture
def environment() -> Iterator[Environment]:
    environment = Environment()
    yield environment
    if environment.runner is not None:
        quit_within_patience(environment.runner)


def fire(environment: Environment, exception: Exception | None = None) -> None:
    environment.events.request.fire(
        request_type="GET", name="/", response_time=5.5, response_length=3, exception=exception, context={}
    )


class Watching(RequestStats):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Any, ...]] = []

    def log_request(self, *args: Any) -> None:
        self.seen.append(args)
        super().log_request(*args)

    def log_error(self, *args: Any) -> None:
        self.seen.append(args)
        super().log_error(*args)


def test_methods_of_a_subclass_are_called(environment: Environment) -> None:
    environment.stats = stats = Watching()
    environment.create_local_runner()
    lost = ValueError("lost")
    fire(environment, lost)
    assert stats.seen == [("GET", "/", 5.5, 3), ("GET", "/", lost)]
    assert (stats.num_requests, stats.num_failures, len(stats.errors)) == (1, 1, 1)


def test_a_method_that_is_replaced_later_is_called_from_the_next_start_on(environment: Environment) -> None:
    runner = environment.create_local_runner()
    seen: list[Any] = []
    original = environment.stats.log_request
    environment.stats.log_request = lambda *args: (seen.append(args), original(*args))  # type: ignore
    runner.record_requests()
    fire(environment)
    assert seen == [("GET", "/", 5.5, 3)]
    del environment.stats.log_request
    runner.record_requests()
    fire(environment)
    assert (len(seen), environment.stats.num_requests) == (1, 2)


def test_other_statistics_are_counted_in_at_once(environment: Environment) -> None:
    runner = environment.create_local_runner()
    first, second = environment.stats, RequestStats()
    fire(environment)
    environment.stats = second
    fire(environment)
    fire(environment)
    assert runner.stats is second
    assert (first.num_requests, second.num_requests) == (1, 2)
    runner.stop_recording()
    environment.stats = first
    fire(environment)
    assert (first.num_requests, second.num_requests) == (1, 2)
