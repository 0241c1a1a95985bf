"""Ctrl-C and SIGTERM: one orderly end at any moment, and an end at once for whoever presses Ctrl-C again."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import gevent
from gevent.hub import get_hub

SIGNALS = (signal.SIGINT, signal.SIGTERM)

_LEAVING = b"Ctrl-C again: ended at once, without the last statistics and reports.\n"


def _keep_the_exit_code() -> None:
    """While the interpreter takes itself apart, a signal would end it with another exit code."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


class Interrupts:
    """Turns SIGINT and SIGTERM into a ``KeyboardInterrupt`` in the main greenlet.

    Python would raise it in whatever greenlet happens to run, and so kill a user in the middle of a request.
    Once the end has begun (:meth:`begin_end`) nothing is interrupted any more: a first Ctrl-C is only noted,
    and a Ctrl-C after another signal leaves the process at once.
    """

    def __init__(self, leave: Callable[[int], None] | None = None) -> None:
        """``leave`` ends the process at once with the given exit code; tests pass another function."""
        self.received: signal.Signals | None = None
        self.before_leaving: list[Callable[[], object]] = []
        self._leave = leave if leave is not None else os._exit
        self._main = gevent.getcurrent()
        self._ending = False
        self._previous: dict[int, Any] = {}

    def install(self) -> None:
        """Take over SIGINT and SIGTERM; only possible in the main thread."""
        for number in SIGNALS:
            self._previous[number] = signal.signal(number, self._handle)
        # After what the locustfile registers: that may hang, and be interrupted.
        atexit.register(_keep_the_exit_code)

    def restore(self) -> None:
        """Give the signals back to whom they belonged before."""
        atexit.unregister(_keep_the_exit_code)
        for number, handler in self._previous.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, handler)
        self._previous.clear()

    def begin_end(self) -> None:
        """From now on the test is being ended: signals interrupt nothing."""
        self._ending = True

    @property
    def exit_code(self) -> int:
        """What a shell expects from a process that a signal ended: 128 + number of the signal."""
        return 128 + (self.received or signal.SIGINT)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        again = self.received is not None
        self.received = self.received or signal.Signals(number)
        if again and number == signal.SIGINT:
            self._leave_now(128 + number)
        elif again or self._ending:
            return
        elif gevent.getcurrent() is self._main:
            raise KeyboardInterrupt
        else:
            get_hub().loop.run_callback_threadsafe(self._interrupt_main)

    def _interrupt_main(self) -> None:
        if not self._ending and not self._main.dead:
            self._main.throw(KeyboardInterrupt)

    def _leave_now(self, code: int) -> None:
        # Not through sys.stderr: the signal may have come in the middle of a write to it.
        with contextlib.suppress(OSError):
            os.write(2, _LEAVING)
        for action in self.before_leaving:
            with contextlib.suppress(Exception):
                action()
        for stream in (sys.stdout, sys.stderr):
            # The signal may have come in the middle of a write to this very stream.
            with contextlib.suppress(Exception):
                stream.flush()
        self._leave(code)
