"""What ``/swarm`` and ``/stop`` do at awkward moments: while a test starts, changes or ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from flask import request
from gevent.event import Event
from web_fixtures import Visitor, make_environment, options, page, until

from locust_c import LoadTestShape, User, task
from locust_c.env import Environment


@pytest.fixture
def web_ui(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with page(monkeypatch, environment=make_environment(parsed_options=options())) as subject:
        yield subject


def swarm(web_ui: Any, users: int, **data: Any) -> Any:
    form = {"user_count": users, "spawn_rate": "1000", **data}
    return web_ui.app.test_client().post("/swarm", data=form).json


def stop(web_ui: Any) -> Any:
    return web_ui.app.test_client().post("/stop").json


class Gate:
    """A listener that others wait in until it is opened."""

    def __init__(self, event: Any) -> None:
        self.reached, self.opened, self.passed = Event(), Event(), 0
        event.add_listener(self.hold)

    def hold(self, environment: Environment, **_: Any) -> None:
        self.reached.set()
        self.opened.wait()
        self.passed += 1


def test_the_test_has_begun_when_the_answer_is_there(web_ui: Any) -> None:
    assert swarm(web_ui, 1)["success"]
    assert web_ui.environment.runner.state in ("spawning", "running")


def test_a_second_start_waits_for_the_listeners_of_the_first(web_ui: Any) -> None:
    gate = Gate(web_ui.environment.events.test_start)
    assert swarm(web_ui, 5)["success"]
    gate.reached.wait()
    for users in (7, 3):
        assert swarm(web_ui, users)["success"]
    gevent.sleep(0)
    runner = web_ui.environment.runner
    assert (runner.state, runner.user_count, gate.passed) == ("spawning", 0, 0)
    gate.opened.set()
    until(lambda: runner.state == "running")
    assert (runner.user_count, gate.passed) == (3, 1)


def test_a_test_is_changed_while_it_spawns(web_ui: Any) -> None:
    runner = web_ui.environment.runner
    swarm(web_ui, 100, spawn_rate="1")
    until(lambda: runner.user_count > 0)
    swarm(web_ui, 3)
    until(lambda: runner.state == "running")
    assert runner.user_count == 3


def test_a_test_that_is_starting_can_be_stopped(web_ui: Any) -> None:
    gate = Gate(web_ui.environment.events.test_start)
    swarm(web_ui, 5)
    gate.reached.wait()
    swarm(web_ui, 6)
    assert stop(web_ui)["success"]
    runner = web_ui.environment.runner
    gate.opened.set()
    gevent.sleep(0)
    assert (runner.state, runner.user_count, gate.passed) == ("stopped", 0, 0)


class Stays(User):
    """Ends its task when the gate of the class is opened."""

    gate = Event()

    @task
    def stay(self) -> None:
        self.gate.wait()


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The page of a test that is being stopped, and the greenlet in which that happens."""
    monkeypatch.setattr(Stays, "gate", Event())
    environment = make_environment(user_classes=[Stays], parsed_options=options(), stop_timeout=60)
    with page(monkeypatch, environment=environment) as subject:
        swarm(subject, 1)
        until(lambda: environment.runner.state == "running")
        subject.stopping = gevent.spawn(stop, subject)
        until(lambda: environment.runner.state == "cleanup")
        yield subject
        Stays.gate.set()


def test_a_start_while_a_test_ends_waits_for_the_end(ending: Any) -> None:
    swarm(ending, 2, run_time="60")
    gevent.sleep(0)
    runner = ending.environment.runner
    assert runner.state == "cleanup"
    # The time of the next test has not begun.
    assert runner.run_time_s is None
    Stays.gate.set()
    Stays.gate = Event()
    until(lambda: runner.state == "running")
    assert runner.user_count == 2
    until(lambda: runner.run_time_s == 60)


def test_a_start_that_waits_for_the_end_can_be_taken_back(ending: Any) -> None:
    swarm(ending, 2)
    gevent.sleep(0)
    second = gevent.spawn(stop, ending)
    gevent.sleep(0)
    Stays.gate.set()
    gevent.joinall([ending.stopping, second], timeout=5, raise_error=True)
    gevent.sleep(0)
    assert (ending.environment.runner.state, ending.environment.runner.user_count) == ("stopped", 0)


class Steady(LoadTestShape):
    """One user for ever."""

    def tick(self) -> tuple[int, float]:
        return 1, 10


def test_a_shape_that_is_started_while_a_test_ends_can_be_taken_back(ending: Any) -> None:
    ending.environment.shape_class = Steady()
    ending.environment.shape_class.runner = ending.environment.runner
    swarm(ending, 0)
    gevent.sleep(0)
    runner = ending.environment.runner
    assert (runner.state, runner.shape_greenlet) == ("cleanup", None)
    second = gevent.spawn(stop, ending)
    gevent.sleep(0)
    Stays.gate.set()
    gevent.joinall([ending.stopping, second], timeout=5, raise_error=True)
    gevent.sleep(0)
    assert (runner.state, runner.shape_greenlet) == ("stopped", None)


def test_two_pages_at_once_start_one_test_of_which_the_last_decides(web_ui: Any) -> None:
    started: list[int] = []
    web_ui.environment.events.test_start.add_listener(lambda **_: started.append(1))
    answers = [gevent.spawn(swarm, web_ui, users) for users in (4, 2)]
    gevent.joinall(answers, timeout=5, raise_error=True)
    runner = web_ui.environment.runner
    until(lambda: runner.state == "running")
    assert (runner.user_count, started) == (2, [1])
    assert all(answer.value["success"] for answer in answers)
    stops = [gevent.spawn(stop, web_ui) for _ in range(2)]
    gevent.joinall(stops, timeout=5, raise_error=True)
    assert runner.state == "stopped"


@pytest.mark.parametrize("how", ["fails", "is given up"])
def test_a_start_after_one_that_comes_to_nothing_is_not_lost(
    web_ui: Any, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, start = web_ui.environment.runner, web_ui.environment.runner.start
    reached, opened = Event(), Event()

    def come_to_nothing(*_: Any) -> None:
        reached.set()
        try:
            opened.wait()
        except gevent.GreenletExit:
            # While stop() waits for the end of this, another visitor starts a test.
            monkeypatch.setattr(runner, "start", start)
            swarm(web_ui, 3)
            raise
        monkeypatch.setattr(runner, "start", start)
        raise RuntimeError("no")

    monkeypatch.setattr(runner, "start", come_to_nothing)
    swarm(web_ui, 5)
    reached.wait()
    if how == "fails":
        swarm(web_ui, 3)
        opened.set()
    else:
        stop(web_ui)
    until(lambda: runner.user_count == 3)


def test_a_change_decides_about_the_run_time_anew(web_ui: Any) -> None:
    runner, parsed = web_ui.environment.runner, web_ui.environment.parsed_options
    swarm(web_ui, 1, run_time="1")
    until(lambda: runner.state == "running" and runner.run_time_s == 1)
    swarm(web_ui, 2, run_time="60")
    until(lambda: runner.user_count == 2)
    assert (runner.run_time_s, parsed.run_time) == (60, 60)
    timer = runner._timer
    swarm(web_ui, 3)
    until(lambda: runner.user_count == 3)
    assert (timer.dead, runner.run_time_s, parsed.run_time) == (True, None, None)


def test_what_a_listener_of_the_start_stops_has_no_run_time_left(web_ui: Any) -> None:
    environment = web_ui.environment
    environment.events.test_start.add_listener(lambda environment, **_: environment.runner.stop())
    swarm(web_ui, 1, run_time="60")
    until(lambda: web_ui.swarming._starter.ready())
    assert (environment.runner.state, environment.runner.run_time_s) == ("stopped", None)


def test_a_form_that_is_refused_changes_nothing(web_ui: Any) -> None:
    swarm(web_ui, 2, run_time="60")
    runner = web_ui.environment.runner
    until(lambda: runner.state == "running")
    for wrong in ({"user_count": "x"}, {"spawn_rate": "0"}, {"run_time": "soon"}, {"user_count": "-1"}):
        assert not swarm(web_ui, 5, **wrong, host="http://other")["success"]
    assert (runner.user_count, web_ui.environment.host) == (2, None)
    assert runner.run_time_s == 60


@pytest.mark.parametrize("path", ["/swarm", "/user", "/stop", "/stats/reset"])
def test_a_body_that_is_too_large_is_not_kept(web_ui: Any, path: str) -> None:
    answer = web_ui.app.test_client().post(path, data=b"x=" + b"1" * 1_000_000)
    assert (answer.status_code, answer.text) == (413, "The body has more than 1,000,000 bytes")
    assert web_ui.environment.runner.state == "ready"


def test_routes_of_users_take_large_bodies(web_ui: Any) -> None:
    @web_ui.app.route("/upload", methods=["POST"])
    def upload() -> str:
        return str(len(request.get_data()))

    answer = web_ui.app.test_client().post("/upload", data=b"1" * 3_000_000)
    assert (answer.status_code, answer.text) == (200, "3000000")


def test_the_names_of_the_form_are_in_the_options(web_ui: Any) -> None:
    swarm(web_ui, 0, user_classes=["Visitor"])
    assert web_ui.environment.parsed_options.user_classes == ["Visitor"]


class Homeless(Visitor):
    """No test sets a host of this class."""

    host = None


class Weighty(Visitor):
    """Three times as many of these."""

    weight = 3
    host = "http://other"


def test_before_a_test_the_task_ratios_are_those_of_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = make_environment(user_classes=[Visitor, Weighty])
    with page(monkeypatch, environment=environment) as web_ui:
        ratios = web_ui.app.test_client().get("/tasks").json["per_class"]
        assert {name: row["ratio"] for name, row in ratios.items()} == {"Visitor": 0.25, "Weighty": 0.75}


@pytest.mark.parametrize(
    ("classes", "host", "shown", "warnings"),
    [
        ([Homeless], None, "", (False, True)),
        ([Weighty], None, "http://other", (False, False)),
        ([Homeless, Weighty], None, "", (True, True)),
        ([Homeless, Weighty], "http://all", "http://all", (False, False)),
    ],
)
def test_the_form_warns_of_hosts(
    monkeypatch: pytest.MonkeyPatch, classes: list[Any], host: str | None, shown: str, warnings: Any
) -> None:
    with page(monkeypatch, environment=make_environment(user_classes=classes, host=host)) as web_ui:
        web_ui.update_template_args()
        args = web_ui.template_args
        assert args["host"] == shown
        assert (args["override_host_warning"], args["missing_host_warning"]) == warnings


def test_with_the_picker_the_form_says_whether_there_is_a_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = make_environment(shape_class=Steady())
    for picker, hidden, shape in ((False, True, "Steady"), (True, False, None)):
        with page(monkeypatch, environment=environment, userclass_picker_is_active=picker) as web_ui:
            web_ui.update_template_args()
            assert (web_ui.template_args["hide_common_options"], web_ui.template_args["shape"]) == (
                hidden,
                shape,
            )
