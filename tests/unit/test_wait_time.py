"""Wait times: how long, measured from what."""

from __future__ import annotations

import importlib
from time import perf_counter
from typing import Any

import pytest

import locust_c
from locust_c.user import wait_time
from locust_c.user.wait_time import between, constant, constant_pacing, constant_throughput, poisson


class Clock:
    """Stands in for a user; `now` is what perf_counter says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self._cp_last_run = 100.0
        self._cp_last_wait_time = 0.0
        monkeypatch.setattr(wait_time, "perf_counter", lambda: self.now)


def test_between_stays_within_its_bounds_and_uses_them() -> None:
    waits = [between(3, 9)(None) for _ in range(2000)]
    assert 3 <= min(waits) < 3.5
    assert 8.5 < max(waits) <= 9


def test_constant_is_constant() -> None:
    assert constant(13)(None) == 13


def test_pacing_leaves_out_the_time_the_task_took(monkeypatch: pytest.MonkeyPatch) -> None:
    user, pacing = Clock(monkeypatch), constant_pacing(1)
    user.now += 0.3
    assert pacing(user) == pytest.approx(0.7)
    user.now += 0.7 + 0.4
    assert pacing(user) == pytest.approx(0.6)


def test_pacing_does_not_make_up_for_a_task_that_took_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    user, pacing = Clock(monkeypatch), constant_pacing(1)
    user.now += 5
    assert pacing(user) == 0
    user.now += 0.25
    assert pacing(user) == pytest.approx(0.75)


def test_pacing_makes_up_for_a_wait_that_was_longer_than_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    user, pacing = Clock(monkeypatch), constant_pacing(1)
    assert pacing(user) == 1
    user.now += 1.1
    assert pacing(user) == pytest.approx(0.9)


def test_throughput_is_pacing_by_the_reciprocal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert constant_throughput(4)(Clock(monkeypatch)) == 0.25


def test_poisson_waits_the_reciprocal_of_its_rate_on_average() -> None:
    wait = poisson(10)
    waits = [wait(None) for _ in range(20000)]
    assert sum(waits) / len(waits) == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("function", [constant_throughput, poisson])
@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_that_is_not_above_0_is_refused(function: Any, rate: float) -> None:
    with pytest.raises(ValueError, match=f"{function.__name__}: the rate must be greater than 0"):
        function(rate)


def test_both_names_are_one_module() -> None:
    assert importlib.import_module("locust_c.wait_time") is wait_time
    assert locust_c.wait_time is wait_time


def test_pacing_is_measured_from_the_creation_of_the_user() -> None:
    class Paced(locust_c.User):
        wait_time = constant_pacing(50)

    before = perf_counter()
    user = Paced(None)  # type: ignore[arg-type]
    assert 49 < user.wait_time() <= 50
    assert user._cp_last_run >= before


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (between, (None, 1), "between: a time in seconds must be a number, not None"),
        (between, (1, "2"), "between: a time in seconds must be a number, not '2'"),
        (constant, ("1",), "constant: a time in seconds must be a number, not '1'"),
        (constant_pacing, (constant,), "constant_pacing: a time in seconds must be a number, not <function"),
        (constant_throughput, ("1",), "constant_throughput: the rate must be a number, not '1'"),
        (poisson, (None,), "poisson: the rate must be a number, not None"),
    ],
)
def test_what_is_no_number_is_refused(function: Any, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        function(*arguments)
