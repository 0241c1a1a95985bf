"""Functions for ``wait_time``: how long a user waits between two tasks, in seconds.

``wait_time = between(1, 3)`` in the body of a user class; a method ``wait_time(self)`` that returns
seconds does the same. All functions raise ``TypeError`` for what is no number.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from numbers import Real
from time import perf_counter
from typing import Any

__all__ = ["between", "constant", "constant_pacing", "constant_throughput", "poisson"]

WaitTime = Callable[[Any], float]


def between(min_wait: float, max_wait: float) -> WaitTime:
    """Waits a uniformly distributed time of ``min_wait`` to ``max_wait`` seconds."""
    _check_numbers("between", min_wait, max_wait)
    span = max_wait - min_wait

    def wait_time(self: Any) -> float:
        return min_wait + random.random() * span

    return wait_time


def constant(wait_time: float) -> WaitTime:
    """Waits ``wait_time`` seconds."""
    _check_numbers("constant", wait_time)

    def constant_wait_time(self: Any) -> float:
        return wait_time

    return constant_wait_time


def constant_pacing(wait_time: float) -> WaitTime:
    """Starts a task every ``wait_time`` seconds, however long each takes.

    A task that takes longer is followed by the next one at once; what was missed is not made up for.
    """
    _check_numbers("constant_pacing", wait_time)

    def pacing_wait_time(self: Any) -> float:
        now = perf_counter()
        # The wait itself may have been longer than asked for: that counts as time of the task.
        task_took = now - self._cp_last_run - self._cp_last_wait_time
        wait: float = wait_time - task_took
        if wait < 0:
            wait = 0.0
        self._cp_last_wait_time = wait
        self._cp_last_run = now
        return wait

    return pacing_wait_time


def constant_throughput(task_runs_per_second: float) -> WaitTime:
    """Starts ``task_runs_per_second`` tasks a second at most; raises ``ValueError`` unless that is > 0."""
    _check_rate("constant_throughput", task_runs_per_second)
    return constant_pacing(1 / task_runs_per_second)


def poisson(rate: float) -> WaitTime:
    """Waits an exponentially distributed time, on average ``1 / rate`` seconds.

    Raises ``ValueError`` unless ``rate`` is greater than 0.
    """
    _check_rate("poisson", rate)

    def poisson_wait_time(self: Any) -> float:
        return random.expovariate(rate)

    return poisson_wait_time


def _check_rate(function: str, rate: float) -> None:
    _check_numbers(function, rate, what="the rate")
    if not rate > 0:
        raise ValueError(f"{function}: the rate must be greater than 0, not {rate!r}")


def _check_numbers(function: str, *values: object, what: str = "a time in seconds") -> None:
    for value in values:
        if not isinstance(value, Real):
            raise TypeError(f"{function}: {what} must be a number, not {value!r}")
