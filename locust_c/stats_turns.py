"""Long work in short steps: users that run meanwhile wait for a step, not for the whole."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from gevent import getcurrent, sleep
from gevent.hub import Hub

__all__ = ["in_turns"]

_T = TypeVar("_T")

# Twice what the engine itself takes before it gives gevent's loop its turn.
STEP_S = 0.002


def in_turns(items: Iterable[_T], share: float = 1.0) -> Iterator[_T]:
    """The items; between two of them other greenlets run whenever a step of 2 ms is over.

    ``share`` (0..1) is how much of the time the work may take: after a step it rests accordingly.
    """
    # Of the processor, not of the clock: on a busy machine a short table stays in one piece.
    begin = time.thread_time()
    for item in items:
        yield item
        spent = time.thread_time() - begin
        # Who is called from the loop itself has nobody to give way to.
        if spent > STEP_S and not isinstance(getcurrent(), Hub):
            sleep(spent * (1 / share - 1))
            begin = time.thread_time()
