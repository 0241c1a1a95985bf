"""LocalRunner: tests start, change, stop and end, whoever asks for it."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from gevent.event import Event
from run_fixtures import FAST, PATIENCE_S, quit_within_patience, record_events, running, wait_until

from locust_c import User, constant, log, runners, task
from locust_c.env import Environment
from locust_c.exception import StopUser
from locust_c.runners import LocalRunner, MasterRunner, WorkerNode, WorkerRunner


class A(User):
    wait_time = constant(1000)
    stopped = 0

    @task
    def nothing(self) -> None: ...

    def on_stop(self) -> None:
        type(self).stopped += 1


class B(A):
    weight = 2


@pytest.fixture(autouse=True)
def nothing_stopped_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(A, "stopped", 0)
    monkeypatch.setattr(log, "unhandled_greenlet_exception", False)


def all_waiting(runner: LocalRunner) -> bool:
    return all(greenlet.user._state == "waiting" for greenlet in runner.user_greenlets)


class TestRun:
    def test_the_course_of_a_test(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO")
        environment = Environment(user_classes=[B, A])
        fired = record_events(
            environment, "test_start", "spawning_complete", "test_stopping", "test_stop", "quitting"
        )
        states: list[tuple[str, int]] = []
        environment.events.test_stopping.add_listener(lambda **_: states.append((runner.state, len(fired))))
        environment.events.test_stop.add_listener(lambda **_: states.append((runner.state, len(fired))))
        runner = environment.create_local_runner()
        assert (runner.state, runner.user_count, runner.user_classes_count) == ("ready", 0, {"A": 0, "B": 0})
        runner.start(3, 10)
        wait_until(lambda: runner.state == "running")
        assert runner.user_classes_count == runner.target_user_classes_count == {"A": 1, "B": 2}
        assert (runner.user_count, runner.target_user_count) == (3, 3)
        runner.stop()
        assert (runner.state, runner.user_count) == ("stopped", 0)
        assert runner.final_user_classes_count == {"A": 1, "B": 2}
        assert fired == ["test_start", "spawning_complete", "test_stopping", "test_stop"]
        assert states == [("running", 3), ("stopped", 4)]
        runner.stop()
        assert len(fired) == 4
        assert caplog.messages == [
            "Ramping to 3 users at a rate of 10.00 per second",
            'All users spawned: {"A": 1, "B": 2} (3 total users)',
        ]
        assert {record.name for record in caplog.records} == {"locust.runners"}
        quit_within_patience(runner)

    def test_users_that_have_begun_are_stopped_with_on_stop(self) -> None:
        with running(A, count=3) as runner:
            wait_until(lambda: all_waiting(runner))
            runner.stop()
            assert A.stopped == 3

    def test_the_number_of_users_may_be_changed_without_a_new_test(self) -> None:
        with running(A, B, count=3) as runner:
            fired = record_events(runner.environment, "test_start", "spawning_complete")
            kept = set(runner.user_greenlets)
            runner.start(6, FAST)
            wait_until(lambda: len(fired) == 1)
            assert runner.user_classes_count == {"A": 2, "B": 4}
            assert kept < set(runner.user_greenlets)
            runner.start(1, FAST)
            wait_until(lambda: len(fired) == 2)
            assert runner.user_classes_count == {"A": 0, "B": 1}
            assert set(runner.user_greenlets) < kept
            assert fired == ["spawning_complete"] * 2
            assert runner.state == "running"

    def test_a_ramp_takes_its_time(self) -> None:
        runner = Environment(user_classes=[A]).create_local_runner()
        counts: list[int] = []
        runner.start(5, 200)
        while runner.state != "running":
            counts.append(runner.user_count)
            gevent.sleep(0.001)
        assert runner.user_count == 5
        quit_within_patience(runner)

    def test_slow_rates_spawn_one_by_one(self) -> None:
        runner = Environment(user_classes=[A]).create_local_runner()
        runner.start(1000, 1.9)
        wait_until(lambda: runner.user_count == 1)
        assert runner.state == "spawning"
        runner.start(3, FAST)
        wait_until(lambda: runner.state == "running")
        assert runner.user_count == 3
        quit_within_patience(runner)

    def test_a_test_may_be_started_again_after_stop_and_after_quit(self) -> None:
        with running(A, count=2) as runner:
            fired = record_events(runner.environment, "test_start")
            for end in (runner.stop, runner.quit):
                end()
                runner.start(1, FAST)
                wait_until(lambda: runner.state == "running")
                assert runner.user_count == 1
            assert fired == ["test_start"] * 2
            assert not runner._monitor.dead

    def test_library_style_ends_with_quit(self) -> None:
        environment = Environment(user_classes=[A])
        runner = environment.create_local_runner()
        runner.start(1, spawn_rate=10)
        gevent.spawn_later(0.02, runner.quit)
        with gevent.Timeout(PATIENCE_S):
            runner.greenlet.join()
        assert (runner.state, runner.user_count) == ("stopped", 0)

    def test_start_with_wait_returns_when_all_users_have_ended(self) -> None:
        class Once(A):
            @task
            def stop_here(self) -> None:
                raise StopUser

        Once.tasks = [Once.stop_here]
        runner = Environment(user_classes=[Once]).create_local_runner()
        with gevent.Timeout(PATIENCE_S):
            runner.start(3, FAST, wait=True)
        assert (runner.user_count, Once.stopped) == (0, 3)
        quit_within_patience(runner)

    def test_a_user_that_has_ended_is_not_counted_by_the_next_one(self) -> None:
        """Also by one that runs before the hub has told the group: plug-ins let the last one end the test."""
        seen: list[int] = []

        class Leaver(User):
            @task
            def leave(self) -> None:
                gone.wait()
                seen.append(self.environment.runner.user_count)
                raise StopUser

        gone = Event()
        with running(Leaver, count=3) as runner:
            gone.set()
            runner.user_greenlets.join()
        assert seen == [3, 2, 1]

    @pytest.mark.parametrize(("count", "rate"), [(-1, 1), (1, 0), (1, float("inf"))])
    def test_impossible_targets_are_refused_before_anything_starts(self, count: int, rate: float) -> None:
        environment = Environment(user_classes=[A])
        fired = record_events(environment, "test_start")
        runner = environment.create_local_runner()
        with pytest.raises(ValueError, match="got"):
            runner.start(count, rate)
        assert (fired, runner.state) == ([], "ready")
        quit_within_patience(runner)

    def test_the_host_of_the_environment_overrides_that_of_the_class(self) -> None:
        class Own(A):
            host = "http://own"

        with running(Own, host="http://given"):
            assert Own.host == "http://given"

    @pytest.mark.parametrize(("given", "expected"), [("http://given", "http://given"), ("", "http://own")])
    def test_the_host_is_set_on_all_classes_behind_test_start(self, given: str, expected: str) -> None:
        class Own(A):
            host = "http://own"

        class Unused(Own):
            fixed_count = 0
            weight = 0.001

        seen: list[str | None] = []
        environment = Environment(user_classes=[Own, Unused], host=given)
        environment.events.test_start.add_listener(lambda **_: seen.append(Unused.host))
        runner = environment.create_local_runner()
        runner.start(1, FAST)
        wait_until(lambda: runner.state == "running")
        assert (seen, Own.host, Unused.host) == (["http://own"], expected, expected)
        quit_within_patience(runner)

    def test_users_that_ended_are_replaced_while_the_ramp_goes_on(self) -> None:
        class Once(A):
            created = 0

            def __init__(self, environment: Environment) -> None:
                super().__init__(environment)
                type(self).created += 1

            @task
            def stop_here(self) -> None:
                raise StopUser

        Once.tasks = [Once.stop_here]
        runner = Environment(user_classes=[Once]).create_local_runner()
        runner.start(3, 200)
        wait_until(lambda: runner.state == "running" and runner.user_count == 0)
        assert Once.created == 3
        runner.start(3, 200)
        wait_until(lambda: Once.created == 6)
        quit_within_patience(runner)

    def test_ten_thousand_users_do_not_take_quadratic_time(self) -> None:
        with running(A, count=100) as runner, gevent.Timeout(PATIENCE_S):
            runner.start(10_000, 10_000)
            wait_until(lambda: runner.state == "running")
            assert runner.user_classes_count == {"A": 10_000}


class TestFailures:
    def test_exceptions_of_users_are_counted_by_where_they_are_raised(self) -> None:
        class Failing(A):
            wait_time = constant(0)
            runs = 0

            @task
            def fail(self) -> None:
                type(self).runs += 1
                if self.runs > 4:
                    raise StopUser
                if self.runs == 1:
                    raise ValueError("once")
                raise ValueError(f"again {self.runs}")

        Failing.tasks = [Failing.fail]
        with running(Failing) as runner:
            wait_until(lambda: runner.user_count == 0)
            found = {entry["msg"]: entry for entry in runner.exceptions.values()}
            assert {text: entry["count"] for text, entry in found.items()} == {"once": 1, "again 2": 3}
            assert found["again 2"]["nodes"] == {"local"}
            assert "ValueError: again 2" in found["again 2"]["traceback"]
            runner.stop()
            runner.start(0, 1)
            assert runner.exceptions == {}

    def test_a_user_that_cannot_be_made_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        class Broken(A):
            def __init__(self, environment: Environment) -> None:
                raise ValueError("cannot be made")

        runner = Environment(user_classes=[Broken]).create_local_runner()
        runner.start(1, 1)
        wait_until(lambda: runner.spawning_greenlet.dead)
        assert "Unhandled exception in greenlet" in caplog.text
        assert "cannot be made" in caplog.text
        assert log.unhandled_greenlet_exception
        quit_within_patience(runner)
        assert runner.state == "stopped"


class TestStatistics:
    def fire(self, environment: Environment) -> None:
        environment.events.request.fire(
            request_type="X", name="n", response_time=1.0, response_length=2, exception=None, context={}
        )

    def test_requests_are_recorded_from_the_creation_to_the_end_of_the_process(self) -> None:
        environment = Environment(user_classes=[A])
        runner = environment.create_local_runner()
        self.fire(environment)
        assert environment.stats.total.num_requests == 1
        quit_within_patience(runner)
        self.fire(environment)
        assert environment.stats.total.num_requests == 2
        environment.events.quit.fire(exit_code=0)
        self.fire(environment)
        assert environment.stats.total.num_requests == 2

    def test_a_new_test_begins_with_empty_statistics_before_test_start(self) -> None:
        environment = Environment(user_classes=[A])
        runner = environment.create_local_runner()
        self.fire(environment)
        environment.events.test_start.add_listener(lambda **_: self.fire(environment))
        runner.start(1, FAST)
        assert environment.stats.total.num_requests == 1
        assert runner.stats is environment.stats
        assert runner.errors is environment.stats.errors
        quit_within_patience(runner)

    def test_reset_stats_clears_them_when_all_users_are_there(self) -> None:
        environment = Environment(user_classes=[A], reset_stats=True)
        environment.events.test_start.add_listener(lambda **_: self.fire(environment))
        runner = environment.create_local_runner()
        runner.start(1, FAST)
        assert environment.stats.total.num_requests == 1
        wait_until(lambda: runner.state == "running")
        assert environment.stats.total.num_requests == 0
        quit_within_patience(runner)


class TestMessages:
    def test_a_listener_gets_type_data_and_node(self) -> None:
        runner = Environment().create_local_runner()
        got: list[Any] = []
        runner.register_message(
            "x", lambda environment, msg: got.append((environment, msg.type, msg.data, msg.node_id))
        )
        runner.send_message("x", {"a": 1})
        runner.send_message("x", client_id="ignored")
        assert got == [(runner.environment, "x", {"a": 1}, "local"), (runner.environment, "x", None, "local")]
        quit_within_patience(runner)

    def test_a_second_listener_is_refused(self) -> None:
        runner = Environment().create_local_runner()
        runner.register_message("x", print)
        message = "Tried to register listener method for x, but it already had a listener!"
        with pytest.raises(Exception, match=message):
            runner.register_message("x", print)
        quit_within_patience(runner)

    def test_an_unknown_type_is_warned_of(self, caplog: pytest.LogCaptureFixture) -> None:
        runner = Environment().create_local_runner()
        runner.send_message("nobody")
        assert caplog.messages == ["Unknown message type received: nobody"]
        quit_within_patience(runner)


class TestSpawnUsers:
    def test_users_may_be_spawned_and_stopped_by_number(self) -> None:
        runner = Environment(user_classes=[A, B]).create_local_runner()
        users = runner.spawn_users({"A": 1, "B": 2})
        assert [type(user) for user in users] == [A, B, B]
        assert runner.state == "spawning"
        runner.stop_users({"B": 1})
        assert runner.user_classes_count == {"A": 1, "B": 1}
        assert users[1].greenlet in runner.user_greenlets
        runner.stop()
        assert runner.user_count == 0
        quit_within_patience(runner)


class TestUsage:
    def test_usage_is_sampled_at_the_interval_that_is_set_now(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(runners, "CPU_MONITOR_INTERVAL", 0.001)
        monkeypatch.setattr(runners, "CPU_WARNING_THRESHOLD", -1)
        environment = Environment(user_classes=[A])
        samples: list[tuple[float, int]] = []
        environment.events.usage_monitor.add_listener(
            lambda cpu_usage, memory_usage, **_: samples.append((cpu_usage, memory_usage))
        )
        fired = record_events(environment, "cpu_warning")
        runner = environment.create_local_runner()
        wait_until(lambda: len(samples) >= 3)
        assert samples[-1] == (runner.current_cpu_usage, runner.current_memory_usage)
        assert runner.current_memory_usage > 1_000_000
        assert len(fired) == len(samples)
        assert [m for m in caplog.messages if m.startswith("CPU usage above -1%!")] == [caplog.messages[0]]
        assert runner.cpu_log_warning()
        assert "CPU usage was too high at some point during the test!" in caplog.messages
        quit_within_patience(runner)


def test_the_names_of_distributed_runs_exist() -> None:
    for runner_class in (MasterRunner, WorkerRunner):
        with pytest.raises(NotImplementedError, match="not part of this version"):
            runner_class(Environment())
    node = WorkerNode("host_1")
    node.user_classes_count = {"A": 2, "B": 1}
    assert (node.id, node.state, node.heartbeat, node.user_count) == ("host_1", "ready", 3, 3)


def test_a_local_runner_is_worker_0_of_1() -> None:
    runner = Environment().create_local_runner()
    assert (runner.worker_index, runner.worker_count) == (0, 1)
    assert len(runner.client_id.rsplit("_", 1)[1]) == 32
    quit_within_patience(runner)
