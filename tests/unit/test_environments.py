"""Several tests in one process, and tests inside a program that has gevent for other things as well."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import gevent
import pytest
from run_fixtures import FAST, PATIENCE_S, quit_within_patience, wait_until

from locust_c import User, constant, log, task
from locust_c.dispatch import UsersDispatcher
from locust_c.env import Environment
from locust_c.exception import StopUser
from locust_c.runners import LocalRunner

ROOT = Path(__file__).parents[2]


class Counting(User):
    wait_time = constant(0.001)

    @task
    def count(self) -> None:
        self.environment.events.request.fire(
            request_type="X",
            name=self.environment.host,
            response_time=1.0,
            response_length=2,
            exception=None,
            context={},
        )


def has_samples(runner: LocalRunner) -> bool:
    return runner.stats.total.num_requests > 3


def test_environments_run_side_by_side_each_with_its_own_statistics_and_events() -> None:
    runners = [
        Environment(user_classes=[Counting], host=f"http://{name}").create_local_runner() for name in "abc"
    ]
    stopped: list[str] = []
    for index, runner in enumerate(runners):
        host = str(runner.environment.host)
        runner.environment.events.test_stop.add_listener(lambda host=host, **_: stopped.append(host))
        runner.start(index + 1, FAST)
    wait_until(lambda: all(has_samples(runner) for runner in runners))
    assert [runner.user_count for runner in runners] == [1, 2, 3]
    for runner in runners:
        assert [name for name, _ in runner.stats.entries] == [runner.environment.host]
    quit_within_patience(runners[1])
    assert stopped == ["http://b"]
    before = [runner.stats.total.num_requests for runner in runners]
    wait_until(lambda: runners[0].stats.total.num_requests > before[0] + 3)
    assert runners[1].stats.total.num_requests == before[1]
    for runner in runners:
        quit_within_patience(runner)
        quit_within_patience(runner)
    assert [runner.state for runner in runners] == ["stopped"] * 3


def test_a_user_gets_the_host_of_its_own_environment() -> None:
    class Remembering(Counting):
        def __init__(self, environment: Environment) -> None:
            super().__init__(environment)
            self.began_with = self.host

    environments = [Environment(user_classes=[Remembering], host=f"http://{name}") for name in "ab"]
    # More users than are made in one go: the two ramps take turns.
    made = [
        gevent.spawn(environment.create_local_runner().spawn_users, {"Remembering": 250})
        for environment in environments
    ]
    gevent.joinall(made, timeout=PATIENCE_S, raise_error=True)
    for environment, users in zip(environments, made, strict=True):
        assert {user.began_with for user in users.value} == {environment.host}
        assert isinstance(environment.runner, LocalRunner)
        quit_within_patience(environment.runner)


def test_a_runner_may_be_started_and_stopped_many_times_at_any_moment() -> None:
    runner = Environment(user_classes=[Counting]).create_local_runner()
    for round_ in range(12):
        runner.start(5, FAST)
        if round_ % 3 == 0:
            wait_until(lambda: runner.user_count == 5)
        with gevent.Timeout(PATIENCE_S):
            (runner.stop if round_ % 2 else runner.quit)()
        assert (runner.user_count, runner.state, len(runner.user_greenlets)) == (0, "stopped", 0)
    quit_within_patience(runner)


def test_many_may_start_and_stop_it_at_once() -> None:
    runner = Environment(user_classes=[Counting]).create_local_runner()
    starting = [gevent.spawn(runner.start, count, FAST) for count in (3, 7, 5)]
    gevent.joinall(starting, timeout=PATIENCE_S, raise_error=True)
    wait_until(lambda: runner.state == "running")
    assert runner.user_count == 5
    ending = [gevent.spawn(end) for end in (runner.stop, runner.quit, runner.stop, runner.quit)]
    gevent.joinall(ending, timeout=PATIENCE_S, raise_error=True)
    assert all(greenlet.dead for greenlet in ending)
    assert (runner.user_count, runner.state) == (0, "stopped")


class Unruly(Counting):
    """Raises, ends itself, and now and then the test."""

    dice = Random(5)

    def on_stop(self) -> None:
        gevent.sleep(self.dice.random() * 0.002)

    @task
    def misbehave(self) -> None:
        raise self.dice.choice([ValueError, StopUser, GeneratorExit])

    @task
    def end(self) -> None:
        if self.dice.random() < 0.02:
            self.dice.choice([self.environment.runner.stop, self.environment.runner.quit])()


@pytest.mark.parametrize("seed", range(3))
def test_starts_and_stops_at_random_keep_their_order(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "unhandled_greenlet_exception", False)
    dice = Random(seed)
    environment = Environment(user_classes=[Unruly, Counting], stop_timeout=dice.choice([0, 0.01]))
    runner = environment.create_local_runner()
    fired: list[str] = []

    def note(name: str) -> None:
        fired.append(name)
        gevent.sleep(dice.random() * 0.002)

    for name in ("test_start", "test_stop"):
        getattr(environment.events, name).add_listener(lambda name=name, **_: note(name))

    def act() -> None:
        for _ in range(15):
            action = dice.choice(["start", "start", "stop", "quit", "stop_users"])
            arguments = {"start": (dice.randint(0, 20), 50.5), "stop_users": ({"Unruly": 2},)}
            getattr(runner, action)(*arguments.get(action, ()))
            gevent.sleep(dice.random() * 0.01)

    with gevent.Timeout(PATIENCE_S):
        gevent.joinall([gevent.spawn(act) for _ in range(4)], raise_error=True)
        runner.quit()
    assert fired == ["test_start", "test_stop"] * (len(fired) // 2)
    assert (runner.state, runner.user_count, len(runner.greenlet)) == ("stopped", 0, 0)
    assert not log.unhandled_greenlet_exception


def test_a_test_may_run_in_a_thread_of_its_own() -> None:
    def run() -> tuple[int, str]:
        runner = Environment(user_classes=[Counting], host="x").create_local_runner()
        runner.start(2, FAST)
        wait_until(lambda: has_samples(runner))
        quit_within_patience(runner)
        return runner.user_count, runner.state

    assert gevent.get_hub().threadpool.apply(run) == (0, "stopped")


def test_the_dispatcher_may_be_another_one() -> None:
    class Backwards(UsersDispatcher):
        """The last class first."""

        def _next_class(self) -> str | None:
            return max((cls.__name__ for cls in self._user_classes), default=None)

    class Second(Counting): ...

    environment = Environment(user_classes=[Counting, Second], dispatcher_class=Backwards)
    runner = environment.create_local_runner()
    runner.start(3, FAST)
    wait_until(lambda: runner.state == "running")
    assert isinstance(runner._users_dispatcher, Backwards)
    assert runner.user_classes_count == {"Counting": 0, "Second": 3}
    quit_within_patience(runner)


EMBEDDED = """
import signal, sys
numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1)
before = [signal.getsignal(number) for number in numbers], sys.excepthook, sys.argv[:]
import gevent
from locust import User, constant, task
from locust.env import Environment
class Idle(User):
    wait_time = constant(1000)
    @task
    def nothing(self): ...
ticks = []
other = gevent.spawn(lambda: [(ticks.append(1), gevent.sleep(0.001)) for _ in range(5)])
runner = Environment(user_classes=[Idle]).create_local_runner()
runner.start(2, 100)
other.join()
runner.quit()
after = [signal.getsignal(number) for number in numbers], sys.excepthook, sys.argv[:]
print(before == after, len(ticks), runner.state)
"""


def test_a_program_keeps_its_signal_handlers() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EMBEDDED], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout.split(), done.stderr) == (["True", "5", "stopped"], "")


def test_ctrl_c_in_such_a_program_reaches_its_main_greenlet() -> None:
    class Interrupting(User):
        @task
        def press(self) -> None:
            signal.raise_signal(signal.SIGINT)

    runner: Any = Environment(user_classes=[Interrupting]).create_local_runner()
    # A shell has what it runs in the background ignore the signal, the tests included.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        runner.start(1, FAST)
        with pytest.raises(KeyboardInterrupt), gevent.Timeout(PATIENCE_S):
            runner.user_greenlets.join()
            wait_until(lambda: False)
        quit_within_patience(runner)
    finally:
        signal.signal(signal.SIGINT, before)
    assert [entry["count"] for entry in runner.exceptions.values()] == [1]
