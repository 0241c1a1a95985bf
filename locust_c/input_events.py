"""Keys that a running test listens to when it is started in a terminal."""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Mapping
from typing import Any

import gevent

POLL_INTERVAL_S = 0.2


class Keyboard:
    """The terminal on stdin, read key by key without waiting for Enter.

    :meth:`open` says no where there is no terminal, or where the program runs in the background: touching the
    terminal from there would stop the process.
    """

    def __init__(self) -> None:
        self._fd = -1
        self._saved: list[Any] | None = None

    def open(self) -> bool:
        """Switch the terminal to single keys; whether that was possible."""
        try:
            self._fd = sys.stdin.fileno()
            if not os.isatty(self._fd) or os.tcgetpgrp(self._fd) != os.getpgrp():
                return False
            self._saved = termios.tcgetattr(self._fd)
            # Ctrl-C keeps its meaning, and output keeps its line ends.
            tty.setcbreak(self._fd, termios.TCSANOW)
        except (OSError, ValueError, AttributeError, termios.error):
            self._saved = None
            return False
        atexit.register(self.close)
        return True

    def close(self) -> None:
        """Put the terminal back as it was."""
        if self._saved is not None:
            saved, self._saved = self._saved, None
            with contextlib.suppress(termios.error, OSError):
                termios.tcsetattr(self._fd, termios.TCSANOW, saved)
        atexit.unregister(self.close)

    def poll(self) -> str:
        """Return the keys pressed since the last call; ``""`` if there were none."""
        readable, _, _ = select.select([self._fd], [], [], 0)
        if not readable:
            return ""
        return os.read(self._fd, 64).decode("utf-8", "replace")


def input_listener(
    key_to_function: Mapping[str, Callable[[], object]], keyboard: Keyboard | None = None
) -> Callable[[], None]:
    """Return a function, to be run in a greenlet, that calls the function of each key pressed.

    It returns at once where there is no terminal to listen to.
    """

    def listen() -> None:
        board = keyboard if keyboard is not None else Keyboard()
        if not board.open():
            return
        try:
            while True:
                for key in board.poll():
                    # A terminal says \n for Enter in this mode.
                    function = key_to_function.get("\r" if key == "\n" else key)
                    if function is not None:
                        function()
                gevent.sleep(POLL_INTERVAL_S)
        finally:
            board.close()

    return listen
