"""Environments, runs and fake clients for the tests of users and runners."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent

from locust_c.env import Environment
from locust_c.runners import LocalRunner
from locust_c.user.task import TaskSet
from locust_c.user.users import User

PATIENCE_S = 10.0
FAST = 100
"""A spawn rate at which up to 100 users are spawned in one step."""


def wait_until(condition: Callable[[], object]) -> None:
    """Lets other greenlets run until `condition` holds."""
    with gevent.Timeout(PATIENCE_S):
        while not condition():
            gevent.sleep(0.001)


@contextmanager
def running(*user_classes: type[User], count: int = 1, **arguments: Any) -> Iterator[LocalRunner]:
    """A runner with `count` users, all of them spawned; it has quit when the block ends."""
    runner = Environment(user_classes=user_classes, **arguments).create_local_runner()
    try:
        runner.start(count, FAST)
        wait_until(lambda: runner.state == "running")
        yield runner
    finally:
        quit_within_patience(runner)


def quit_within_patience(runner: LocalRunner) -> None:
    with gevent.Timeout(PATIENCE_S):
        runner.quit()


def run_user(user: User) -> None:
    """Runs a user to its end, in a greenlet, as a runner would."""
    greenlet = gevent.spawn(user.run)
    with gevent.Timeout(PATIENCE_S):
        greenlet.get()


def record_events(environment: Environment, *names: str) -> list[str]:
    """The names of the events that are fired, as they are."""
    fired: list[str] = []
    for name in names:
        hook = getattr(environment.events, name)
        hook.add_listener(lambda name=name, **_: fired.append(name))
    return fired


def names(tasks: Iterable[Any]) -> list[str]:
    return [task.__name__ for task in tasks]


def plain(user: Any) -> None:
    """A task that is a function."""


def holder_of(task_set: type[TaskSet]) -> User:
    """A user whose only task is `task_set`."""
    return type(User)("Holder", (User,), {"tasks": [task_set]})(Environment())
