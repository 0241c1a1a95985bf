"""Running one user in the foreground, in a debugger or on the terminal."""

from __future__ import annotations

import functools
import sys
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from locust_c.exception import CatchResponseError, StopTest

if TYPE_CHECKING:
    from locust_c.env import Environment
    from locust_c.user.users import User

__all__ = ["run_single_user"]


class _RequestPrinter:
    """Listens to requests and prints one line of tab-separated columns for each."""

    def __init__(self, *, length: bool, time: bool, context: bool, payload: bool) -> None:
        self._length = length
        self._time = time
        self._context = context
        self._payload = payload

    def print_header(self) -> None:
        names = {
            "start_time": "time",
            "request_type": "type",
            "name": "name",
            "response_time": "resp_ms",
            "response_length": "length",
            "exception": "exception",
            "context": "context",
            "payload": "payload",
        }
        self._print(names)

    def print_request(
        self, start_time: float | None, exception: Any, response: Any = None, **values: Any
    ) -> None:
        values["start_time"] = datetime.fromtimestamp(start_time, UTC) if start_time is not None else ""
        values["response_time"] = round(values["response_time"] or 0)
        # What a task said with response.failure("text") is that text.
        said = isinstance(exception, CatchResponseError)
        values["exception"] = str(exception) if said else exception or ""
        if self._payload:
            request = getattr(response, "request", None)
            values["payload"] = getattr(request, "body", None) or ""
        self._print(values)

    def _print(self, values: dict[str, Any]) -> None:
        # Flushed: with a debugger the next line may be minutes away.
        print("\t".join(self._columns(values)), flush=True)

    def _columns(self, values: dict[str, Any]) -> Iterator[str]:
        if self._time:
            yield f"{values['start_time']!s:32}"
        yield str(values["request_type"])
        yield f"{values['name']:50}"
        yield f"{values['response_time']:<7}"
        if self._length:
            yield f"{values['response_length']:<6}"
        yield f"{_one_line(values['exception']):9}"
        if self._context:
            yield _one_line(values["context"])
        if self._payload:
            yield _one_line(values["payload"])


def _one_line(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = value if isinstance(value, str) else str(value) if isinstance(value, dict) else repr(value)
    return " ".join(text.split())


@functools.lru_cache(maxsize=1)
def _options() -> Namespace:
    from locust_c import argument_parser

    return argument_parser.get_parser().parse_args()


@functools.lru_cache(maxsize=1)
def _environment() -> Environment:
    """The environment of every single user of the process."""
    import locust_c
    from locust_c.env import Environment

    options = _options()
    environment = Environment(events=locust_c.events, host=options.host, parsed_options=options)
    environment.events.init.fire(environment=environment, runner=None, web_ui=None)
    return environment


def run_single_user(
    user_class: type[User],
    include_length: bool = False,
    include_time: bool = False,
    include_context: bool = False,
    include_payload: bool = False,
    loglevel: str = "WARNING",
) -> None:
    """Run one user of ``user_class`` until it stops, and print its requests to stdout.

    The options of the command line apply, ``--host`` above all; there is no runner and no web UI, and the
    user is ``environment.single_user_instance``. The event ``init`` is fired the first time, ``test_start``
    each time, ``test_stop`` and ``quit`` never (Locust's documented behaviour). The ``include_…`` arguments
    add columns; ``loglevel`` is that of the log. Without a host the process exits with a message and code 1.
    """
    from locust_c import log

    if not _options().skip_log_setup:
        log.setup_logging(loglevel)
    environment = _environment()
    if environment.host is not None:
        user_class.host = environment.host
    printer = _RequestPrinter(
        length=include_length, time=include_time, context=include_context, payload=include_payload
    )
    printer.print_header()
    environment.events.request.add_listener(printer.print_request)
    try:
        environment.events.test_start.fire(environment=environment)
        user = user_class(environment)
        environment.single_user_instance = user  # type: ignore[attr-defined]
        user.run()
    except StopTest as stop:
        sys.exit(str(stop))
    finally:
        environment.events.request.remove_listener(printer.print_request)
