"""What the keys of the terminal do to the test of the command."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

import gevent
import pytest
from gevent.event import Event
from run_fixtures import PATIENCE_S, quit_within_patience, wait_until

from locust_c import User, constant, task
from locust_c.command.local_run import LocalRun
from locust_c.command.signals import Interrupts
from locust_c.env import Environment


class Lasting(User):
    """Ends when it is allowed to."""

    wait_time = constant(1000)
    may_end: Event

    @task
    def count(self) -> None:
        self.environment.stats.log_request("GET", "/", 1, 1)

    def on_stop(self) -> None:
        self.may_end.wait()


@pytest.fixture
def run() -> Iterator[LocalRun]:
    Lasting.may_end = Event()
    environment = Environment(user_classes=[Lasting])
    runner = environment.create_local_runner()
    yield LocalRun(environment, Namespace(headless=True), Interrupts())
    Lasting.may_end.set()
    quit_within_patience(runner)


def test_a_key_changes_the_number_of_users(run: LocalRun) -> None:
    run.runner.start(1, 100)
    wait_until(lambda: run.runner.user_count == 1)
    run._change_users(1)
    wait_until(lambda: run.runner.user_count == 2)


def test_a_key_begins_no_test_behind_the_one_that_ends(run: LocalRun) -> None:
    run.runner.start(1, 100)
    wait_until(lambda: run.runner.stats.total.num_requests)
    ending = gevent.spawn(run.runner.quit)
    wait_until(lambda: run.runner.state == "cleanup")
    run._change_users(1)
    gevent.sleep(0)
    Lasting.may_end.set()
    ending.get(timeout=PATIENCE_S)
    run._change_users(1)
    gevent.sleep(0.01)
    assert (run.runner.state, run.runner.user_count, run.runner.stats.total.num_requests) == ("stopped", 0, 1)
