"""Events: what happens during a test, and who wants to know.

An ``EventHook`` keeps the listeners of one event; the dispatch itself is C. ``Events`` has one hook
for every event of today's Locust and, under their old names, for those of its older versions.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from . import _core
from .exception import (
    InterruptTaskSet,
    RescheduleTask,
    RescheduleTaskImmediately,
    StopTest,
    StopUser,
)
from .listener import Documentation, Handler, Order, bind_listener, describe_handler
from .util.exits import traceback_of

HandlerT = TypeVar("HandlerT", bound=Handler)

CONTROL_EXCEPTIONS = (StopUser, StopTest, RescheduleTask, RescheduleTaskImmediately, InterruptTaskSet)


def mark_unhandled_exception() -> None:
    """Notes that an exception was logged that nobody handled: the process will exit with code 2."""
    from . import log

    log.unhandled_greenlet_exception = True


class EventHook(_core.EventHook):
    """The listeners of one event.

    Add one with ``hook.add_listener(f)``, also as a decorator, or ``hook += f``; remove it with
    ``hook.remove_listener(f)`` or ``hook -= f``; ``hook.fire(**kwargs)`` calls them all. A listener is
    passed those keyword arguments that its signature names, and all of them if it has ``**kwargs``.
    """

    _documentation: Documentation | None = None

    @contextmanager
    def measure(
        self,
        request_type: str,
        name: str,
        response_length: int = 0,
        context: dict[str, Any] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Times the body of the ``with`` block and fires the event with it as a request.

        Yields the keyword arguments that will be fired, for the body to change or add to;
        ``response_length`` is in bytes. An ``Exception`` of the body is swallowed and makes the
        request a failed one (Locust's documented behaviour).
        """
        request_meta: dict[str, Any] = {
            "request_type": request_type,
            "name": name,
            "response_length": response_length,
            "context": context or {},
            "exception": None,
            "start_time": time.time(),
        }
        start = time.perf_counter()
        try:
            yield request_meta
        except Exception as exception:
            request_meta["exception"] = exception
        finally:
            request_meta["response_time"] = (time.perf_counter() - start) * 1000
            self.fire(**request_meta)

    def _bind(self, handler: Handler) -> _core.Listener:
        return bind_listener(handler, self._documentation)

    def _listener_failed(self, exception: Exception) -> bool:
        if isinstance(exception, CONTROL_EXCEPTIONS):
            return True
        text = traceback_of(exception)
        logging.getLogger().error("Uncaught exception in event handler: \n%s", text)
        mark_unhandled_exception()
        return False

    def _coroutine_returned(self, handler: Handler, coroutine: Any) -> None:
        coroutine.close()
        # Made when needed: a subclass may have an __init__ of its own that does not call ours.
        told: list[Handler] = vars(self).setdefault("_told_async", [])
        if not any(known is handler for known in told):
            told.append(handler)
            logging.getLogger().warning(
                "The listener %s is a coroutine function: its body never runs", describe_handler(handler)
            )


class DeprecatedEventHook(EventHook):
    """A hook that logs ``message`` as a WARNING whenever a listener is added."""

    def __init__(self, message: str) -> None:
        self.message = message

    def add_listener(self, handler: HandlerT) -> HandlerT:
        """Adds a listener, as ``EventHook.add_listener``."""
        logging.getLogger().warning(self.message)
        return super().add_listener(handler)


class OldRequestHook(EventHook):
    """``request_success`` or ``request_failure``.

    The ``request`` event calls its listeners. A custom client of an older version fires it itself:
    by position until 0.6, by name since; that counts as a request.
    """

    def __init__(self, request: EventHook, documentation: Documentation, failed: bool) -> None:
        self._documentation = documentation
        self._condition = bind_listener(is_failed if failed else is_successful, None)
        self._request = request
        self._failed = failed

    def fire(self, *args: Any, reverse: bool = False, **kwargs: Any) -> None:
        """Records the sample and calls the listeners; see ``EventHook.fire``."""
        values = self._name_values(args, kwargs) if args else kwargs
        self._request.record(**self._as_sample(values))
        super().fire(reverse=reverse, **values)

    def _name_values(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Names what was fired by position: how many there are tells the version."""
        assert self._documentation is not None
        orders = self._documentation.orders
        for order in orders:
            if len(order) >= len(args) and all(name in kwargs for name in order[len(args) :]):
                break
        else:
            few, many = min(map(len, orders)), max(map(len, orders))
            raise TypeError(
                f"{self._documentation.event}.fire() takes {few} or {many} values, not {len(args)}"
            )
        values = dict(zip(order, args, strict=False)) | kwargs
        if isinstance(values.get("response"), int):
            values["response_length"] = values.pop("response")  # 0.6 passed this one instead
        return values

    def _as_sample(self, values: dict[str, Any]) -> dict[str, Any]:
        """What was fired, with the values that some version did not pass."""
        sample = dict(values)
        if "request_type" not in values:
            sample["request_type"] = values.get("method", "")
        if "name" not in values and "path" in values:
            sample["name"] = values["path"]
        if "response_length" not in values:
            sample["response_length"] = _length_of(values.get("response"))
        sample["exception"] = (values.get("exception") or "no exception") if self._failed else None
        return sample


def _length_of(response: Any) -> int:
    """The bytes of a response's body, which had another name in each version; 0: not known."""
    for attribute in ("content", "data"):
        body = getattr(response, attribute, None)
        if isinstance(body, (bytes, str)):
            return len(body)
    return 0


def is_failed(exception: object = None) -> bool:
    """Whether the request that was fired failed."""
    return bool(exception)


def is_successful(exception: object = None) -> bool:
    """Whether the request that was fired did not fail."""
    return not exception


def is_on_master(environment: Any = None) -> bool:
    """Whether the event of a test was fired on a master."""
    from .runners import MasterRunner

    return isinstance(getattr(environment, "runner", None), MasterRunner)


def is_on_load_generator(environment: Any = None) -> bool:
    """Whether the event of a test was fired where users run: locally or on a worker."""
    return not is_on_master(environment)


_REQUEST: Order = (
    "request_type",
    "name",
    "response_time",
    "response_length",
    "response",
    "context",
    "exception",
    "start_time",
    "url",
)
_OLD_REQUEST: Order = ("request_type", "name", "response_time", "response_length", "exception", "response")
_OLD_REQUEST_NAMES = (("method", "request_type"), ("path", "name"))

# The keyword arguments of each event, in the order of Locust's documentation.
_DOCUMENTED = {
    document.event: document
    for document in (
        Documentation("init_command_line_parser", ("parser",)),
        Documentation("init", ("environment", "runner", "web_ui")),
        Documentation("test_start", ("environment",)),
        Documentation("spawning_complete", ("user_count",)),
        Documentation("request", _REQUEST),
        Documentation("user_error", ("user_instance", "exception", "tb")),
        Documentation("report_to_master", ("client_id", "data")),
        Documentation("worker_report", ("client_id", "data")),
        Documentation("worker_connect", ("client_id",)),
        Documentation("heartbeat_sent", ("client_id", "timestamp")),
        Documentation("heartbeat_received", ("client_id", "timestamp")),
        Documentation("cpu_warning", ("environment", "cpu_usage")),
        Documentation("usage_monitor", ("environment", "cpu_usage", "memory_usage")),
        Documentation("reset_stats", ()),
        Documentation("test_stopping", ("environment",)),
        Documentation("test_stop", ("environment",)),
        Documentation("quitting", ("environment",)),
        Documentation("quit", ("exit_code",)),
        Documentation(
            "request_success",
            _OLD_REQUEST,
            (
                ("method", "path", "response_time", "response"),
                ("method", "path", "response_time", "response_length"),
                ("path", "response_time", "response"),
            ),
            _OLD_REQUEST_NAMES,
        ),
        Documentation(
            "request_failure",
            _OLD_REQUEST,
            (
                ("method", "path", "response_time", "exception", "response"),
                ("path", "response_time", "exception", "response"),
            ),
            _OLD_REQUEST_NAMES,
        ),
        Documentation(
            "locust_error",
            ("user_instance", "exception", "tb"),
            (("locust_instance", "exception", "tb"), ("locust_instance", "exception")),
            (("locust_instance", "user_instance"), ("traceback", "tb")),
        ),
        Documentation("slave_report", ("client_id", "data")),
        Documentation("hatch_complete", ("user_count",)),
        Documentation("master_start_hatching", ()),
        Documentation("master_stop_hatching", ()),
        Documentation("locust_start_hatching", ()),
        Documentation("locust_stop_hatching", ()),
    )
}

# Events of today and what older versions called them; a condition says when the old one applies.
_OLD_NAMES: tuple[tuple[str, str, Callable[..., bool] | None], ...] = (
    ("user_error", "locust_error", None),
    ("worker_report", "slave_report", None),
    ("spawning_complete", "hatch_complete", None),
    ("test_start", "master_start_hatching", is_on_master),
    ("test_start", "locust_start_hatching", is_on_load_generator),
    ("test_stop", "master_stop_hatching", is_on_master),
    ("test_stop", "locust_stop_hatching", is_on_load_generator),
)


class Events:
    """One hook for each event; a subclass adds its own by annotation: ``my_event: EventHook``."""

    init_command_line_parser: EventHook
    """``parser``: a command line parser was made; listeners add their own options to it."""
    init: EventHook
    """``environment, runner, web_ui``: they exist, nothing was started yet."""
    test_start: EventHook
    """``environment``: once for each test, before its users are spawned."""
    spawning_complete: EventHook
    """``user_count``: all users of a ramp were spawned."""
    request: EventHook
    """``request_type, name, response_time`` (ms), ``response_length`` (bytes), ``response, context,
    exception, start_time`` (seconds since the epoch), ``url``: a request was finished."""
    user_error: EventHook
    """``user_instance, exception, tb``: a task or an ``on_start`` raised."""
    report_to_master: EventHook
    """``client_id, data``: a worker is about to send its report; listeners may add to ``data``."""
    worker_report: EventHook
    """``client_id, data``: the master got a worker's report."""
    worker_connect: EventHook
    """``client_id``: a worker is ready."""
    heartbeat_sent: EventHook
    """``client_id, timestamp``: the master answers a heartbeat."""
    heartbeat_received: EventHook
    """``client_id, timestamp``: a worker got the master's heartbeat."""
    cpu_warning: EventHook
    """``environment, cpu_usage`` (percent): the load generator is short of processor time."""
    usage_monitor: EventHook
    """``environment, cpu_usage`` (percent), ``memory_usage`` (bytes): sampled at intervals."""
    reset_stats: EventHook
    """The statistics were reset in the web UI."""
    test_stopping: EventHook
    """``environment``: the test ends, its users still run."""
    test_stop: EventHook
    """``environment``: the test has ended, its users are stopped."""
    quitting: EventHook
    """``environment``: the process is about to end; listeners may set its exit code."""
    quit: EventHook
    """``exit_code``: the process ends."""

    request_success: EventHook
    """Before 1.5: a request was finished and did not fail."""
    request_failure: EventHook
    """Before 1.5: a request failed."""
    locust_error: EventHook
    """Before 1.0: ``user_error``."""
    slave_report: EventHook
    """Before 1.0: ``worker_report``."""
    hatch_complete: EventHook
    """Before 1.2: ``spawning_complete``."""
    master_start_hatching: EventHook
    """Before 1.0: ``test_start`` on the master."""
    master_stop_hatching: EventHook
    """Before 1.0: ``test_stop`` on the master."""
    locust_start_hatching: EventHook
    """Before 1.0: ``test_start`` where users run."""
    locust_stop_hatching: EventHook
    """Before 1.0: ``test_stop`` where users run."""

    def __init__(self) -> None:
        for cls in reversed(type(self).__mro__):
            for name, annotation in inspect.get_annotations(cls).items():
                if _is_event_hook(annotation):
                    hook = EventHook()
                    hook._documentation = _DOCUMENTED.get(name)
                    setattr(self, name, hook)
        self._connect_old_names()

    def _connect_old_names(self) -> None:
        success, failure = _DOCUMENTED["request_success"], _DOCUMENTED["request_failure"]
        self.request_success = OldRequestHook(self.request, success, failed=False)
        self.request_failure = OldRequestHook(self.request, failure, failed=True)
        self.request._companions = (self.request_success, self.request_failure)
        for name, old_name, condition in _OLD_NAMES:
            hook: EventHook = getattr(self, name)
            old_hook: EventHook = getattr(self, old_name)
            old_hook._condition = bind_listener(condition, None) if condition else None
            hook._companions = (*hook._companions, old_hook)


def _is_event_hook(annotation: object) -> bool:
    """Also for an annotation that is still a string, as in a module with postponed ones."""
    if isinstance(annotation, str):
        return annotation.rpartition(".")[2] == "EventHook"
    return annotation is EventHook
