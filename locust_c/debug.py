"""Running one user without a runner, so that a locustfile can be debugged like any other program."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from locust_c.exception import CatchResponseError, StopTest

if TYPE_CHECKING:
    from locust_c.env import Environment
    from locust_c.user.users import User

__all__ = ["PrintListener", "run_single_user"]

_cache: dict[str, Environment] = {}


class PrintListener:
    """Prints one tab-separated line per request to stdout; a listener of the request event.

    The time is that of the start; a response time of None is shown as -1.

    `include_length`, `include_time`, `include_context` and `include_payload` add columns.
    """

    def __init__(
        self,
        environment: Environment,
        include_length: bool = False,
        include_time: bool = False,
        include_context: bool = False,
        include_payload: bool = False,
    ) -> None:
        self.include_length = include_length
        self.include_time = include_time
        self.include_context = include_context
        self.include_payload = include_payload
        environment.events.request.add_listener(self.on_request)
        titles = ("length", "exception", "context", "payload")
        self._print_row(f"{'time':32}", "type", f"{'name':50}", "resp_ms", *titles)

    def on_request(
        self,
        request_type: str,
        name: str,
        response_time: float | None,
        response_length: int,
        exception: Any = None,
        context: dict[str, Any] | None = None,
        start_time: float | None = None,
        response: Any = None,
        **_: Any,
    ) -> None:
        time = datetime.fromtimestamp(start_time, UTC) if start_time is not None else datetime.now(UTC)
        self._print_row(
            str(time),
            request_type,
            f"{name:<50}",
            f"{-1 if response_time is None else round(response_time):<7}",
            str(response_length),
            f"{self._reason(exception):<9}",
            str(context) if context else "",
            self._payload(response),
        )

    @staticmethod
    def _reason(exception: Any) -> str:
        """A failure that the task has declared is shown in the task's own words, on one line."""
        if isinstance(exception, CatchResponseError):
            return str(exception).replace("\n", "\\n")
        return repr(exception) if exception else ""

    @staticmethod
    def _payload(response: Any) -> str:
        body = getattr(getattr(response, "request", None), "body", None)
        return body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")

    def _print_row(
        self,
        time: str,
        kind: str,
        name: str,
        ms: str,
        length: str,
        exception: str,
        context: str,
        payload: str,
    ) -> None:
        columns = [(self.include_time, time), (True, kind), (True, name), (True, ms)]
        columns += [(self.include_length, length), (True, exception)]
        columns += [(self.include_context, context), (self.include_payload, payload)]
        print("\t".join(text for wanted, text in columns if wanted), flush=True)


def _environment(loglevel: str | None, **columns: bool) -> Environment:
    """The environment of this process, made at the first call: it announces itself only once."""
    import locust_c
    from locust_c import argument_parser, log
    from locust_c.env import Environment

    environment = _cache.get("environment")
    if environment is not None:
        return environment
    options = argument_parser.get_parser().parse_args(sys.argv[1:])
    if loglevel is not None:
        log.setup_logging(loglevel)
    environment = Environment(events=locust_c.events, host=options.host, parsed_options=options)
    environment.events.request.add_recorder(environment.stats.table)
    PrintListener(environment, **columns)
    environment.events.init.fire(environment=environment, runner=None, web_ui=None)
    if log.unhandled_greenlet_exception:
        sys.exit("An init listener failed: no user is started.")
    _cache["environment"] = environment
    return environment


def run_single_user(
    user_class: type[User],
    include_length: bool = False,
    include_time: bool = False,
    include_context: bool = False,
    include_payload: bool = False,
    loglevel: str | None = "WARNING",
) -> None:
    """Runs one user of this class in the current greenlet, until it stops or Ctrl-C.

    Prints each request to stdout; the arguments add columns to that. `loglevel`: of the log, or None to
    leave logging as it is. Fires `init` once in a process and `test_start` each time (Locust's documented
    behaviour). Without a host, or if an `init` listener fails, the process exits with one line and code 1.
    """
    environment = _environment(
        loglevel,
        include_length=include_length,
        include_time=include_time,
        include_context=include_context,
        include_payload=include_payload,
    )
    if environment.host:
        user_class.host = environment.host
    environment.events.test_start.fire(environment=environment)
    try:
        user = user_class(environment)
        environment.single_user_instance = user  # type: ignore[attr-defined]
        user.run()
    except StopTest as stop:
        sys.exit(str(stop))
    except KeyboardInterrupt:
        print()
