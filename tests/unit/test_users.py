"""Users: their classes, their life, how they stop, what they keep."""

# ruff: noqa: RUF012 - tasks are declared as in a locustfile
from __future__ import annotations

import gc
import inspect
import logging
import time
from typing import Any

import gevent
import pytest
from gevent.pool import Group
from run_fixtures import PATIENCE_S, run_user, wait_until

from locust_c import FastHttpUser, HttpUser, TaskSet, User, between, constant, log, task
from locust_c.env import Environment
from locust_c.exception import InterruptTaskSet, StopTest, StopUser
from locust_c.user import rest
from locust_c.user.group import UserGreenlet, UserGroup


class Sleeper(User):
    """Waits for ever between its tasks; its first task is there at once."""

    wait_time = constant(1000)

    def __init__(self, environment: Environment | None = None) -> None:
        super().__init__(environment or Environment())
        self.stopped = 0

    @task
    def nothing(self) -> None: ...

    def on_stop(self) -> None:
        self.stopped += 1


class Busy(Sleeper):
    """Is in its task until it is told to go on."""

    def __init__(self, environment: Environment | None = None) -> None:
        super().__init__(environment)
        self.go_on = gevent.event.Event()

    @task
    def wait_for_it(self) -> None:
        self.go_on.wait()


Busy.tasks = [Busy.wait_for_it]


class TestClass:
    def test_the_defaults_are_those_of_locust(self) -> None:
        assert (User.host, User.weight, User.fixed_count, User.tasks) == (None, 1, 0, [])
        assert User.abstract
        assert not Sleeper.abstract
        assert Sleeper().wait_time() == 1000
        assert type(User)("Plain", (User,), {})(None).wait_time() == 0

    def test_json_and_fullname_describe_the_class(self) -> None:
        assert Sleeper.json() == {"host": None, "weight": 1, "fixed_count": 0, "tasks": ["nothing"]}

        class Local(User): ...

        assert Local.fullname().endswith("TestClass.test_json_and_fullname_describe_the_class.Local")
        assert "<locals>" not in Local.fullname()

    def test_task_set_is_warned_of(self) -> None:
        with pytest.warns(DeprecationWarning, match=r"Old\.task_set is from before Locust 1\.0"):
            type(User)("Old", (User,), {"task_set": TaskSet})

    def test_run_must_not_be_overridden(self) -> None:
        with pytest.raises(Exception, match=r"run\(\) belongs to Locust"):
            type(User)("Wrong", (User,), {"run": lambda self: None})

    def test_a_property_may_be_the_host_or_the_weight(self) -> None:
        class Computed(User):
            @property
            def host(self) -> str:  # type: ignore[override]
                return "http://computed"

        assert Computed(Environment()).host == "http://computed"


class TestLife:
    def test_a_failing_on_start_ends_the_user_without_on_stop(self, caplog: pytest.LogCaptureFixture) -> None:
        errors: list[Any] = []

        class Failing(Sleeper):
            def on_start(self) -> None:
                raise ValueError("broken start")

        user = Failing()
        user.environment.events.user_error.add_listener(lambda **kwargs: errors.append(kwargs))
        run_user(user)
        assert user.stopped == 0
        assert [(e["user_instance"], str(e["exception"])) for e in errors] == [(user, "broken start")]
        assert errors[0]["tb"] is not None
        assert [record.name for record in caplog.records] == ["locust.user.users"]

    @pytest.mark.parametrize("exception", [StopUser(), StopTest(), gevent.GreenletExit()])
    def test_stopping_in_on_start_runs_on_stop(
        self, exception: BaseException, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Stopping(Sleeper):
            def on_start(self) -> None:
                raise exception

        user = Stopping()
        run_user(user)
        assert user.stopped == 1
        assert caplog.records == []

    def test_a_failing_on_stop_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        class Failing(Sleeper):
            @task
            def stop_here(self) -> None:
                raise StopUser

            def on_stop(self) -> None:
                raise ValueError("broken stop")

        Failing.tasks = [Failing.stop_here]
        run_user(Failing())
        assert "broken stop" in caplog.text

    def test_interrupt_in_on_start_of_a_task_set_goes_to_the_parent(self) -> None:
        order: list[str] = []

        class Picky(TaskSet):
            def on_start(self) -> None:
                order.append("in")
                raise InterruptTaskSet if len(order) < 3 else StopUser

            def on_stop(self) -> None:
                order.append("out")

            @task
            def never(self) -> None:
                order.append("never")

        run_user(type(User)("Holder", (User,), {"tasks": [Picky]})(Environment()))
        assert order == ["in", "in", "in"]


class TestStop:
    @pytest.fixture
    def group(self) -> Any:
        group = Group()
        yield group
        group.kill(timeout=PATIENCE_S)

    def test_the_greenlet_holds_the_user_and_is_in_the_group(self, group: Group) -> None:
        user = Sleeper()
        assert (user.group, user.greenlet) == (None, None)
        greenlet = user.start(group)
        assert isinstance(greenlet, UserGreenlet)
        assert greenlet.args[0] is user
        assert (user.group, user.greenlet, list(group)) == (group, greenlet, [greenlet])

    def test_a_user_that_waits_ends_at_once(self, group: Group) -> None:
        user = Sleeper()
        user.start(group)
        wait_until(lambda: user._state == "waiting")
        assert user.stop()
        group.join(timeout=PATIENCE_S)
        assert user.stopped == 1

    def test_a_busy_user_ends_after_its_task(self, group: Group) -> None:
        user = Busy()
        user.start(group)
        wait_until(lambda: user._state == "running")
        assert not user.stop()
        assert user._state == "stopping"
        assert not user.stop()
        assert not user.greenlet.dead
        user.go_on.set()
        group.join(timeout=PATIENCE_S)
        assert (user.stopped, user.greenlet.successful()) == (1, True)

    def test_force_ends_a_busy_user_in_its_task(self, group: Group) -> None:
        user = Busy()
        user.start(group)
        wait_until(lambda: user._state == "running")
        assert user.stop(force=True)
        assert (user.stopped, user.greenlet.dead, len(group)) == (1, True, 0)

    def test_a_user_that_stops_itself_by_force_goes_no_further(self, group: Group) -> None:
        went_on: list[bool] = []

        class Quitter(Sleeper):
            def on_start(self) -> None:
                went_on.append(self.stop(force=True))

        user = Quitter()
        user.start(group)
        group.join(timeout=PATIENCE_S)
        assert (went_on, user.stopped, user.greenlet.successful()) == ([], 1, True)

    def test_a_user_that_has_not_begun_never_begins(self, group: Group) -> None:
        user = Sleeper()
        user.start(group)
        assert user.stop()
        group.join(timeout=PATIENCE_S)
        assert user._state is None

    def test_a_user_stopped_while_it_starts_runs_no_task(self, group: Group) -> None:
        class Starting(Busy):
            ran = False

            def on_start(self) -> None:
                self.go_on.wait()

            def wait_for_it(self) -> None:
                self.ran = True

        Starting.tasks = [Starting.wait_for_it]
        user = Starting()
        user.start(group)
        wait_until(lambda: user._state == "running")
        user.stop()
        user.go_on.set()
        group.join(timeout=PATIENCE_S)
        assert not user.ran
        assert user.stopped == 1


class TestGroup:
    def test_it_counts_users_by_class_as_they_come_and_go(self) -> None:
        class Other(Sleeper): ...

        group = UserGroup()
        users = [Sleeper(), Other(), Sleeper()]
        greenlets = [user.start(group) for user in users]
        assert (group.count("Sleeper"), group.count("Other"), group.count("None")) == (2, 1, 0)
        assert group.newest("Sleeper", 1) == [greenlets[2]]
        assert group.newest("Sleeper", 9) == [greenlets[2], greenlets[0]]
        gevent.sleep(0)
        greenlets[2].kill(timeout=PATIENCE_S)
        wait_until(lambda: len(group) == 2)
        assert (group.count("Sleeper"), group.newest("Sleeper", 9)) == (1, [greenlets[0]])
        group.discard(greenlets[1])
        assert (group.count("Other"), len(group)) == (0, 1)
        gevent.killall(greenlets, timeout=PATIENCE_S)
        wait_until(lambda: not group)
        assert group.count("Sleeper") == 0


class TestMemory:
    def test_an_idle_user_keeps_little(self) -> None:
        count = 300
        group = UserGroup()
        environment = Environment()
        for _ in range(count):
            Sleeper(environment).start(group)
        wait_until(lambda: all(greenlet.user._state == "waiting" for greenlet in group))
        for greenlet in group:
            # Everything between the greenlet's start and the wait: copied away for every waiting user.
            assert greenlet._stack_saved < 4000
            assert not hasattr(greenlet.user._taskset_instance, "__slots__")
            assert greenlet.user._taskset_instance._task_queue is None
        group.kill(timeout=PATIENCE_S)

    def test_an_exception_in_a_task_does_not_outlive_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Payload: ...

        class Failing(Sleeper):
            @task
            def fail(self) -> None:
                payload = Payload()
                raise ValueError(payload is None)

        Failing.tasks = [Failing.fail]
        monkeypatch.setattr(logging.getLogger("locust.user.task"), "disabled", True)  # pytest keeps records
        group = Group()
        user = Failing()
        user.start(group)
        wait_until(lambda: user._state == "waiting")
        gc.collect()
        assert not any(isinstance(thing, Payload) for thing in gc.get_objects())
        group.kill(timeout=PATIENCE_S)


class TestForgottenInit:
    def test_a_user_class_is_told_in_one_line(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(log, "unhandled_greenlet_exception", False)

        class Forgetful(Sleeper):
            def __init__(self, environment: Environment) -> None:
                self.mine = 1

        runner = Environment(user_classes=[Forgetful]).create_local_runner()
        runner.start(1, 1)
        wait_until(lambda: runner.spawning_greenlet.dead)
        assert caplog.messages == ["Forgetful.__init__ must call super().__init__(environment)"]
        runner.quit()

    def test_a_task_set_is_told_in_one_line(self, caplog: pytest.LogCaptureFixture) -> None:
        class Holder(User):
            @task
            class Forgetful(TaskSet):
                def __init__(self, parent: Any) -> None:
                    self.mine = 1

        run_user(Holder(Environment()))
        assert caplog.messages == ["Forgetful.__init__ must call super().__init__(parent)"]


class TestHttpUsers:
    @pytest.mark.parametrize("user_class", [User, HttpUser, FastHttpUser])
    def test_mixins_are_initialised_on_either_side(self, user_class: Any) -> None:
        class Before:
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                self.first = True

        class Behind:
            def __init__(self) -> None:
                self.last = True

        mixed = type(User)("Mixed", (Before, user_class, Behind), {"host": "http://h"})
        user = mixed(environment=Environment())
        assert (user.first, user.last) == (True, True)

    @pytest.mark.parametrize("user_class", [HttpUser, FastHttpUser])
    def test_without_a_host_the_test_is_stopped_with_a_message(self, user_class: type[User]) -> None:
        with pytest.raises(StopTest, match=r"^You must specify the base host\. Either in the host attribute"):
            type(User)("NoHost", (user_class,), {})(Environment())

    @pytest.mark.parametrize("user_class", [HttpUser, FastHttpUser])
    def test_a_host_without_a_scheme_is_warned_of_once(
        self, user_class: type[User], caplog: pytest.LogCaptureFixture
    ) -> None:
        shop = type(User)(f"Shop{user_class.__name__}", (user_class,), {"host": "user:secret@example.test"})
        for _ in range(2):
            shop(Environment())
        [message] = caplog.messages
        assert message.startswith(f"The host of {shop.__name__} does not begin with http:// or https://")
        assert "secret" not in message

    def test_the_client_knows_the_host_and_trusts_no_environment(self) -> None:
        user = type(User)("WithHost", (HttpUser,), {"host": "http://h"})(Environment())
        assert (user.client.base_url, user.client.trust_env) == ("http://h", False)


class FakeResponse:
    status_code = 200
    error: Any = None

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.content = None if text is None else text.encode()
        self.failures: list[str] = []

    def __enter__(self) -> FakeResponse:
        return self

    def __exit__(self, *_: object) -> None: ...

    def json(self) -> Any:
        import json

        return json.loads(self.text or "")

    def failure(self, text: str) -> None:
        self.failures.append(text)


class RestUser(rest.RestMixin):
    """Answers with what it is given."""

    def __init__(self, text: str | None) -> None:
        self.response = FakeResponse(text)
        self.client = self
        self.requests: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def request(self, *args: Any, **kwargs: Any) -> FakeResponse:
        self.requests.append((args, kwargs))
        return self.response


class TestRest:
    def test_the_body_is_parsed_and_json_is_asked_for(self) -> None:
        user, headers = RestUser('{"a": 1}'), {"accept": "x"}
        with user.rest("POST", "/path", headers=headers, json={}) as response:
            assert response.js == {"a": 1}
        ((args, kwargs),) = user.requests
        assert args == ("POST", "/path")
        assert kwargs == {
            "headers": {"accept": "x", "Content-Type": "application/json"},
            "catch_response": True,
            "json": {},
        }
        assert headers == {"accept": "x"}
        assert user.response.failures == []

    def test_a_body_that_is_no_json_is_a_failure(self) -> None:
        user = RestUser("<" * 300)
        with user.rest("GET", "/") as response:
            assert response.js is None
        (text,) = user.response.failures
        start = f"Could not parse response as JSON. {'<' * 250}, response code 200, error "
        assert text.startswith(start)

    def test_a_request_without_an_answer_is_a_failure(self) -> None:
        user = RestUser(None)
        user.response.error = ConnectionError("refused")
        with user.rest("GET", "/") as response:
            assert response.js is None
        assert user.response.failures == ["refused"]

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (("wrong",), "wrong"),
            (("wrong,",), "wrong, response was [1]"),
            ((), "Assertion failed"),
        ],
    )
    def test_a_failed_assertion_is_a_failure(self, arguments: tuple[str, ...], expected: str) -> None:
        user = RestUser("[1]")
        with user.rest("GET", "/"):
            raise AssertionError(*arguments)
        assert user.response.failures == [expected]

    def test_any_other_exception_is_a_failure_with_its_place(self) -> None:
        user = RestUser("[1]")
        with user.rest("GET", "/") as response:
            response.js["x"]
        (text,) = user.response.failures
        line = inspect.currentframe().f_lineno - 2  # type: ignore[union-attr]
        assert text.startswith("TypeError: list indices must be integers")
        assert f"test_users.py:{line} in " in text
        assert text.endswith(". Response was [1]")

    def test_what_ends_a_task_passes_on(self) -> None:
        user = RestUser("[1]")
        with pytest.raises(StopUser), user.rest("GET", "/"):
            raise StopUser
        assert user.response.failures == []

    @pytest.mark.parametrize(("url", "start"), [("/p", "/p?_="), ("/p?a=1", "/p?a=1&_=")])
    def test_the_time_keeps_caches_from_answering(self, url: str, start: str) -> None:
        user = RestUser("[1]")
        before = int(time.time() * 1000)
        with user.rest_("GET", url):
            pass
        ((args, kwargs),) = user.requests
        assert args[1].startswith(start)
        assert before <= int(args[1].removeprefix(start)) <= int(time.time() * 1000)
        assert kwargs["name"] == f"{start}..."


def test_waits_are_seconds() -> None:
    class Waiting(Sleeper):
        wait_time = between(0.01, 0.02)
        finished = 0

        @task
        def count(self) -> None:
            self.finished += 1
            if self.finished == 4:
                raise StopUser

        tasks = []

    Waiting.tasks = [Waiting.count]
    started = time.perf_counter()
    run_user(Waiting())
    assert 0.03 <= time.perf_counter() - started < 1
