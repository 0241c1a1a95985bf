"""What tasks, `on_start` and `on_stop` may raise: anything; it is counted, and logged once."""

from __future__ import annotations

import gc
import logging
import weakref
from typing import Any

import gevent
import pytest
from run_fixtures import FAST, PATIENCE_S, quit_within_patience, run_user, running, wait_until

from locust_c import TaskSet, User, constant, task, user_exceptions
from locust_c.env import Environment
from locust_c.exception import StopTest, StopUser
from locust_c.runners import LocalRunner
from locust_c.user_exceptions import UserExceptions


class Own(BaseException):
    """Not an Exception."""


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("cannot say it")


class Raising(User):
    """Raises what it is told to in one place, a few times; then it idles."""

    abstract = True
    what: BaseException
    where = "task"
    times = 3
    hooks: list[str]

    def wait_time(self) -> float:
        return 0 if self.times and self.where == "task" else 1000

    def raise_in(self, where: str) -> None:
        self.hooks.append(where)
        if where == self.where and self.times:
            type(self).times -= 1
            raise self.what

    def on_start(self) -> None:
        self.raise_in("on_start")

    @task
    def raising_task(self) -> None:
        self.raise_in("task")

    def on_stop(self) -> None:
        self.raise_in("on_stop")


def raising(what: BaseException, where: str = "task", times: int = 3) -> type[Raising]:
    body: dict[str, Any] = {"what": what, "where": where, "times": times, "hooks": []}
    return type(User)("Bad", (Raising,), body)


def counts(runner: LocalRunner) -> dict[str, int]:
    return {entry["msg"]: entry["count"] for entry in runner.exceptions.values()}


# A traceback grows with each raise of the same instance: a class is raised here, which makes a new one.
@pytest.mark.parametrize(
    "what", [ValueError, RecursionError, MemoryError, GeneratorExit, Own, gevent.Timeout]
)
def test_whatever_a_task_raises_is_counted_and_logged_once(
    what: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with running(raising(what)) as runner:
        wait_until(lambda: sum(counts(runner).values()) == 3)
        assert list(counts(runner).values()) == [3]
        assert runner.user_count == 1
        records = [record for record in caplog.records if record.name == "locust.user.task"]
        assert len(records) == 1
        assert what.__name__ in records[0].getMessage()
        runner.stop()
        assert runner.user_count == 0
    assert f"Raised 3 times by users: {what.__name__}" in caplog.text


def test_a_kind_is_where_it_is_raised_and_is_logged_again_in_the_next_test(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Numbered(User):
        wait_time = constant(0)
        runs = 0

        @task
        def fail(self) -> None:
            type(self).runs += 1
            if self.runs in (5, 7):
                raise StopUser
            if self.runs == 2:
                raise ValueError("elsewhere")
            raise ValueError(f"number {self.runs}")

    def logged() -> list[str]:
        return [
            record.getMessage().split("\n")[0] for record in caplog.records if record.levelname == "ERROR"
        ]

    with running(Numbered) as runner:
        wait_until(lambda: runner.user_count == 0)
        assert counts(runner) == {"number 1": 3, "elsewhere": 1}
        assert logged() == ["number 1", "elsewhere"]
        runner.stop()
        runner.start(1, FAST)
        wait_until(lambda: Numbered.runs == 7)
        assert logged() == ["number 1", "elsewhere", "number 6"]


def test_an_exception_that_a_listener_ends_the_test_for_is_counted_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    environment = Environment(user_classes=[raising(ValueError)])
    environment.events.user_error.add_listener(lambda **_: quitter.quit())
    quitter = environment.create_local_runner()
    quitter.start(1, FAST)
    wait_until(lambda: quitter.state == "stopped" and quitter.user_count == 0)
    assert list(counts(quitter).values()) == [1]
    assert [record.name for record in caplog.records if record.levelname == "ERROR"] == ["locust.user.task"]


def test_each_type_is_a_kind_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    types = [ValueError, MemoryError, Own, ValueError, RecursionError, Own, KeyboardInterrupt]

    class Various(User):
        wait_time = constant(0)
        left = types.copy()

        @task
        def fail(self) -> None:
            raise self.left.pop(0)

    runner = Environment(user_classes=[Various]).create_local_runner()
    with pytest.raises(KeyboardInterrupt), gevent.Timeout(PATIENCE_S):
        runner.start(1, FAST)
        runner.user_greenlets.join()
        wait_until(lambda: False)
    quit_within_patience(runner)
    assert [entry["count"] for entry in runner.exceptions.values()] == [2, 1, 2, 1, 1]
    assert [record.levelname for record in caplog.records].count("ERROR") == 5


def test_types_that_are_made_anew_each_time_are_one_kind_and_are_not_kept() -> None:
    made: list[weakref.ref[type]] = []

    class Making(User):
        wait_time = constant(0)

        @task
        def fail(self) -> None:
            if len(made) == 3:
                raise StopUser
            made_here = type("MadeHere", (Exception,), {})
            made.append(weakref.ref(made_here))
            raise made_here("bad")

    with running(Making) as runner:
        wait_until(lambda: runner.user_count == 0)
        assert counts(runner) == {"bad": 3}
        gc.collect()
        assert [reference() for reference in made] == [None] * 3


def test_an_exception_that_cannot_say_what_it_is(caplog: pytest.LogCaptureFixture) -> None:
    with running(raising(Mute(), times=1)) as runner:
        wait_until(lambda: runner.exceptions)
        assert counts(runner) == {"Mute (its __str__ raised ValueError)": 1}
    assert "Mute (its __str__ raised ValueError)\nTraceback" in caplog.text


@pytest.mark.parametrize("where", ["on_start", "on_stop"])
@pytest.mark.parametrize("what", [ValueError("bad"), Own("bad"), Mute()])
def test_hooks_that_raise_are_counted_and_logged(
    what: BaseException, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad = raising(what, where, times=1)
    with running(bad) as runner:
        wait_until(lambda: bad.hooks[-1] in ("task", where))
        runner.stop()
        assert bad.hooks == (["on_start"] if where == "on_start" else ["on_start", "task", "on_stop"])
        assert len(runner.exceptions) == 1
        assert "Traceback" in caplog.text


def test_on_stop_of_a_task_set_is_counted_and_the_next_is_run(caplog: pytest.LogCaptureFixture) -> None:
    class Outer(User):
        wait_time = constant(1000)
        stopped = 0

        @task
        class Inner(TaskSet):
            @task
            def nothing(self) -> None: ...

            def on_stop(self) -> None:
                raise Own("bad")

        def on_stop(self) -> None:
            type(self).stopped += 1

    with running(Outer) as runner:
        wait_until(lambda: all(greenlet.user._state == "waiting" for greenlet in runner.user_greenlets))
        runner.stop()
        assert (Outer.stopped, counts(runner)) == (1, {"bad": 1})
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert (record.name, record.getMessage().split("\n")[0]) == ("root", "Uncaught exception in on_stop: ")


@pytest.mark.parametrize(
    ("where", "before"), [("task", []), ("on_start", []), ("on_stop", ["on_start", "task"])]
)
def test_sys_exit_reaches_the_main_greenlet_and_is_said(
    where: str, before: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    bad = raising(SystemExit(3), where, times=1)
    runner = Environment(user_classes=[bad]).create_local_runner()
    with pytest.raises(SystemExit) as caught, gevent.Timeout(PATIENCE_S):
        runner.start(1, FAST)
        wait_until(lambda: bad.hooks and bad.hooks[-1] in ("task", where))
        runner.stop()
    assert caught.value.code == 3
    assert counts(runner) == {"3": 1}
    assert "sys.exit(3) called (use log level DEBUG for callstack)" in caplog.messages
    quit_within_patience(runner)


def test_a_nested_task_set_passes_on_what_was_counted_once() -> None:
    class Outer(User):
        wait_time = constant(1000)

        @task
        class Middle(TaskSet):
            @task
            class Inner(TaskSet):
                @task
                def fail(self) -> None:
                    raise ValueError("bad")

    seen: list[BaseException] = []
    environment = Environment(user_classes=[Outer], catch_exceptions=False)
    environment.events.user_error.add_listener(lambda exception, **_: seen.append(exception))
    with pytest.raises(ValueError, match="bad"):
        run_user(Outer(environment))
    assert len(seen) == 1


def test_a_timeout_around_a_user_is_for_whoever_set_it() -> None:
    class Busy(User):
        @task
        def sleep(self) -> None:
            gevent.sleep(PATIENCE_S)

    with pytest.raises(gevent.Timeout), gevent.Timeout(0.01):
        Busy(Environment()).run()


def test_stop_test_and_stop_user_in_on_stop(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    bad = raising(StopTest("no more"), "on_stop", times=1)
    with running(bad, count=2) as runner:
        wait_until(lambda: bad.hooks.count("task") == 2)
        runner.stop_users({"Bad": 1})
        wait_until(lambda: runner.state == "stopped")
        assert runner.exceptions == {}
    assert "no more" in caplog.messages
    bad = raising(StopUser(), "on_stop", times=1)
    with running(bad) as runner:
        runner.stop()
        assert runner.exceptions == {}


def test_of_very_many_kinds_of_exceptions_the_rest_shares_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_exceptions, "MAX_KINDS", 2)
    exceptions = UserExceptions()
    kinds = [type(f"Kind{number}", (Exception,), {}) for number in range(6)]
    for kind in [*kinds, *kinds]:
        exceptions._on_user_error(None, kind("bad"), None)  # type: ignore[arg-type]
    rows = [(row["msg"], row["count"]) for row in exceptions.exceptions.values()]
    assert rows == [("bad", 2), ("bad", 2), ("(other exceptions)", 8)]
    assert len(exceptions._keys) <= 4
    assert not exceptions.is_first_of_its_kind(kinds[5]("bad"))


def test_long_messages_and_tracebacks_of_exceptions_are_cut() -> None:
    exceptions = UserExceptions()
    exceptions.log_exception("w", "m" * 15_000, "first" + "." * 50_000 + "last")
    (row,) = exceptions.exceptions.values()
    assert row["msg"] == "m" * 10_000 + "… (5,000 more characters)"
    assert (row["traceback"][:5], row["traceback"][-4:], len(row["traceback"])) == ("first", "last", 20_003)
