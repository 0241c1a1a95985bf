"""Load shapes: their ticks drive the test."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Any

import gevent
import pytest
from run_fixtures import record_events, wait_until

from locust_c import LoadTestShape, User, constant, log, shape, task
from locust_c.env import Environment
from locust_c.exception import StopTest
from locust_c.shape import course


class Stages(LoadTestShape):
    """Ticks what it is told to."""

    def __init__(self, ticks: list[Any]) -> None:
        super().__init__()
        self.ticks = ticks

    def tick(self) -> Any:
        return self.ticks.pop(0)


class Idle(User):
    wait_time = constant(1000)

    @task
    def nothing(self) -> None: ...


class Other(Idle): ...


@pytest.fixture
def fast_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shape, "TICK_INTERVAL_S", 0.005)


def test_subclasses_are_not_abstract() -> None:
    assert LoadTestShape.abstract
    assert not Stages.abstract


def test_the_run_time_begins_anew_with_reset_time() -> None:
    stages = Stages([])
    first = stages.get_run_time()
    assert stages.get_run_time() > first
    stages.reset_time()
    assert stages.get_run_time() < 1
    assert stages.get_current_user_count() == 0


def test_the_course_names_only_changes_and_ends_with_none(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(gevent, "sleep", pauses.append)
    assert list(course(Stages([(1, 1), (1, 1), (2, 1), None]))) == [(1, 1), (2, 1)]
    assert pauses == [1.0, 1.0, 1.0]


@pytest.mark.usefixtures("fast_ticks")
def test_a_shape_drives_the_test_to_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    counts: list[dict[str, int]] = []
    ticks: list[Any] = [(2, 100), (3, 100, [Other]), (3, 100, [Other]), None]

    class Waiting(Stages):
        def tick(self) -> Any:
            assert self.runner is not None
            if counts and self.runner.state != "running":
                return self.runner.shape_last_tick  # the next one only when this one is there
            if self.runner.state == "running":
                counts.append(self.runner.user_classes_count)
            return super().tick()

    environment = Environment(user_classes=[Idle, Other], shape_class=Waiting(ticks))
    fired = record_events(environment, "test_start", "test_stopping", "test_stop")
    runner = environment.create_local_runner()
    runner.start_shape()
    greenlet = runner.shape_greenlet
    runner.start_shape()
    assert runner.shape_greenlet is greenlet
    wait_until(lambda: runner.state == "stopped" and greenlet.dead)
    assert counts[0] == {"Idle": 1, "Other": 1}
    assert counts[-1] == {"Idle": 1, "Other": 2}
    assert fired == ["test_start", "test_stopping", "test_stop"]
    assert (runner.shape_greenlet, runner.shape_last_tick, runner.user_count) == (None, None, 0)
    for line in (
        "Shape test starting.",
        "There is an ongoing shape test running. Editing is disabled",
        "Shape test updating to 2 users at 100.00 spawn rate",
        "Shape test updating to 3 users at 100.00 spawn rate",
        "Shape test stopping",
    ):
        assert line in caplog.messages


@pytest.mark.usefixtures("fast_ticks")
def test_stopping_the_test_ends_the_shape() -> None:
    environment = Environment(user_classes=[Idle], shape_class=Stages([(1, 100)] * 100000))
    runner = environment.create_local_runner()
    runner.start_shape()
    wait_until(lambda: runner.state == "running")
    greenlet = runner.shape_greenlet
    runner.stop()
    assert greenlet.dead
    assert runner.shape_greenlet is None
    runner.quit()


@pytest.mark.usefixtures("fast_ticks")
def test_a_tick_that_fails_is_logged_with_its_traceback(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from locust_c import log

    monkeypatch.setattr(log, "unhandled_greenlet_exception", False)
    environment = Environment(user_classes=[Idle], shape_class=Stages([]))
    runner = environment.create_local_runner()
    runner.start_shape()
    wait_until(lambda: runner.shape_greenlet.dead)
    assert "Unhandled exception in greenlet" in caplog.text
    assert "IndexError" in caplog.text
    assert log.unhandled_greenlet_exception
    runner.quit()


def test_without_a_shape_there_is_nothing_to_start() -> None:
    runner = Environment(user_classes=[Idle]).create_local_runner()
    with pytest.raises(ValueError, match="needs an environment with a shape_class"):
        runner.start_shape()
    runner.quit()


@pytest.mark.parametrize(
    ("tick", "message"),
    [
        (5, r"Stages\.tick\(\) must return \(users, spawn_rate\), .* or None, not 5"),
        ("ab", r"Stages\.tick\(\) must return .* not 'ab'"),
        ((1,), r"Stages\.tick\(\) must return .* not \(1,\)"),
        ((1, 1, None, 1), r"Stages\.tick\(\) must return"),
        ((-1, 1), r"the number of users must be 0 or more, not -1"),
        (("1", 1), r"the number of users must be 0 or more, not '1'"),
        ((float("nan"), 1), r"the number of users must be 0 or more, not nan"),
        ((1, 0), r"the spawn rate must be a number above 0, not 0"),
        ((1, None), r"the spawn rate must be a number above 0, not None"),
        ((1, 1, "Idle"), r"the user classes must be a list of classes, not 'Idle'"),
        ((1, 1, ["Idle"]), r"the user classes must be a list of classes, not \['Idle'\]"),
    ],
)
def test_a_tick_that_cannot_be_is_one_line_and_ends_the_test(
    tick: Any,
    message: str,
    fast_ticks: None,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log, "unhandled_greenlet_exception", False)
    runner = Environment(user_classes=[Idle], shape_class=Stages([(1, 100), tick])).create_local_runner()
    runner.start_shape()
    wait_until(lambda: runner.state == "stopped")
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert re.search(message, record.getMessage())
    assert "\n" not in record.getMessage()
    assert log.unhandled_greenlet_exception
    runner.quit()


@pytest.mark.parametrize("has_page", [False, True])
def test_a_shape_that_raises_ends_the_test_and_may_be_started_again(
    has_page: bool, fast_ticks: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "unhandled_greenlet_exception", False)
    stages = Stages([(1, 100)])  # then pop() raises
    environment = Environment(user_classes=[Idle], shape_class=stages)
    environment.web_ui = object() if has_page else None  # type: ignore[assignment]
    runner = environment.create_local_runner()
    runner.start_shape()
    wait_until(lambda: runner.state == "stopped")
    assert "IndexError: pop from empty list" in caplog.text
    assert log.unhandled_greenlet_exception
    stages.ticks = [(2, 100), None]
    runner.start_shape()
    wait_until(lambda: not stages.ticks and runner.state == "stopped")
    assert runner.final_user_classes_count == {"Idle": 2}
    runner.quit()


def test_a_shape_may_raise_stop_test(fast_ticks: None, caplog: pytest.LogCaptureFixture) -> None:
    class Ended(Stages):
        def tick(self) -> Any:
            raise StopTest("enough")

    runner = Environment(user_classes=[Idle], shape_class=Ended([])).create_local_runner()
    runner.start_shape()
    wait_until(lambda: runner.state == "stopped")
    assert "enough" in caplog.messages
    assert "Traceback" not in caplog.text
    runner.quit()


def test_users_that_are_no_whole_number_lose_their_fraction(fast_ticks: None) -> None:
    runner = Environment(
        user_classes=[Idle], shape_class=Stages([(2.7, 100)] * 90 + [None])
    ).create_local_runner()
    runner.start_shape()
    wait_until(lambda: runner.state == "running")
    assert runner.user_count == 2
    runner.quit()


def test_a_shape_needs_a_tick_and_may_be_an_abc() -> None:
    class Base(LoadTestShape, ABC):
        abstract = True

        @abstractmethod
        def stage(self) -> Any: ...

    with pytest.raises(TypeError, match="abstract method"):
        type(LoadTestShape)("Shapeless", (LoadTestShape,), {})()
    with pytest.raises(TypeError, match="stage"):
        type(LoadTestShape)("Stageless", (Base,), {"tick": lambda self: None})()


def test_classes_that_the_test_has_not_are_refused() -> None:
    runner = Environment(user_classes=[Idle]).create_local_runner()
    with pytest.raises(KeyError, match="The test has no user class named 'Other'"):
        runner.start(1, 1, user_classes=[Other])
    with pytest.raises(KeyError, match="'Other'"):
        runner.stop_users({"Other": 1})
    with pytest.raises(KeyError, match="'Other'"):
        runner.spawn_users({"Other": 1})
    runner.quit()


@pytest.mark.parametrize("method", ["stop", "quit"])
def test_a_tick_may_end_the_test(method: str, fast_ticks: None) -> None:
    class Ending(Stages):
        def tick(self) -> Any:
            assert self.runner is not None
            if self.runner.user_count == 2:
                getattr(self.runner, method)()
            return super().tick()

    runner = Environment(user_classes=[Idle], shape_class=Ending([(2, 100), (3, 100)])).create_local_runner()
    runner.start_shape()
    worker = runner.shape_greenlet
    wait_until(lambda: worker.dead)
    assert (runner.state, runner.user_count) == ("stopped", 0)
    runner.quit()
