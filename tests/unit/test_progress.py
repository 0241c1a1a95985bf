"""How far a test is, and what ends it by itself."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest
from run_fixtures import FAST, quit_within_patience, running, wait_until

from locust_c import User, constant, task
from locust_c.env import Environment
from locust_c.runners import LocalRunner


class Idle(User):
    """Makes no requests."""

    wait_time = constant(1000)

    @task
    def rest(self) -> None:
        """Do nothing."""


@pytest.fixture
def runner() -> Iterator[LocalRunner]:
    subject = Environment(user_classes=[Idle]).create_local_runner()
    yield subject
    quit_within_patience(subject)


def test_before_a_test_nothing_is_known(runner: LocalRunner) -> None:
    assert (runner.elapsed_s, runner.run_time_s, runner.time_left_s) == (None, None, None)
    assert runner.spawn_rate == 0


def test_the_time_goes_on_until_the_test_ends() -> None:
    with running(Idle) as runner:
        first = runner.elapsed_s
        assert first is not None
        wait_until(lambda: (runner.elapsed_s or 0) > first)
        assert runner.spawn_rate == FAST
        runner.stop()
        elapsed = runner.elapsed_s
        gevent.sleep(0.002)
        assert runner.elapsed_s == elapsed
        runner.start(1, FAST)
        assert (runner.elapsed_s or 0) < 10


def test_a_changed_load_goes_on_with_the_time() -> None:
    with running(Idle) as runner:
        wait_until(lambda: (runner.elapsed_s or 0) > 0.01)
        runner.start(2, 50)
        assert (runner.elapsed_s or 0) > 0.01
        assert runner.spawn_rate == 50


def test_a_limit_is_told_while_a_test_goes_on(runner: LocalRunner) -> None:
    runner.end_after(100, runner.stop)
    assert (runner.run_time_s, runner.time_left_s) == (100, None)
    runner.start(1, FAST)
    assert runner.time_left_s is not None
    assert 80 < runner.time_left_s <= 100
    runner.stop()
    assert runner.time_left_s is None


def test_a_limit_ends_the_test_once(runner: LocalRunner) -> None:
    ends: list[str] = []
    runner.end_after(0.01, lambda: ends.append("first"))
    runner.end_after(0.02, lambda: ends.append("second"))
    runner.start(1, FAST)
    wait_until(lambda: ends)
    assert (ends, runner.run_time_s, runner.time_left_s) == (["second"], None, None)


def test_a_limit_can_be_cancelled(runner: LocalRunner) -> None:
    runner.end_after(100, runner.stop)
    runner.cancel_end()
    assert runner.run_time_s is None
    runner.cancel_end()


def test_what_ends_the_test_may_cancel_and_set_limits(runner: LocalRunner) -> None:
    ended = gevent.event.Event()

    def end() -> None:
        runner.cancel_end()
        runner.stop()
        ended.set()

    runner.end_after(0.001, end)
    runner.start(1, FAST)
    assert ended.wait(5)
    assert runner.state == "stopped"


def test_a_limit_that_is_cancelled_when_it_is_due_ends_nothing(runner: LocalRunner) -> None:
    ended: list[str] = []
    # The loop may wake who is due before it delivers a kill.
    runner._timer = None
    runner._spawn(runner._end_when_due, 0, lambda: ended.append("cancelled")).join()
    assert ended == []
    runner.end_after(0, lambda: ended.append("due"))
    wait_until(lambda: ended == ["due"])
