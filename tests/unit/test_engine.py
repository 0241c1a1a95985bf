"""Parking and waking greenlets: sleeps, kills, time-outs, threads, forks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent.monkey import get_original

from locust_c import _core, hub


@pytest.fixture
def engine() -> Iterator[_core.Engine]:
    engine = hub.get_engine()
    before = engine.counts()["operations"]
    yield engine
    assert engine.counts()["operations"] == before, "every operation ended"


def test_sleepers_wake_in_order_of_their_time(engine: _core.Engine) -> None:
    woken: list[float] = []

    def sleeper(seconds: float) -> None:
        hub.sleep(seconds)
        woken.append(seconds)

    gevent.joinall([gevent.spawn(sleeper, s) for s in (0.03, 0.01, 0.02, 0.0)], raise_error=True)
    assert woken == [0.0, 0.01, 0.02, 0.03]


def test_the_main_greenlet_can_sleep(engine: _core.Engine) -> None:
    hub.sleep(0.001)


def test_a_killed_sleeper_leaves_nothing_behind(engine: _core.Engine) -> None:
    sleeper = gevent.spawn(hub.sleep, 3600)
    gevent.sleep(0)
    assert engine.counts()["operations"] == 1
    sleeper.kill()
    assert isinstance(sleeper.value, gevent.GreenletExit)


def test_a_timeout_ends_a_sleep(engine: _core.Engine) -> None:
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.01):
        hub.sleep(3600)


def test_a_woken_greenlet_may_kill_one_that_was_due_with_it(engine: _core.Engine) -> None:
    woken: list[str] = []
    greenlets: dict[str, Any] = {}

    def sleeper(name: str, victim: str | None) -> None:
        hub.sleep(0.005)
        woken.append(name)
        if victim is not None:
            greenlets[victim].kill(block=False)

    greenlets["a"] = gevent.spawn(sleeper, "a", "b")
    greenlets["b"] = gevent.spawn(sleeper, "b", None)
    greenlets["c"] = gevent.spawn(sleeper, "c", None)
    gevent.joinall(list(greenlets.values()))
    assert {"a", "c"} <= set(woken)


def test_a_woken_greenlet_that_raises_harms_no_other(
    engine: _core.Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    woken: list[int] = []

    def sleeper(number: int) -> None:
        hub.sleep(0.005)
        woken.append(number)
        if number % 2:
            raise ValueError(number)

    sleepers = [gevent.spawn(sleeper, number) for number in range(20)]
    gevent.joinall(sleepers)
    assert woken == list(range(20))
    assert sum(not sleeper.successful() for sleeper in sleepers) == 10
    assert "ValueError: 19" in capfd.readouterr().err


def test_a_switch_by_somebody_else_does_not_end_a_sleep(engine: _core.Engine) -> None:
    woken: list[bool] = []

    def sleeper() -> None:
        hub.sleep(0.02)
        woken.append(True)

    greenlet = gevent.spawn(sleeper)
    gevent.sleep(0)
    gevent.get_hub().loop.run_callback(greenlet.switch)
    gevent.sleep(0)
    assert not woken
    greenlet.join()
    assert woken == [True]


def test_woken_greenlets_may_sleep_again_and_spawn(engine: _core.Engine) -> None:
    done: list[int] = []

    def chain(depth: int) -> None:
        for _ in range(50):
            hub.sleep(0)
        if depth:
            gevent.spawn(chain, depth - 1).join()
        done.append(depth)

    gevent.joinall([gevent.spawn(chain, 3) for _ in range(30)], raise_error=True)
    assert len(done) == 120


def test_other_greenlets_get_their_turn_while_users_never_wait(engine: _core.Engine) -> None:
    stop: list[bool] = []

    def busy() -> None:
        while not stop:
            engine.yield_if_needed()

    users = [gevent.spawn(busy) for _ in range(64)]
    with gevent.Timeout(10):
        for _ in range(20):
            gevent.sleep(0.001)
    stop.append(True)
    gevent.joinall(users, raise_error=True)


def test_the_hub_itself_cannot_wait(engine: _core.Engine) -> None:
    errors: list[BaseException] = []

    def in_hub() -> None:
        try:
            hub.sleep(1)
        except RuntimeError as error:
            errors.append(error)

    gevent.get_hub().loop.run_callback(in_hub)
    gevent.sleep(0.001)
    assert "the hub cannot wait" in str(errors[0])


def test_another_thread_is_refused(engine: _core.Engine) -> None:
    errors: list[BaseException] = []

    def in_thread() -> None:
        try:
            engine.sleep(0)
        except RuntimeError as error:
            errors.append(error)

    gevent.get_hub().threadpool.apply(in_thread)
    assert "belongs to the thread that made it" in str(errors[0])


def test_a_forked_child_cannot_use_the_engine_of_its_parent(engine: _core.Engine) -> None:
    # gevent's own fork now and then misses the end of a child that is quick.
    child = get_original("os", "fork")()
    if child == 0:
        try:
            engine.sleep(0)
        except RuntimeError as error:
            os._exit(0 if "parent process" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(get_original("os", "waitpid")(child, 0)[1]) == 0
    hub.sleep(0.001)


def test_an_idle_engine_does_not_keep_the_hub_alive(engine: _core.Engine) -> None:
    # In a process of its own, whose hub has nothing else to wait for.
    program = "import gevent, locust_c.hub as hub; gevent.spawn(hub.sleep, 0.01); print(gevent.wait())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


@pytest.mark.parametrize("seconds", ["1", None])
def test_seconds_must_be_a_number(engine: _core.Engine, seconds: Any) -> None:
    with pytest.raises(TypeError):
        hub.sleep(seconds)


def test_seconds_must_not_be_nan(engine: _core.Engine) -> None:
    with pytest.raises(ValueError, match="nan"):
        hub.sleep(float("nan"))


def test_a_negative_time_is_no_time(engine: _core.Engine) -> None:
    hub.sleep(-1)


def test_a_closed_engine_says_so() -> None:
    engine = _core.Engine(gevent.get_hub(), lambda seconds, active: None)
    engine.close()
    engine.close()
    with pytest.raises(RuntimeError, match="closed"):
        engine.sleep(0)
    engine.step()
