"""A limit of task iterations: exactly so many tasks, whatever the users are made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gevent
import pytest
from gevent.event import Event
from run_fixtures import FAST, quit_within_patience, wait_until

from locust_c import SequentialTaskSet, TaskSet, User, constant, task
from locust_c.env import Environment
from locust_c.iterations import IterationLimit
from locust_c.runners import LocalRunner

log: list[str] = []


@pytest.fixture(autouse=True)
def empty_log() -> None:
    log.clear()


class Logged(User):
    """Writes down its beginning and its end."""

    abstract = True

    def on_start(self) -> None:
        log.append("start")

    def on_stop(self) -> None:
        log.append("stop")


class Plain(Logged):
    """One task that takes its time."""

    wait_time = constant(0)

    @task
    def look(self) -> None:
        log.append("task")
        gevent.sleep(0.001)


class Rare(Plain):
    """Waits for an hour between two tasks."""

    wait_time = constant(3600)


class Nested(Logged):
    """Has task sets as tasks, and a task that runs one itself."""

    @task
    class Pages(TaskSet):
        @task
        def look(self) -> None:
            log.append("task")
            self.interrupt()

    @task
    class Steps(SequentialTaskSet):
        @task
        def first(self) -> None:
            log.append("task")

        @task
        def last(self) -> None:
            log.append("task")
            self.interrupt(reschedule=False)

    @task
    def by_itself(self) -> None:
        log.append("task")
        Nested.Pages(self).run()


class Raising(Logged):
    """Its tasks fail."""

    @task
    def fail(self) -> None:
        log.append("task")
        raise KeyError("lost")


@contextmanager
def limited(user_class: type[User], users: int, count: int) -> Iterator[tuple[LocalRunner, IterationLimit]]:
    environment = Environment(user_classes=[user_class])
    limit = environment.iteration_limit = IterationLimit(count)
    runner = environment.create_local_runner()
    try:
        runner.start(users, FAST)
        yield runner, limit
    finally:
        quit_within_patience(runner)


@pytest.mark.parametrize("user_class", [Plain, Nested, Raising])
@pytest.mark.parametrize(("users", "count"), [(1, 1), (1, 20), (7, 25), (10, 3)])
def test_exactly_so_many_tasks_are_run(user_class: type[User], users: int, count: int) -> None:
    with limited(user_class, users, count) as (runner, limit):
        wait_until(limit.ended.is_set)
        wait_until(lambda: not runner.user_count)
    assert log.count("task") == count
    assert log.count("start") == log.count("stop") == users


def test_users_that_wait_between_tasks_are_stopped_at_once() -> None:
    with limited(Rare, 3, 3) as (runner, limit):
        wait_until(limit.ended.is_set)
        assert runner.user_count == 3
    assert (log.count("task"), log.count("stop")) == (3, 3)


def test_the_end_is_not_told_before_the_last_task_has_ended() -> None:
    release = Event()

    class Slow(Logged):
        @task
        def wait_for_release(self) -> None:
            log.append("task")
            release.wait()

    with limited(Slow, 3, 2) as (_, limit):
        wait_until(lambda: log.count("task") == 2 and log.count("start") == 3)
        gevent.sleep(0.01)
        assert (limit.ended.is_set(), log.count("task"), log.count("stop")) == (False, 2, 0)
        release.set()
        wait_until(limit.ended.is_set)
    assert (log.count("task"), log.count("stop")) == (2, 3)


def test_users_that_would_begin_one_more_can_be_stopped() -> None:
    class Slow(Plain):
        @task
        def stay(self) -> None:
            gevent.sleep(3600)

        tasks = [stay]  # noqa: RUF012

    with limited(Slow, 2, 1) as (runner, limit):
        wait_until(lambda: limit.left == 0 and log.count("start") == 2)
        with gevent.Timeout(10):
            runner.stop()
        assert limit.ended.is_set()
    assert log.count("stop") == 2
