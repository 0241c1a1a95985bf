"""Long work in short steps: users that run meanwhile wait for a step, not for the whole."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

import gevent

__all__ = ["in_turns"]

_T = TypeVar("_T")

# Twice what the engine itself takes before it gives gevent's loop its turn.
STEP_S = 0.002


def in_turns(items: Iterable[_T]) -> Iterator[_T]:
    """The items; between two of them other greenlets run whenever a step of 2 ms is over."""
    begin = time.perf_counter()
    for item in items:
        yield item
        if time.perf_counter() - begin > STEP_S:
            gevent.sleep(0)
            begin = time.perf_counter()
