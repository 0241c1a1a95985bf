"""The test of the command: what keys do to it, and how it ends."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from gevent.event import Event
from run_fixtures import PATIENCE_S, quit_within_patience, record_events, wait_until

from locust_c import User, constant, task
from locust_c.command.local_run import LocalRun
from locust_c.command.outputs import Outputs
from locust_c.command.signals import Interrupts
from locust_c.env import Environment
from locust_c.stats import StatsCSVFileWriter


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
    options = Namespace(headless=True, csv_prefix=None, json=False, json_file=None, html_file=None)
    options.exit_code_on_error = 1
    yield LocalRun(environment, options, Interrupts())
    Lasting.may_end.set()
    quit_within_patience(runner)


@pytest.mark.parametrize("given", [None, "one of its own"])
def test_the_page_has_the_writer_of_the_command_unless_it_was_given_one(
    run: LocalRun, tmp_path: Path, given: str | None
) -> None:
    page: Any = SimpleNamespace(stats_csv_writer=given)
    run.environment.web_ui = page
    run.options.csv_prefix, run.options.stats_history_enabled = f"{tmp_path}/p", False
    outputs = Outputs(run.environment, run.options)
    outputs.start()
    outputs.finish()
    run.environment.web_ui = None
    assert isinstance(page.stats_csv_writer, StatsCSVFileWriter) == (given is None)


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


@pytest.mark.parametrize(("raised", "code"), [(SystemExit(7), 7), (KeyboardInterrupt(), 1)])
def test_what_on_stop_raises_for_the_process_does_not_cut_the_end_short(
    run: LocalRun, monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int
) -> None:
    def leave(user: Lasting) -> None:
        raise raised

    monkeypatch.setattr(Lasting, "on_stop", leave)
    fired = record_events(run.environment, "quitting", "test_stopping", "test_stop", "quit")
    run.runner.start(3, 100)
    wait_until(lambda: run.runner.user_count == 3)
    with gevent.Timeout(PATIENCE_S):
        assert run.end() == code
    assert fired == ["quitting", "test_stopping", "test_stop", "quit"]
    assert (run.runner.state, run.runner.user_count) == ("stopped", 0)
