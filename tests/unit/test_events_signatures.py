"""Listeners of every version of Locust get the values they were written for, in one run."""

from __future__ import annotations

import functools
import logging
import types
from collections.abc import Callable
from typing import Any

import pytest

import locust_c.log
from locust_c.event import EventHook, Events
from locust_c.runners import MasterRunner

RESPONSE = object()
BROKEN = RuntimeError("broken")
CONTEXT = {"user": "me"}
TODAY = {
    "request_type": "GET",
    "name": "/x",
    "response_time": 12.5,
    "response_length": 100,
    "response": RESPONSE,
    "context": CONTEXT,
    "exception": None,
    "start_time": 1.5,
    "url": "http://host/x",
}
FAILED = TODAY | {"exception": BROKEN}
ERROR = {"user_instance": "a user", "exception": BROKEN, "tb": "a traceback"}

seen: list[Any] = []


def takes_all(*args: Any) -> None:
    seen.append(args)


class Plugin:
    def listen(self, method: Any, path: Any, ms: Any, response: Any) -> None:
        takes_all(method, path, ms, response)

    def __call__(self, request_type: Any, name: Any, **kwargs: Any) -> None:
        takes_all(request_type, name, sorted(kwargs))


def prefixed(prefix: Any, path: Any, ms: Any, response: Any) -> None:
    takes_all(prefix, path, ms, response)


def todays_listener(
    request_type: Any,
    name: Any,
    response_time: Any,
    response_length: Any,
    response: Any,
    context: Any,
    exception: Any,
    start_time: Any,
    url: Any,
) -> None:
    """Takes just the values of today's event, so that one more would fail."""
    takes_all(
        request_type, name, response_time, response_length, response, context, exception, start_time, url
    )


OLD_EXTRAS = ["method", "path"]

# (event listened to, listener, event fired, values fired, what the listener sees)
ERAS: list[tuple[str, Callable[..., Any], str, dict[str, Any], tuple[Any, ...]]] = [
    # 0.3 and 0.4: by position, three and four values
    ("request_success", lambda p, t, r: takes_all(p, t, r), "request", TODAY, ("/x", 12.5, RESPONSE)),
    (
        "request_success",
        lambda path, response_time, response: takes_all(path, response_time, response),
        "request",
        TODAY,
        ("/x", 12.5, RESPONSE),
    ),
    (
        "request_failure",
        lambda p, t, e, r: takes_all(p, t, e, r),
        "request",
        FAILED,
        ("/x", 12.5, BROKEN, RESPONSE),
    ),
    (
        "request_failure",
        lambda path, response_time, exception, response: takes_all(path, response_time, exception, response),
        "request",
        FAILED,
        ("/x", 12.5, BROKEN, RESPONSE),
    ),
    ("locust_error", lambda who, what: takes_all(who, what), "user_error", ERROR, ("a user", BROKEN)),
    (
        "locust_error",
        lambda locust_instance, exception: takes_all(locust_instance, exception),
        "user_error",
        ERROR,
        ("a user", BROKEN),
    ),
    # 0.5: the method came first
    (
        "request_success",
        lambda m, p, t, r: takes_all(m, p, t, r),
        "request",
        TODAY,
        ("GET", "/x", 12.5, RESPONSE),
    ),
    (
        "request_success",
        lambda method, path, response_time, response, **kw: takes_all(method, path, response_time, response),
        "request",
        TODAY,
        ("GET", "/x", 12.5, RESPONSE),
    ),
    (
        "request_failure",
        lambda m, p, t, e, r: takes_all(m, p, t, e, r),
        "request",
        FAILED,
        ("GET", "/x", 12.5, BROKEN, RESPONSE),
    ),
    (
        "request_failure",
        lambda method, url, ms, exception, **kw: takes_all(method, url, ms, exception, kw["path"]),
        "request",
        FAILED,
        ("GET", "/x", 12.5, BROKEN, "/x"),
    ),
    # 0.6: the length instead of the response, and a traceback
    (
        "request_success",
        lambda method, path, response_time, response_length: takes_all(
            method, path, response_time, response_length
        ),
        "request",
        TODAY,
        ("GET", "/x", 12.5, 100),
    ),
    (
        "request_success",
        lambda m, p, t, length: takes_all(m, p, t, length),
        "request",
        TODAY,
        ("GET", "/x", 12.5, 100),
    ),
    (
        "locust_error",
        lambda locust_instance, exception, traceback: takes_all(locust_instance, exception, traceback),
        "user_error",
        ERROR,
        ("a user", BROKEN, "a traceback"),
    ),
    (
        "locust_error",
        lambda a, b, c: takes_all(a, b, c),
        "user_error",
        ERROR,
        ("a user", BROKEN, "a traceback"),
    ),
    # 0.7 to 1.4: by name
    (
        "request_success",
        lambda request_type, name, response_time, response_length: takes_all(
            request_type, name, response_time, response_length
        ),
        "request",
        TODAY,
        ("GET", "/x", 12.5, 100),
    ),
    (
        "request_failure",
        lambda request_type, name, response_time, exception: takes_all(
            request_type, name, response_time, exception
        ),
        "request",
        FAILED,
        ("GET", "/x", 12.5, BROKEN),
    ),
    (
        "request_failure",
        lambda request_type, name, response_time, response_length, exception, **kw: takes_all(
            request_type, name, response_time, response_length, exception
        ),
        "request",
        FAILED,
        ("GET", "/x", 12.5, 100, BROKEN),
    ),
    (
        "locust_error",
        lambda locust_instance, exception, tb, **kw: takes_all(locust_instance, exception, tb),
        "user_error",
        ERROR,
        ("a user", BROKEN, "a traceback"),
    ),
    (
        "locust_error",
        lambda **kw: takes_all(kw["locust_instance"], kw["tb"]),
        "user_error",
        ERROR,
        ("a user", "a traceback"),
    ),
    (
        "slave_report",
        lambda client_id, data: takes_all(client_id, data),
        "worker_report",
        {"client_id": "w", "data": {}},
        ("w", {}),
    ),
    (
        "hatch_complete",
        lambda user_count: takes_all(user_count),
        "spawning_complete",
        {"user_count": 3},
        (3,),
    ),
    ("hatch_complete", lambda count: takes_all(count), "spawning_complete", {"user_count": 3}, (3,)),
    ("quitting", lambda: takes_all("quit"), "quitting", {"environment": "env"}, ("quit",)),
    # today
    (
        "request",
        todays_listener,
        "request",
        TODAY,
        tuple(TODAY.values()),
    ),
    (
        "request",
        lambda name, exception, **kw: takes_all(name, exception, len(kw)),
        "request",
        FAILED,
        ("/x", BROKEN, 7),
    ),
    ("request", lambda **kw: takes_all(kw), "request", TODAY, (TODAY,)),
    ("request", lambda *args, **kw: takes_all(args, kw), "request", TODAY, ((), TODAY)),
    ("request", lambda method, path, **kw: takes_all(method, path), "request", TODAY, ("GET", "/x")),
    (
        "user_error",
        lambda user_instance, exception, tb: takes_all(user_instance, tb),
        "user_error",
        ERROR,
        ("a user", "a traceback"),
    ),
    (
        "user_error",
        lambda locust_instance, **kw: takes_all(locust_instance),
        "user_error",
        ERROR,
        ("a user",),
    ),
    (
        "test_start",
        lambda environment, **kw: takes_all(environment, kw),
        "test_start",
        {"environment": "env"},
        ("env", {}),
    ),
    ("test_start", lambda env: takes_all(env), "test_start", {"environment": "env"}, ("env",)),
    # forms of parameters
    ("request", lambda *, name, url: takes_all(name, url), "request", TODAY, ("/x", "http://host/x")),
    ("request", lambda a, b, c, /: takes_all(a, b, c), "request", TODAY, ("GET", "/x", 12.5)),
    ("request", lambda name, /, **kw: takes_all(name, kw["name"]), "request", TODAY, ("GET", "/x")),
    ("request", lambda name, extra="own": takes_all(name, extra), "request", TODAY, ("/x", "own")),
    ("request", lambda a, b="own", /: takes_all(a, b), "request", TODAY, ("GET", "/x")),
    ("request", lambda a, name="own", /: takes_all(a, name), "request", TODAY, ("GET", "/x")),
    ("request", lambda name, url="own": takes_all(name, url), "request", TODAY, ("/x", "http://host/x")),
    ("request", takes_all, "request", TODAY, tuple(TODAY.values())),
    ("request_success", takes_all, "request", TODAY, ("GET", "/x", 12.5, RESPONSE)),
    ("request", lambda a, *more: takes_all(a, *more), "request", TODAY, tuple(TODAY.values())),
    ("request_success", Plugin().listen, "request", TODAY, ("GET", "/x", 12.5, RESPONSE)),
    (
        "request_success",
        Plugin(),
        "request",
        TODAY,
        ("GET", "/x", sorted(OLD_EXTRAS + [n for n in TODAY if n not in ("request_type", "name")])),
    ),
    (
        "request_success",
        functools.partial(prefixed, "mine"),
        "request",
        TODAY,
        ("mine", "/x", 12.5, RESPONSE),
    ),
    (
        "request",
        functools.partial(prefixed, "mine", ms=1, response=2),
        "request",
        TODAY,
        ("mine", "/x", 1, RESPONSE),
    ),
    ("test_start", seen.append, "test_start", {"environment": ("env",)}, ("env",)),
]


@pytest.fixture(autouse=True)
def no_calls_yet() -> None:
    seen.clear()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The module that holds the flag of exceptions that nobody handled, not raised yet."""
    monkeypatch.setattr(locust_c.log, "unhandled_greenlet_exception", False)
    return locust_c.log


@pytest.mark.parametrize(
    "listens, listener, fires, values, expected", ERAS, ids=[f"{e[0]}-{i}" for i, e in enumerate(ERAS)]
)
def test_a_listener_gets_what_its_signature_names(
    listens: str,
    listener: Callable[..., Any],
    fires: str,
    values: dict[str, Any],
    expected: tuple[Any, ...],
    caplog: pytest.LogCaptureFixture,
) -> None:
    events = Events()
    getattr(events, listens).add_listener(listener)
    for _ in range(2):
        getattr(events, fires).fire(**values)
    assert seen == [expected, expected]
    assert caplog.records == []


def test_listeners_of_every_version_work_in_one_run(caplog: pytest.LogCaptureFixture) -> None:
    events, expected = Events(), []
    for listens, listener, fires, values, sees in ERAS:
        if listens == "request_success" and fires == "request" and values is TODAY:
            hook = getattr(events, listens)
            hook += listener
            expected.append(sees)
    assert len(expected) > 8
    events.request.fire(**TODAY)
    assert seen == expected and caplog.records == []


def test_the_listener_of_the_document_works() -> None:
    events = Events()

    def my_success_handler(method, path, response_time, response, **kw):  # type: ignore[no-untyped-def]
        seen.append(f"Successfully fetched: {path}")

    events.request_success += my_success_handler
    events.request.fire(**TODAY)
    events.request.fire(**FAILED)
    assert seen == ["Successfully fetched: /x"]


def test_an_old_event_hears_of_its_own_outcome_only() -> None:
    events = Events()
    events.request_success += lambda name, **kw: takes_all("success", name)
    events.request_failure += lambda name, **kw: takes_all("failure", name)
    events.request.fire(**TODAY)
    events.request.fire(**FAILED)
    events.request.fire(request_type="GET", name="/y", response_time=1, response_length=0)
    assert seen == [("success", "/x"), ("failure", "/x"), ("success", "/y")]


def test_new_listeners_are_called_before_those_of_the_old_name() -> None:
    events = Events()
    events.request_success += lambda **kw: takes_all("old")
    events.request += lambda **kw: takes_all("new")
    events.request.fire(**TODAY)
    assert seen == [("new",), ("old",)]


def test_documented_values_that_were_not_fired_are_none() -> None:
    events = Events()
    events.request += lambda name, response, url, start_time, context: takes_all(
        response, url, start_time, context
    )
    events.request_success += lambda m, p, t, r: takes_all(m, p, t, r)
    events.request.fire(request_type="MQTT", name="topic", response_time=1, response_length=0)
    assert seen == [(None, None, None, {}), ("MQTT", "topic", 1, None)]


@pytest.mark.parametrize(
    "args, expected",
    [
        (("GET", "/x", 12, RESPONSE), ("GET", "/x", 12, RESPONSE)),
        (("/x", 12, RESPONSE), (None, "/x", 12, RESPONSE)),
        (("GET", "/x", 12, 77), ("GET", "/x", 12, None)),
    ],
)
def test_old_clients_fire_by_position(args: tuple[Any, ...], expected: tuple[Any, ...]) -> None:
    events: Any = Events()
    events.request_success += lambda m, p, t, r: takes_all(m, p, t, r)
    events.request_success.fire(*args)
    assert seen == [expected]


def test_old_clients_fire_failures_by_position_and_keyword() -> None:
    events: Any = Events()
    events.request_failure += lambda request_type, name, response_time, exception, response: takes_all(
        request_type, name, response_time, exception, response
    )
    events.request_failure.fire("/x", 12, BROKEN, response=None)
    events.request_failure.fire("POST", "/x", 12, BROKEN, RESPONSE)
    assert seen == [(None, "/x", 12, BROKEN, None), ("POST", "/x", 12, BROKEN, RESPONSE)]


def test_a_wrong_number_of_values_by_position_is_a_type_error() -> None:
    events: Any = Events()
    with pytest.raises(TypeError, match=r"request_success\.fire\(\) takes 3 or 4 values, not 2"):
        events.request_success.fire("/x", 12)


def test_hatching_events_are_fired_on_their_node() -> None:
    events, old_names = Events(), []
    for node in ("master", "locust"):
        for what in ("start", "stop"):
            old_names.append(f"{node}_{what}_hatching")
            getattr(events, old_names[-1]).add_listener(lambda name=old_names[-1]: takes_all(name))
    # A master without its constructor, which would open sockets.
    for runner in (MasterRunner.__new__(MasterRunner), None):
        environment = types.SimpleNamespace(runner=runner)
        events.test_start.fire(environment=environment)
        events.test_stop.fire(environment=environment)
    assert [name for (name,) in seen] == old_names


@pytest.mark.parametrize(
    "listener, parameter",
    [
        (lambda environment, nonsense: None, "nonsense"),
        (lambda *, nonsense, **kw: None, "nonsense"),
        (lambda a, b, c, /: None, "a"),
    ],
)
def test_a_parameter_nobody_can_serve_is_announced_and_fails_when_fired(
    listener: Callable[..., Any],
    parameter: str,
    caplog: pytest.LogCaptureFixture,
    log: types.ModuleType,
) -> None:
    events = Events()
    events.test_start += listener
    assert caplog.records[0].levelno == logging.WARNING
    message = caplog.records[0].message
    assert f"'{parameter}'" in message and "test_start" in message and __name__ in message
    caplog.clear()
    events.test_start += lambda **kw: takes_all("next")
    events.test_start.fire(environment="env")
    (record,) = caplog.records
    assert record.message.startswith("Uncaught exception in event handler: \n")
    assert "missing" in record.message and f"'{parameter}'" in record.message
    assert seen == [("next",)] and log.unhandled_greenlet_exception


def test_a_name_that_contradicts_the_order_is_not_bound_by_position(
    caplog: pytest.LogCaptureFixture, log: types.ModuleType
) -> None:
    events = Events()
    events.request += lambda name, something: takes_all(name, something)
    assert "'something'" in caplog.records[0].message
    events.request.fire(**TODAY)
    assert seen == [] and log.unhandled_greenlet_exception
    events.request.fire(**TODAY, something="else")
    assert seen == [("/x", "else")]


def test_a_c_function_without_signature_gets_everything_by_name() -> None:
    hook = EventHook()
    values: dict[str, Any] = {}
    hook += values.update
    hook.fire(a=1, b=2)
    assert values == {"a": 1, "b": 2}


def test_an_event_of_ones_own_is_passed_what_the_listener_names(
    caplog: pytest.LogCaptureFixture, log: types.ModuleType
) -> None:
    hook = EventHook()
    hook += lambda b, a, c=3: takes_all(a, b, c)
    hook.fire(a=1, b=2, d=4)
    hook.fire(c=5, b=2, a=1)
    assert seen == [(1, 2, 3), (1, 2, 5)] and caplog.records == []
    hook.fire(a=1)
    assert "missing 1 required positional argument: 'b'" in caplog.records[0].message
    assert log.unhandled_greenlet_exception
