"""LocalRunner: how tests are stopped, by whom and when."""

# ruff: noqa: RUF012 - tasks are declared as in a locustfile
from __future__ import annotations

import types
from typing import Any

import gevent
import pytest
from gevent.event import Event
from run_fixtures import FAST, PATIENCE_S, quit_within_patience, record_events, running, wait_until

from locust_c import HttpUser, User, constant, task
from locust_c.env import Environment
from locust_c.exception import StopTest
from locust_c.runners import LocalRunner
from locust_c.stopping import USERS_BETWEEN_TURNS


class A(User):
    wait_time = constant(1000)
    stopped = 0

    @task
    def nothing(self) -> None: ...

    def on_stop(self) -> None:
        type(self).stopped += 1


@pytest.fixture(autouse=True)
def nothing_stopped_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(A, "stopped", 0)


def busy_class(go_on: Event) -> type[User]:
    """Users that are in their task until `go_on` is set."""

    class Busy(A):
        @task
        def wait_for_it(self) -> None:
            go_on.wait()

        tasks = []

    Busy.tasks = [Busy.wait_for_it]
    return Busy


def all_waiting(runner: LocalRunner) -> bool:
    return all(greenlet.user._state == "waiting" for greenlet in runner.user_greenlets)


class TestStop:
    def test_with_a_stop_timeout_tasks_are_finished(self) -> None:
        go_on = Event()
        busy = busy_class(go_on)
        with running(busy, count=2, stop_timeout=60) as runner:
            wait_until(lambda: all(g.user._state == "running" for g in runner.user_greenlets))
            stopping = gevent.spawn(runner.stop)
            wait_until(lambda: all(g.user._state == "stopping" for g in runner.user_greenlets))
            assert runner.state == "cleanup"
            go_on.set()
            stopping.get(timeout=PATIENCE_S)
            assert (runner.state, busy.stopped) == ("stopped", 2)  # type: ignore[attr-defined]

    def test_no_stop_timeout_is_a_stop_timeout_of_0(self) -> None:
        with running(busy_class(Event()), count=2) as runner:
            runner.environment.stop_timeout = None  # type: ignore[assignment]
            with gevent.Timeout(PATIENCE_S):
                runner.stop_users({"Busy": 1})
                runner.stop()
            assert runner.user_count == 0

    def test_a_start_meanwhile_waits_for_the_end_of_the_test_before(self) -> None:
        go_on = Event()
        with running(busy_class(go_on), count=2, stop_timeout=PATIENCE_S) as runner:
            events = record_events(runner.environment, "test_start", "test_stop")
            stopping = gevent.spawn(runner.stop)
            wait_until(lambda: runner.state == "cleanup")
            starting = gevent.spawn(runner.start, 3, FAST)
            gevent.sleep(0.01)
            assert events == []
            go_on.set()
            gevent.joinall([stopping, starting], timeout=PATIENCE_S, raise_error=True)
            wait_until(lambda: runner.state == "running")
            assert (events, runner.user_count) == (["test_stop", "test_start"], 3)

    def test_a_test_stop_listener_may_start_the_next_test(self) -> None:
        with running(A) as runner:
            again = [5]
            runner.environment.events.test_stop.add_listener(
                lambda **_: runner.start(again.pop(), FAST) if again else None
            )
            runner.stop()
            wait_until(lambda: runner.state == "running")
            assert runner.user_count == 5

    @pytest.mark.parametrize("event", ["test_stopping", "test_stop"])
    @pytest.mark.parametrize("method", ["stop", "quit"])
    def test_a_listener_of_the_end_may_ask_for_it(self, event: str, method: str) -> None:
        with running(A, count=2) as runner:
            events = record_events(runner.environment, "test_stopping", "test_stop")
            hook = getattr(runner.environment.events, event)
            hook.add_listener(lambda **_: getattr(runner, method)())
            with gevent.Timeout(PATIENCE_S):
                runner.stop()
            assert (events, runner.state, runner.user_count) == (["test_stopping", "test_stop"], "stopped", 0)

    def test_users_that_wait_are_not_given_the_stop_timeout(self) -> None:
        with running(A, count=2, stop_timeout=60) as runner:
            wait_until(lambda: all_waiting(runner))
            with gevent.Timeout(PATIENCE_S):
                runner.stop()
            assert A.stopped == 2

    @pytest.mark.parametrize("stop_timeout", [0, 60])
    def test_others_get_their_turn_while_many_users_end(self, stop_timeout: int) -> None:
        count = 3 * USERS_BETWEEN_TURNS
        ended: list[int] = []

        def watch() -> None:
            while runner.state != "stopped":
                ended.append(A.stopped)
                gevent.sleep(0)

        with running(A, count=count, stop_timeout=stop_timeout) as runner:
            wait_until(lambda: all_waiting(runner))
            watching = gevent.spawn(watch)
            with gevent.Timeout(PATIENCE_S):
                runner.stop()
                watching.get()
        assert any(0 < number < count for number in ended)

    def test_who_is_too_late_is_ended(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO")
        busy = busy_class(Event())
        with running(busy, count=2, stop_timeout=0.02) as runner:
            wait_until(lambda: all(g.user._state == "running" for g in runner.user_greenlets))
            runner.stop()
            assert busy.stopped == 2  # type: ignore[attr-defined]
        assert "2 users did not finish their tasks within 0.02 seconds: they are ended now" in caplog.messages

    @pytest.mark.parametrize("stop_timeout", [0, 60])
    @pytest.mark.parametrize("method", ["stop", "quit"])
    def test_tasks_may_stop_the_test(self, method: str, stop_timeout: float) -> None:
        class Quitting(A):
            @task
            def stop_it(self) -> None:
                gevent.sleep(0)  # all of them are in their tasks
                getattr(self.environment.runner, method)()
                gevent.sleep(1000)

        Quitting.tasks = [Quitting.stop_it]
        environment = Environment(user_classes=[Quitting], stop_timeout=stop_timeout)
        fired = record_events(environment, "test_stopping", "test_stop")
        runner = environment.create_local_runner()
        runner.start(4, FAST)
        wait_until(lambda: runner.state == "stopped" and not runner.user_count)
        assert fired == ["test_stopping", "test_stop"]
        assert Quitting.stopped == 4
        quit_within_patience(runner)

    def test_quit_waits_for_the_user_that_stopped_the_test(self) -> None:
        ended = Event()

        class Slow(A):
            @task
            def stop_it(self) -> None:
                self.environment.runner.stop()  # type: ignore[union-attr]

            def on_stop(self) -> None:
                gevent.sleep(0.02)
                ended.set()

        Slow.tasks = [Slow.stop_it]
        runner = Environment(user_classes=[Slow]).create_local_runner()
        runner.start(1, FAST)
        wait_until(lambda: runner.state == "stopped")
        assert not ended.is_set()
        quit_within_patience(runner)
        assert ended.is_set()

    def test_who_stops_it_meanwhile_waits_for_that_user_too(self) -> None:
        begun = Event()

        class Stopping(A):
            @task
            def end(self) -> None:
                begun.set()
                self.environment.runner.stop()  # type: ignore[union-attr]

            def on_stop(self) -> None:
                gevent.sleep(0.01)

        Stopping.tasks = [Stopping.end]
        runner = Environment(user_classes=[Stopping, A]).create_local_runner()
        runner.environment.events.test_stopping.add_listener(lambda **_: gevent.sleep(0.01))
        runner.start(2, FAST)
        with gevent.Timeout(PATIENCE_S):
            begun.wait()
            runner.stop()
        assert (runner.state, runner.user_count) == ("stopped", 0)
        quit_within_patience(runner)

    def test_the_user_that_stopped_it_is_not_one_of_the_next_test(self) -> None:
        go_on, may_end = Event(), Event()

        class Stopping(A):
            times = 1

            @task
            def end(self) -> None:
                if self.times:
                    type(self).times -= 1
                    self.environment.runner.stop()  # type: ignore[union-attr]

            def on_stop(self) -> None:
                may_end.wait()

        Stopping.tasks = [Stopping.end]
        runner = Environment(user_classes=[Stopping]).create_local_runner()
        runner.environment.events.test_stopping.add_listener(lambda **_: go_on.set())
        runner.start(1, FAST)
        first: list[Any] = []
        with gevent.Timeout(PATIENCE_S):
            go_on.wait()
            first += runner.user_greenlets
            runner.start(3, FAST)
        wait_until(lambda: runner.state == "running")
        assert runner.user_classes_count == {"Stopping": 3}
        may_end.set()
        wait_until(lambda: first[0].dead)
        assert runner.user_count == 3
        quit_within_patience(runner)

    def test_a_test_may_be_stopped_while_it_ramps_up(self) -> None:
        environment = Environment(user_classes=[A])
        fired = record_events(environment, "spawning_complete", "test_stop")
        runner = environment.create_local_runner()
        runner.start(1000, 1.5)
        wait_until(lambda: runner.user_count)
        runner.stop()
        assert (runner.state, runner.user_count, fired) == ("stopped", 0, ["test_stop"])
        quit_within_patience(runner)

    def test_a_test_may_be_stopped_before_the_first_user(self) -> None:
        environment = Environment(user_classes=[A])
        fired = record_events(environment, "test_start", "spawning_complete", "test_stop")
        runner = environment.create_local_runner()
        runner.start(1, 1)
        runner.stop()
        gevent.sleep(0)
        assert (runner.state, runner.user_count, fired) == ("stopped", 0, ["test_start", "test_stop"])
        quit_within_patience(runner)

    def test_a_test_start_listener_may_stop_the_test(self) -> None:
        environment = Environment(user_classes=[A])
        runner = environment.create_local_runner()
        environment.events.test_start.add_listener(lambda **_: runner.quit())
        runner.start(5, FAST)
        gevent.sleep(0)
        assert (runner.state, runner.user_count) == ("stopped", 0)

    def test_a_spawning_complete_listener_may_stop_the_test(self) -> None:
        environment = Environment(user_classes=[A])
        runner = environment.create_local_runner()
        environment.events.spawning_complete.add_listener(lambda **_: runner.stop())
        runner.start(5, FAST)
        wait_until(lambda: runner.state == "stopped")
        gevent.sleep(0)
        assert (runner.state, runner.user_count) == ("stopped", 0)
        quit_within_patience(runner)


class TestStopTest:
    def stopping(self, where: str) -> type[User]:
        class Stopping(A):
            def __init__(self, environment: Environment) -> None:
                super().__init__(environment)
                if where == "__init__":
                    raise StopTest("enough")

            def on_start(self) -> None:
                if where == "on_start":
                    raise StopTest("enough")

            @task
            def stop_it(self) -> None:
                raise StopTest("enough")

        Stopping.tasks = [Stopping.stop_it]
        return Stopping

    @pytest.mark.parametrize(("where", "code"), [("__init__", 1), ("on_start", None), ("task", None)])
    def test_it_ends_the_run(self, where: str, code: int | None, caplog: pytest.LogCaptureFixture) -> None:
        environment = Environment(user_classes=[self.stopping(where)])
        fired = record_events(environment, "test_stopping", "test_stop")
        runner = environment.create_local_runner()
        runner.start(3, FAST)
        with gevent.Timeout(PATIENCE_S):
            runner.greenlet.join()
        assert (runner.state, runner.user_count) == ("stopped", 0)
        assert fired == ["test_stopping", "test_stop"]
        assert environment.process_exit_code == code
        assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
            ("ERROR", "enough"),
            ("WARNING", "Stopping Locust..."),
        ]

    def test_with_a_web_ui_only_the_test_ends(self) -> None:
        environment = Environment(user_classes=[self.stopping("__init__"), A])
        environment.web_ui = types.SimpleNamespace()  # type: ignore[assignment]
        runner = environment.create_local_runner()
        runner.start(3, FAST)
        wait_until(lambda: runner.state == "stopped")
        assert not runner._monitor.dead
        assert environment.process_exit_code == 1
        environment.user_classes = [A]
        runner.start(1, FAST)
        wait_until(lambda: runner.state == "running")
        assert environment.process_exit_code is None
        quit_within_patience(runner)

    def test_a_missing_host_is_an_error(self, caplog: pytest.LogCaptureFixture) -> None:
        class NoHost(HttpUser):
            @task
            def nothing(self) -> None: ...

        environment = Environment(user_classes=[NoHost])
        runner = environment.create_local_runner()
        runner.start(2, FAST)
        with gevent.Timeout(PATIENCE_S):
            runner.greenlet.join()
        assert caplog.messages == [
            "You must specify the base host. Either in the host attribute in the User class, or on the"
            " command line using the --host option.",
            "Stopping Locust...",
        ]
        assert environment.process_exit_code == 1

    def test_a_listener_of_test_start_may_raise_it(self) -> None:
        environment = Environment(user_classes=[A])

        @environment.events.test_start.add_listener
        def refuse(**_: Any) -> None:
            raise StopTest("not today")

        runner = environment.create_local_runner()
        runner.start(1, FAST)
        with gevent.Timeout(PATIENCE_S):
            runner.greenlet.join()
        assert (runner.state, runner.user_count) == ("stopped", 0)
