"""EventHook: listeners come and go, raise, and are called in order."""

from __future__ import annotations

import functools
import gc
import logging
import types
import weakref
from collections.abc import Callable
from typing import Any
from unittest import mock

import gevent
import pytest

import locust_c.log
from locust_c.event import DeprecatedEventHook, EventHook, Events
from locust_c.exception import (
    InterruptTaskSet,
    RescheduleTask,
    RescheduleTaskImmediately,
    StopTest,
    StopUser,
)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The module that holds the flag of exceptions that nobody handled, not raised yet."""
    monkeypatch.setattr(locust_c.log, "unhandled_greenlet_exception", False)
    return locust_c.log


def recorder_of(calls: list[Any], name: str) -> Callable[..., None]:
    def listener(**kwargs: Any) -> None:
        calls.append((name, kwargs))

    return listener


def test_listeners_are_called_in_order_of_registration() -> None:
    hook, calls = EventHook(), []
    hook.add_listener(recorder_of(calls, "first"))
    hook += recorder_of(calls, "second")
    hook.fire(value=1)
    assert calls == [("first", {"value": 1}), ("second", {"value": 1})]


def test_reverse_calls_the_last_first_and_is_no_value() -> None:
    hook, calls = EventHook(), []
    hook += recorder_of(calls, "first")
    hook += recorder_of(calls, "second")
    hook.fire(before=1, reverse=True, after=2)
    hook.fire(reverse=False)
    values = {"before": 1, "after": 2}
    assert calls == [("second", values), ("first", values), ("first", {}), ("second", {})]


def test_add_listener_is_a_decorator() -> None:
    hook = EventHook()

    @hook.add_listener
    def listener(value: int) -> None:
        raise AssertionError

    assert callable(listener)
    assert hook._handlers == [listener]


def test_removed_listeners_are_not_called() -> None:
    hook, calls = EventHook(), []
    first, second = recorder_of(calls, "first"), recorder_of(calls, "second")
    hook += first
    hook += second
    hook.remove_listener(first)
    hook.fire()
    hook -= second
    hook.fire()
    assert [name for name, _ in calls] == ["second"]


def test_removing_an_absent_listener_is_a_value_error() -> None:
    hook = EventHook()
    with pytest.raises(ValueError):
        hook.remove_listener(print)
    with pytest.raises(ValueError):
        hook -= print


def test_bound_methods_are_removed_by_equality() -> None:
    class Plugin:
        def listen(self, **kwargs: Any) -> None:
            raise AssertionError

    hook, plugin = EventHook(), Plugin()
    hook += plugin.listen
    hook -= plugin.listen
    hook.fire()
    assert hook._handlers == []


def test_a_listener_that_was_added_twice_is_called_twice() -> None:
    hook, calls = EventHook(), []
    listener = recorder_of(calls, "it")
    hook += listener
    hook += listener
    hook.fire()
    hook -= listener
    hook.fire()
    assert len(calls) == 3


def test_what_is_not_callable_is_refused_by_name() -> None:
    hook: Any = EventHook()
    with pytest.raises(TypeError, match="must be callable, not NoneType"):
        hook.add_listener(None)
    assert hook._handlers == []


def test_fire_takes_no_positional_values() -> None:
    hook: Any = EventHook()
    with pytest.raises(TypeError, match="keyword arguments only"):
        hook.fire(1)


def test_a_hook_takes_no_arguments() -> None:
    with pytest.raises(TypeError):
        EventHook(1)  # type: ignore[call-arg]


def test_listeners_may_remove_themselves_and_others_while_firing() -> None:
    hook, calls = EventHook(), []

    def first(**kwargs: Any) -> None:
        calls.append("first")
        hook.remove_listener(first)
        hook.remove_listener(third)

    def second(**kwargs: Any) -> None:
        calls.append("second")

    def third(**kwargs: Any) -> None:
        calls.append("third")

    for listener in (first, second, third):
        hook += listener
    hook.fire()
    assert calls == ["first", "second", "third"]
    hook.fire()
    assert calls[3:] == ["second"]


def test_a_listener_added_while_firing_is_called_from_the_next_firing() -> None:
    hook, calls = EventHook(), []

    def late(**kwargs: Any) -> None:
        calls.append("late")

    def adds(**kwargs: Any) -> None:
        calls.append("adds")
        hook.add_listener(late)

    hook += adds
    hook.fire()
    assert calls == ["adds"]
    hook.remove_listener(adds)
    hook.fire()
    assert calls == ["adds", "late"]


def test_a_listener_may_fire_its_own_hook_with_other_names() -> None:
    hook, calls = EventHook(), []

    def listener(depth: int, more: str = "none", **kwargs: Any) -> None:
        calls.append((depth, more, kwargs))
        if depth == 0:
            hook.fire(other=1, more="some", depth=1)
            hook.fire(depth=2)

    hook += listener
    hook.fire(depth=0, third=3)
    assert calls == [(0, "none", {"third": 3}), (1, "some", {"other": 1}), (2, "none", {})]


def test_a_listener_may_switch_greenlets_while_others_fire() -> None:
    hook, calls = EventHook(), []

    def waiting(value: int, context: str = "none", **kwargs: Any) -> None:
        gevent.sleep(0)
        calls.append((value, context, kwargs))

    hook += waiting
    hook += waiting
    many = {f"name{i}": i for i in range(20)}
    greenlets = [
        gevent.spawn(hook.fire, value=1),
        gevent.spawn(hook.fire, context="some", value=2),
        gevent.spawn(hook.fire, value=3, **many),
        gevent.spawn(hook.remove_listener, waiting),
    ]
    gevent.joinall(greenlets, raise_error=True)
    expected = [(1, "none", {}), (2, "some", {}), (3, "none", many)]
    assert sorted(calls, key=lambda call: call[0]) == [call for call in expected for _ in range(2)]
    assert hook._handlers == [waiting]


def test_the_list_of_handlers_is_the_hooks_own() -> None:
    hook, calls = EventHook(), []
    listeners = [recorder_of(calls, name) for name in ("a", "b", "c")]
    hook += listeners[0]
    hook._handlers.append(listeners[1])
    hook._handlers.insert(0, listeners[2])
    hook.fire()
    assert [name for name, _ in calls] == ["c", "a", "b"]
    hook._handlers.clear()
    hook.fire()
    assert len(calls) == 3
    own = [listeners[0]]
    hook._handlers = own
    own.append(listeners[1])
    hook.fire()
    assert [name for name, _ in calls[3:]] == ["a", "b"]
    with pytest.raises(TypeError, match="list"):
        hook._handlers = None  # type: ignore[assignment]


def test_a_raising_listener_is_logged_and_the_others_are_called(
    caplog: pytest.LogCaptureFixture, log: types.ModuleType
) -> None:
    hook, calls = EventHook(), []

    def failing(**kwargs: Any) -> None:
        raise RuntimeError("the listener broke")

    hook += failing
    hook += recorder_of(calls, "after")
    hook.fire()
    assert [name for name, _ in calls] == ["after"]
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("root", logging.ERROR)
    assert record.message.startswith("Uncaught exception in event handler: \nTraceback ")
    assert record.message.rstrip().endswith("RuntimeError: the listener broke")
    assert "in failing" in record.message
    assert log.unhandled_greenlet_exception is True


@pytest.mark.parametrize(
    "exception", [StopUser, StopTest, RescheduleTask, RescheduleTaskImmediately, InterruptTaskSet]
)
def test_control_exceptions_pass_to_the_caller_at_once(
    exception: type[Exception], caplog: pytest.LogCaptureFixture, log: types.ModuleType
) -> None:
    hook, calls = EventHook(), []
    raised = exception()

    def stopping(**kwargs: Any) -> None:
        raise raised

    hook += stopping
    hook += recorder_of(calls, "after")
    with pytest.raises(exception) as caught:
        hook.fire()
    assert caught.value is raised
    assert [entry.name for entry in caught.traceback][-1] == "stopping"
    assert calls == [] and caplog.records == [] and not log.unhandled_greenlet_exception


@pytest.mark.parametrize("exception", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_exception_propagates(exception: type[BaseException]) -> None:
    hook = EventHook()

    def ending(**kwargs: Any) -> None:
        raise exception

    hook += ending
    with pytest.raises(exception):
        hook.fire()


def test_an_async_listener_is_announced_once(caplog: pytest.LogCaptureFixture) -> None:
    hook = EventHook()

    async def listener(**kwargs: Any) -> None:
        raise AssertionError

    hook += listener
    hook.fire()
    hook.fire()
    gc.collect()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "listener is a coroutine function" in record.message


def test_a_mock_gets_everything_by_name() -> None:
    hook, listener = EventHook(), mock.Mock()
    hook += listener
    hook.fire(a=1, b=2)
    listener.assert_called_once_with(a=1, b=2)


def test_a_wrapper_gets_what_the_wrapper_names() -> None:
    calls = []

    def inner(environment: Any) -> None:
        calls.append(environment)

    @functools.wraps(inner)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        assert args == ()
        inner(kwargs["environment"])

    events = Events()
    events.test_start += wrapper
    events.test_start.fire(environment="here")
    assert calls == ["here"]


def test_more_values_than_fit_the_small_call_arrive() -> None:
    hook, calls = EventHook(), []

    def listener(first: int, missing: str = "own", **kwargs: Any) -> None:
        calls.append((first, missing, kwargs))

    hook += listener
    values = {f"name{i}": i for i in range(40)}
    hook.fire(first=0, **values)
    assert calls == [(0, "own", values)]


def test_names_put_together_at_run_time_are_found() -> None:
    hook, calls = EventHook(), []
    hook.add_listener(lambda value: calls.append(value))
    for part in ("val", "val"):
        hook.fire(**{part + "ue": 7, "re" + "verse": True})
    assert calls == [7, 7]


def test_measure_fires_a_request() -> None:
    hook, calls = EventHook(), []
    hook += recorder_of(calls, "it")
    with hook.measure("GRPC", "call", response_length=3, context={"user": 1}) as meta:
        meta["url"] = "grpc://host"
        assert calls == []
    ((_, kwargs),) = calls
    assert kwargs.pop("response_time") >= 0
    assert kwargs.pop("start_time") > 1_600_000_000
    assert kwargs == {
        "request_type": "GRPC",
        "name": "call",
        "response_length": 3,
        "context": {"user": 1},
        "exception": None,
        "url": "grpc://host",
    }


def test_measure_swallows_an_exception_and_reports_it() -> None:
    hook, calls = EventHook(), []
    hook += recorder_of(calls, "it")
    with hook.measure("GRPC", "call"):
        raise RuntimeError("no answer")
    assert repr(calls[0][1]["exception"]) == "RuntimeError('no answer')"


def test_measure_lets_a_base_exception_pass() -> None:
    hook, calls = EventHook(), []
    hook += recorder_of(calls, "it")
    with pytest.raises(KeyboardInterrupt), hook.measure("GRPC", "call"):
        raise KeyboardInterrupt
    assert calls[0][1]["exception"] is None


def test_a_deprecated_hook_warns_when_a_listener_is_added(caplog: pytest.LogCaptureFixture) -> None:
    hook, calls = DeprecatedEventHook("use the other one"), []
    hook += recorder_of(calls, "it")
    hook.fire()
    assert [(r.levelno, r.message) for r in caplog.records] == [(logging.WARNING, "use the other one")]
    assert len(calls) == 1


def test_a_subclass_of_events_adds_hooks_by_annotation() -> None:
    class Mine(Events):
        something_of_mine: EventHook
        not_a_hook: int

    mine, other = Mine(), Mine()
    assert isinstance(mine.something_of_mine, EventHook)
    assert mine.something_of_mine is not other.something_of_mine
    assert isinstance(mine.request, EventHook)
    assert not hasattr(mine, "not_a_hook")


def test_a_hook_in_a_cycle_is_collected() -> None:
    class Plugin:
        def __init__(self) -> None:
            self.events = Events()
            self.events.request += self.listen

        def listen(self, **kwargs: Any) -> None:
            self.seen = kwargs

    plugin = Plugin()
    plugin.events.request.fire(request_type="GET")
    assert plugin.seen == {"request_type": "GET"}
    alive = weakref.ref(plugin)
    del plugin
    gc.collect()
    assert alive() is None
