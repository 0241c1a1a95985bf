"""`response.timings`: when each step of a request was done, as the engine measured it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from locust_c._core import PHASES

if TYPE_CHECKING:
    from locust_c import _core

__all__ = ["Timings", "make_timings", "response_time_ms"]


@dataclass(frozen=True, slots=True, repr=False)
class Timings:
    """The moments of one exchange of request and response.

    `due` is epoch seconds; the others are seconds after it, as in the variables of curl's `--write-out` that
    are named here. None: the step did not happen (a kept connection is not connected again), or the request
    failed before its end. Of redirects the last exchange counts; of a streamed response all up to its head.
    """

    #: When the response time begins: the request goes to the kernel, or a connection is asked for.
    due: float
    #: The host's name was looked up (time_namelookup).
    lookup: float | None
    #: The TCP connection, through a proxy if there is one, was established (time_connect).
    connect: float | None
    #: The TLS handshake was done (time_appconnect).
    tls: float | None
    #: A connection, kept or new, was ready and sending began (time_pretransfer).
    ready: float | None
    #: The write that took the last byte of the request began (time_posttransfer).
    sent: float | None
    #: The first byte of the response arrived (time_starttransfer).
    first_byte: float | None
    #: The last byte of the response arrived: the response time ends here (time_total).
    last_byte: float | None
    #: How much later than the end of the request the task ran on: a duration, and no part of the others.
    lag: float | None
    #: The clock of the two arrivals: "kernel" (receive timestamp of the socket), "read" (when this process
    #: read them) or "loop" (when the loop saw the socket ready, where libcurl reads); None: nothing arrived.
    arrival: str | None
    _durations: tuple[float | None, ...]

    @property
    def phases(self) -> dict[str, float]:
        """How long each phase that happened took, in seconds: the phases of `StatsEntry.phases`."""
        pairs = zip(PHASES, self._durations, strict=True)
        return {name: duration for name, duration in pairs if duration is not None}

    def __repr__(self) -> str:
        names = ("lookup", "connect", "tls", "ready", "sent", "first_byte", "last_byte", "lag")
        values = [(name, getattr(self, name)) for name in names]
        steps = [f"{name}={value:.6f}" for name, value in values if value is not None]
        return f"Timings({', '.join([f'due={self.due:.6f}', *steps, f'arrival={self.arrival!r}'])})"


def make_timings(response: _core.Response) -> Timings | None:
    """The timings of a response; None if the engine did not exchange it."""
    moments = response._moments
    return None if moments is None else Timings(*moments)


def response_time_ms(response: Any, began_ns: int, repeated: bool = False) -> float:
    """The response time of a call that went the long way, in milliseconds.

    That of all its exchanges: what this process did before and between them does not count. Where not all of
    them are in the history - the last one failed, the engine did not make them, or tries were repeated - it
    is the time since the call began, at `began_ns` of the monotonic clock.
    """
    steps = [*response.history, response]
    times: list[Any] = [getattr(step, "_exchange_ms", None) for step in steps]
    if response.error is None and not repeated and None not in times:
        return float(sum(times))
    return max((response._end_ns or time.monotonic_ns()) - began_ns, 0) / 1e6
