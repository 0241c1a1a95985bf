"""Task sets: what a class body says, and how its tasks are run."""

# ruff: noqa: RUF012 - tasks are declared as in a locustfile
from __future__ import annotations

import math
from typing import Any
from unittest.mock import MagicMock

import pytest
from run_fixtures import names, plain, run_user

import locust_c.user
from locust_c import (
    SequentialTaskSet,
    TaskSet,
    User,
    constant,
    task,
)
from locust_c.env import Environment
from locust_c.exception import (
    InterruptTaskSet,
    RescheduleTask,
    RescheduleTaskImmediately,
    StopTest,
    StopUser,
)
from locust_c.user.task import DefaultTaskSet


class Logged(User):
    """Writes down what happens to it, and stops when its script has ended."""

    abstract = True
    log: list[Any]

    def __init__(self, script: list[Any], **arguments: Any) -> None:
        super().__init__(Environment(**arguments))
        self.log = []
        self.script = script
        self.environment.events.user_error.add_listener(
            lambda user_instance, exception, **_: self.log.append((type(user_instance).__name__, exception))
        )

    def on_start(self) -> None:
        self.log.append("on_start")

    def on_stop(self) -> None:
        self.log.append("on_stop")

    def wait_time(self) -> float:
        self.log.append("wait")
        return 0

    def step(self) -> None:
        """One step of the script: raises it if it is an exception."""
        if not self.script:
            raise StopUser
        step = self.script.pop(0)
        self.log.append("task")
        if isinstance(step, BaseException):
            raise step


class Direct(Logged):
    @task
    def run_step(self) -> None:
        self.step()


class Nested(Logged):
    @task
    class Inner(TaskSet):
        def on_start(self) -> None:
            self.user.log.append("inner on_start")

        def on_stop(self) -> None:
            self.user.log.append("inner on_stop")

        @task
        def run_step(self) -> None:
            self.user.step()


class TestDeclaration:
    def test_base_tasks_come_first_then_the_attribute_then_decorated_members(self) -> None:
        class Base(TaskSet):
            tasks = [plain]

            @task(2)
            def first(self) -> None: ...

        class Derived(Base):
            @task
            def second(self) -> None: ...

            tasks = {plain: 2}

        assert names(Base.tasks) == ["plain", "first", "first"]
        assert names(Derived.tasks) == ["plain", "first", "first", "plain", "plain", "second"]

    def test_tasks_may_be_pairs_of_task_and_weight(self) -> None:
        class Pairs(User):
            tasks = [(plain, 3)]

        assert Pairs.tasks == [plain] * 3

    def test_a_task_set_in_the_body_is_a_task(self) -> None:
        assert Nested.tasks == [Nested.Inner]

    @pytest.mark.parametrize("weight", [1.5, "x", None])
    def test_a_weight_that_is_no_int_is_refused(self, weight: Any) -> None:
        with pytest.raises(TypeError, match="@task: a weight is an int"):
            task(weight)

    def test_a_task_named_run_is_refused(self) -> None:
        with pytest.raises(Exception, match=r"run\(\) belongs to Locust"):

            @task
            def run(self: Any) -> None: ...

    def test_on_start_as_a_task_is_warned_of(self, caplog: pytest.LogCaptureFixture) -> None:
        @task
        def on_start(self: Any) -> None: ...

        assert "on_start is decorated with @task" in caplog.text

    @pytest.mark.parametrize(
        ("attribute", "value", "message"),
        [
            ("tasks", 5, r"Broken\.tasks must be a list"),
            ("tasks", ["x"], r"Broken\.tasks must hold functions"),
            ("tasks", {plain: 0.5}, r"Broken\.tasks: a weight is an int"),
            ("weight", "3", r"Broken\.weight must be a number"),
            ("weight", -1, r"Broken\.weight must not be negative"),
            ("fixed_count", 1.5, r"Broken\.fixed_count must be an int"),
            ("host", b"http://x", r"Broken\.host must be a str"),
            ("wait_time", 5, r"Broken\.wait_time must be a function .* constant\(1\), not 5"),
            (
                "wait_time",
                constant,
                r"Broken\.wait_time must be what constant\(…\) returns, not constant itself",
            ),
            ("tasks", [None], r"Broken\.tasks must hold functions or TaskSet classes, not None"),
            ("tasks", "plain", r"Broken\.tasks must be a list"),
            ("tasks", {plain: -1}, r"Broken\.tasks: a weight is not negative, got -1"),
            ("tasks", {"plain": 1}, r"Broken\.tasks must hold functions or TaskSet classes, not 'plain'"),
            ("weight", None, r"Broken\.weight must be a number, not None"),
            ("weight", math.nan, r"Broken\.weight must be a finite number, got nan"),
            ("weight", math.inf, r"Broken\.weight must be a finite number, got inf"),
            ("fixed_count", -1, r"Broken\.fixed_count must not be negative, got -1"),
            ("abstract", "yes", r"Broken\.abstract must be True or False, not 'yes'"),
            ("min_wait", "5", r"Broken\.min_wait must be a number of milliseconds, not '5'"),
        ],
    )
    def test_a_wrong_attribute_is_named_with_its_class(
        self, attribute: str, value: Any, message: str
    ) -> None:
        with pytest.raises((TypeError, ValueError), match=message):
            type(User)("Broken", (User,), {attribute: value})

    @pytest.mark.parametrize("tasks", [[plain], (plain,), {plain}, {plain: 1}, iter([plain]), [(plain, 1)]])
    def test_tasks_may_be_anything_that_holds_them(self, tasks: Any) -> None:
        assert type(User)("Fine", (User,), {"tasks": tasks}).tasks == [plain]
        assert type(User)("Empty", (User,), {"tasks": None}).tasks == []

    @pytest.mark.parametrize(("abstract", "kept"), [(True, True), (False, False), (None, False), (0, False)])
    def test_abstract_is_what_the_body_says(self, abstract: Any, kept: bool) -> None:
        assert type(User)("Some", (User,), {"abstract": abstract}).abstract is kept

    def test_members_that_have_an_answer_to_any_name_are_no_tasks(self) -> None:
        class Holder(TaskSet):
            proxy = MagicMock()
            mocked = MagicMock(spec=["locust_task_weight"])

            @task
            class Inner(SequentialTaskSet):
                proxy = MagicMock()

                @task
                @staticmethod
                def alone(task_set: Any) -> None: ...

            class Derived(Inner): ...

        assert names(Holder.tasks) == ["Inner", "Derived"]
        assert len(Holder.Inner.tasks) == 1

    def test_a_task_that_calling_does_not_run_is_warned_of(self, caplog: pytest.LogCaptureFixture) -> None:
        def steps(user: Any) -> Any:
            yield

        class Odd(User):
            tasks = [steps]

            @task
            async def wait_for_it(self) -> None: ...

        assert len(Odd.tasks) == 2
        coroutine, generator = caplog.messages
        assert coroutine.endswith("Odd.wait_for_it is a coroutine function: its body never runs")
        assert generator.endswith("steps is a generator function: its body never runs")

    def test_the_package_attribute_is_the_function(self) -> None:
        assert locust_c.user.task is task


class TestLoop:
    def test_a_user_starts_runs_tasks_with_waits_and_stops(self) -> None:
        user = Direct([None, None])
        run_user(user)
        assert user.log == ["on_start", "task", "wait", "task", "wait", "on_stop"]

    def test_reschedule_waits_and_reschedule_immediately_does_not(self) -> None:
        user = Direct([RescheduleTask(), RescheduleTaskImmediately(), None])
        run_user(user)
        assert user.log == ["on_start", "task", "wait", "task", "task", "wait", "on_stop"]

    def test_an_exception_is_reported_and_the_user_goes_on(self, caplog: pytest.LogCaptureFixture) -> None:
        error = ValueError("broken")
        user = Direct([error, None])
        run_user(user)
        assert user.log == [
            *("on_start", "task", ("DefaultTaskSet", error), "wait", "task", "wait", "on_stop"),
        ]
        (record,) = caplog.records
        assert (record.name, record.levelname) == ("locust.user.task", "ERROR")
        assert record.getMessage().startswith("broken\nTraceback (most recent call last):")

    def test_without_catch_exceptions_the_exception_ends_the_user(self) -> None:
        user = Direct([ValueError("broken")], catch_exceptions=False)
        with pytest.raises(ValueError, match="broken"):
            run_user(user)

    def test_interrupt_leaves_the_task_set_and_comes_back_at_once(self) -> None:
        user = Nested([InterruptTaskSet()])
        run_user(user)
        assert user.log == [
            *("on_start", "inner on_start", "task", "inner on_stop"),
            *("inner on_start", "inner on_stop", "on_stop"),
        ]

    def test_interrupt_without_reschedule_waits_in_the_parent(self) -> None:
        user = Nested([InterruptTaskSet(reschedule=False)])
        run_user(user)
        assert user.log[2:6] == ["task", "inner on_stop", "wait", "inner on_start"]

    @pytest.mark.parametrize("exception", [InterruptTaskSet(), InterruptTaskSet(reschedule=False)])
    def test_interrupt_without_a_task_set_is_a_reschedule(self, exception: Exception) -> None:
        user = Direct([exception, None])
        run_user(user)
        assert user.log.count("task") == 2
        assert user.log[-1] == "on_stop"

    @pytest.mark.parametrize("exception", [StopUser(), StopTest()])
    def test_stopping_runs_every_on_stop_from_the_inside_out(self, exception: Exception) -> None:
        user = Nested([exception, None])
        run_user(user)
        assert user.log == ["on_start", "inner on_start", "task", "inner on_stop", "on_stop"]

    def test_an_on_stop_that_fails_is_logged_and_the_next_is_run(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Failing(Logged):
            @task
            class Inner(TaskSet):
                @task
                def run_step(self) -> None:
                    self.user.step()

                def on_stop(self) -> None:
                    raise ValueError("broken on_stop")

        user = Failing([])
        run_user(user)
        assert user.log[-1] == "on_stop"
        assert "Uncaught exception in on_stop" in caplog.text
        assert "broken on_stop" in caplog.text

    def test_a_user_without_tasks_says_so_once_and_ends(self, caplog: pytest.LogCaptureFixture) -> None:
        class Idle(Logged):
            task = 1

        user = Idle([])
        run_user(user)
        ((holder, exception),) = [entry for entry in user.log if isinstance(entry, tuple)]
        assert holder == "DefaultTaskSet"
        assert str(exception).startswith("No tasks defined on Idle, but you have set a 'task' attribute")
        assert "Use the @task decorator or set the 'tasks' attribute" in caplog.text

    @pytest.mark.parametrize("hook", [None, "execute_task"])
    def test_a_wait_time_that_is_no_number_is_one_line_and_ends_the_user(
        self, hook: str | None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Wrong(Direct):
            def wait_time(self) -> Any:
                return None

        user = Wrong([None, None])
        if hook is not None:  # the other way through the loop
            original = getattr(user._taskset_instance, hook)
            monkeypatch.setattr(user._taskset_instance, hook, lambda *arguments: original(*arguments))
        run_user(user)
        assert user.log.count("task") == 1
        assert any(isinstance(entry, tuple) and isinstance(entry[1], TypeError) for entry in user.log)
        assert user.log[-1] == "on_stop"
        assert caplog.messages == ["Wrong.wait_time() must return a number of seconds, not None"]

    def test_a_wait_time_of_a_task_set_that_is_no_number_names_the_task_set(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Slow(TaskSet):
            @task
            def nothing(self) -> None: ...

            def wait_time(self) -> Any:
                return "1"

        class Both(Logged):
            tasks = [Slow]

        run_user(Both([]))
        assert "Slow.wait_time() must return a number of seconds, not '1'" in caplog.messages

    def test_min_wait_and_max_wait_count_without_wait_time(self) -> None:
        class Old(Direct):
            wait_time = None
            min_wait = max_wait = 3

        assert Old([])._taskset_instance.wait_time() == 0.003

    def test_without_any_wait_time_the_class_is_named(self) -> None:
        class Never(Direct):
            wait_time = None

        user = Never([None])
        run_user(user)
        assert "on either the Never or DefaultTaskSet class" in str(user.log[-2][1])


class TestOverriding:
    def test_each_method_between_two_tasks_may_be_overridden(self) -> None:
        calls: list[str] = []

        class Hooked(TaskSet):
            tasks = [plain]

            def get_next_task(self) -> Any:
                calls.append("get_next_task")
                return super().get_next_task()

            def execute_next_task(self) -> None:
                calls.append("execute_next_task")
                super().execute_next_task()

            def execute_task(self, task: Any) -> None:
                calls.append("execute_task")
                super().execute_task(task)

            def wait_time(self) -> float:
                calls.append("wait_time")
                return super().wait_time()

            def wait(self) -> None:
                calls.append("wait")
                super().wait()
                raise StopUser

        class Holder(Logged):
            tasks = [Hooked]

        run_user(Holder([]))
        assert calls == ["get_next_task", "execute_next_task", "execute_task", "wait", "wait_time"]

    def test_what_a_plugin_puts_around_both_kinds_of_task_sets_is_called_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls: list[str] = []

        def count(method: Any) -> Any:
            def counted(self: Any, task: Any) -> None:
                calls.append(type(self).__name__)
                method(self, task)
                raise StopUser

            return counted

        for task_set in (TaskSet, DefaultTaskSet):
            monkeypatch.setattr(task_set, "execute_task", count(task_set.execute_task))
        run_user(Direct([None]))
        assert calls == ["DefaultTaskSet"]

    @pytest.mark.parametrize(
        "name", ["get_next_task", "execute_task", "execute_next_task", "wait", "wait_time"]
    )
    def test_a_single_override_is_called(self, name: str) -> None:
        def override(self: Any, *arguments: Any) -> Any:
            self.user.log.append(name)
            raise StopUser

        single = type(TaskSet)("Single", (TaskSet,), {"tasks": [plain], name: override})
        user = type(User)("Holder", (Logged,), {"tasks": [single]})([])
        run_user(user)
        assert user.log == ["on_start", name, "on_stop"]

    def test_a_method_set_on_the_instance_is_called(self) -> None:
        class Own(TaskSet):
            tasks = [plain]

            def on_start(self) -> None:
                self.wait_time = self.give_up  # type: ignore[method-assign]

            def give_up(self) -> float:
                raise StopUser

        user = type(User)("Holder", (Logged,), {"tasks": [Own]})([])
        run_user(user)
        assert user.log == ["on_start", "on_stop"]

    def test_what_is_scheduled_goes_first(self) -> None:
        order: list[str] = []

        def last(self: Any) -> None:
            order.append("last")
            raise StopUser

        class Scheduling(TaskSet):
            @task
            def pick(self) -> None:
                self.schedule_task(self.bound)
                self.schedule_task(last)
                self.schedule_task(Empty, first=True)

            def bound(self) -> None:
                order.append("bound")

        class Empty(TaskSet):
            @task
            def leave(self) -> None:
                order.append("nested")
                assert isinstance(self.parent, Scheduling)
                assert self.user is self.parent.user
                self.interrupt()

        user = type(User)("Holder", (Logged,), {"tasks": [Scheduling]})([])
        run_user(user)
        assert order == ["nested", "bound", "last"]

    def test_tasks_may_be_replaced_while_the_user_runs(self) -> None:
        class Changing(Logged):
            @task
            def first(self) -> None:
                self.log.append("first")
                self.tasks = [second]

        def second(user: Any) -> None:
            user.log.append("second")
            raise StopUser

        user = Changing([])
        run_user(user)
        assert [entry for entry in user.log if entry in ("first", "second")] == ["first", "second"]


def test_tasks_are_picked_in_proportion_to_their_weights() -> None:
    counts = {"rare": 0, "often": 0}

    class Weighted(User):
        wait_time = constant(0)

        @task
        def rare(self) -> None:
            counts["rare"] += 1

        @task(3)
        def often(self) -> None:
            counts["often"] += 1
            if counts["often"] == 6000:
                raise StopUser

    run_user(Weighted(Environment()))
    assert counts["often"] / counts["rare"] == pytest.approx(3, rel=0.15)
