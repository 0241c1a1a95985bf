"""Says which line of the user's code keeps the interpreter, and so every user, from running.

gevent's own monitor thread would need the interpreter's lock, and traces every switch of greenlets.
"""

from __future__ import annotations

import atexit
import contextlib
import linecache
import logging
import os
import sys
from collections.abc import Iterable
from types import FrameType

from gevent import get_hub

from . import _core
from .hub import call_every
from .stacks import Place, Stacks, absolute, place_of

__all__ = ["BlockedWatch"]

# Where an overloaded generator is reported as well.
logger = logging.getLogger("locust.runners")

#: The hub was not heard of for so long, in seconds, when the code that runs is looked at.
BLOCKED_S = 1.0
#: So long that the user is told while it lasts: the log is written by what is blocked.
LASTING_S = 1.5
#: How often the hub is heard of.
BEAT_S = 0.1


class BlockedWatch:
    """Watches the hub of the thread in which it was started, and logs what blocked it.

    A block of a second or more is one warning for each place; more of the same place are counted, and logged
    by :meth:`stop`. One that lasts is written to stderr meanwhile. Nothing is said under a debugger, or of
    time in which the process was stopped.
    """

    def __init__(self, blocked_s: float = BLOCKED_S, lasting_s: float = LASTING_S) -> None:
        """``blocked_s``, ``lasting_s``: seconds, for tests."""
        self._blocked_s = blocked_s
        self._lasting_s = lasting_s
        self._watchdog: _core.Watchdog | None = None
        self._found: Place | None = None
        self._told: set[Place] = set()
        self._totals: dict[Place, tuple[int, float]] = {}

    def start(self) -> None:
        """Begin to watch; in a greenlet or the hub of the thread that is meant.

        Where the system gives no thread for it, that is logged and nothing is watched.
        """
        self._process = os.getpid()
        self._thread = get_hub().thread_ident
        self._fd = sys.__stderr__.fileno() if sys.__stderr__ is not None else -1
        self._stacks = Stacks()
        warning = (
            f"The interpreter has been blocked for {self._lasting_s:.1f} s by a call that keeps its lock:"
            " no user runs meanwhile\n"
        )
        beat_s = min(BEAT_S, self._blocked_s / 10)
        try:
            self._watchdog = _core.Watchdog(
                self._look,
                beat_s,
                self._blocked_s,
                self._lasting_s,
                self._fd,
                warning.encode(),
                self._stacks.fileno,
                self._stacks.signal,
            )
        except OSError as error:
            logger.warning("Code that blocks the interpreter will not be named: %s", error)
            self._stacks.close()
            return
        self._end_beating = call_every(beat_s, self._beat)
        atexit.register(self.stop)

    def stop(self) -> None:
        """Log how often each place blocked the interpreter; no thread is left. Fine if it was not started."""
        if self._watchdog is None or os.getpid() != self._process:
            return
        atexit.unregister(self.stop)
        self._end_beating()
        self._beat()
        self._watchdog.close()
        self._watchdog = None
        self._stacks.close()
        for place, (count, seconds) in self._totals.items():
            if count > 1:
                logger.warning(
                    "The interpreter was blocked %d times, for %.1f s in all, by %s",
                    count,
                    seconds,
                    _words(place),
                )

    def _beat(self) -> None:
        """Called by the hub: what had blocked it is over."""
        assert self._watchdog is not None
        seconds = self._watchdog.beat()
        if _is_traced():
            self._watchdog.rest()
        if not seconds:
            return
        written = self._stacks.take()  # in any case: what came late is not for the next block
        place, self._found = self._found or place_of(written), None
        if place is None or _is_traced():
            return
        count, before = self._totals.get(place, (0, 0.0))
        self._totals[place] = (count + 1, before + seconds)
        if count == 0:
            logger.warning(
                "The interpreter was blocked for %.1f s by %s: no user ran meanwhile", seconds, _words(place)
            )

    def _look(self, seconds: float) -> None:
        """Called in a thread that gevent does not know, where a lock of the log might be the hub's."""
        # What was written while the interpreter's lock was not to be had is nearer to the truth.
        written = self._stacks.take()
        place = place_of(written or _frames(sys._current_frames().get(self._thread)))
        self._found = place
        if place is not None and not written and seconds >= self._lasting_s and place not in self._told:
            self._told.add(place)
            text = f"The interpreter has been blocked for {seconds:.1f} s by {_words(place)}"
            with contextlib.suppress(OSError):
                os.write(self._fd, f"{text}: no user runs meanwhile\n".encode())


def _words(place: Place) -> str:
    folder = os.getcwd() + os.sep
    path = place.path.removeprefix(folder)
    text = linecache.getline(place.path, place.line).strip()
    return f"{place.function}() at {path}:{place.line}" + (f" ({text})" if text else "")


def _frames(frame: FrameType | None) -> Iterable[Place]:
    while frame is not None:
        code = frame.f_code
        yield Place(absolute(code.co_filename), frame.f_lineno, code.co_qualname)
        frame = frame.f_back


def _is_traced() -> bool:
    """Whether a debugger, or something else that slows everything down, watches this thread."""
    if sys.gettrace() is not None:
        return True
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12 on
    return monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID) is not None
