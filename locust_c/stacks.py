"""Stacks: whose line is being run, and how to have them from a thread that keeps the interpreter's lock."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import re
import signal
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import takewhile

__all__ = ["Place", "Stacks", "absolute", "place_of"]

_COMMAND = os.path.join(os.path.dirname(os.path.abspath(__file__)), "main.py")
_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep
_STANDARD_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
# Patterns, compiled only when something is blocked: every start would pay for it.
_INSTALLED = r"[/\\](site|dist)-packages[/\\]"
_DEBUGGER = r"[/\\](bdb\.py|pdb\.py|pydevd\.py|_?pydevd_\w+[/\\]|debugpy[/\\])"
_LINE = r'(?m)^  File "(.*)", line (\d+) in (.*)$'
_ESCAPE = r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))"
_MOST_BYTES = 1 << 16


@dataclass(frozen=True)
class Place:
    """A line of code that runs."""

    path: str
    line: int
    function: str = field(compare=False)  # with its class or without, as it was found out


def place_of(stack: Iterable[Place]) -> Place | None:
    """Return whose line of a stack (innermost first) it is about: the user's, or else a package's.

    None if a debugger has stopped it, or nobody's code is there: what called our command is not.
    """
    stack = list(takewhile(lambda place: place.path != _COMMAND, stack))
    if any(re.search(_DEBUGGER, place.path) for place in stack):
        return None
    others = [place for place in stack if not place.path.startswith(_OURS) and os.path.isabs(place.path)]
    installed = [place for place in others if re.search(_INSTALLED, place.path)]
    users = [
        place for place in others if place not in installed and not place.path.startswith(_STANDARD_LIBRARY)
    ]
    return next(iter((*users, *installed, *others)), None)


def absolute(path: str) -> str:
    """Return the path of a code object in full; names of what is in no file stay what they are."""
    return path if path.startswith("<") else os.path.abspath(path)


class Stacks:
    """A signal that has a thread write its stack to a file, whatever it does; in the main thread, on Linux.

    :mod:`faulthandler` does it, without the interpreter's lock. A system call is interrupted by that as by
    any signal.
    """

    def __init__(self) -> None:
        self.signal = _free_signal()
        """Number of the signal; 0: it, or the file, is not to be had."""
        self.fileno = -1
        """The file's descriptor."""
        try:
            self.fileno = os.memfd_create("stacks") if self.signal else -1
        except OSError:
            self.signal = 0
        if self.signal:
            # What comes late is ignored, where the default would end the process.
            signal.signal(self.signal, signal.SIG_IGN)
            faulthandler.register(self.signal, self.fileno, all_threads=False, chain=False)

    def take(self) -> list[Place]:
        """Return what was written, innermost first, and empty the file."""
        if self.fileno < 0:
            return []
        text = os.pread(self.fileno, _MOST_BYTES, 0).decode("ascii", "replace")
        if text:
            os.ftruncate(self.fileno, 0)
            os.lseek(self.fileno, 0, os.SEEK_SET)
        return [
            Place(absolute(_unescape(path)), int(line), function)
            for path, line, function in re.findall(_LINE, text)
        ]

    def close(self) -> None:
        """Give the signal back."""
        if self.signal:
            faulthandler.unregister(self.signal)
            signal.signal(self.signal, signal.SIG_DFL)
            os.close(self.fileno)
        self.signal, self.fileno = 0, -1


def _free_signal() -> int:
    if not hasattr(os, "memfd_create"):
        return 0
    for number in range(signal.SIGRTMAX - 1, signal.SIGRTMIN, -1):
        if signal.getsignal(number) == signal.SIG_DFL:
            with contextlib.suppress(ValueError):  # not in the main thread
                signal.signal(number, signal.SIG_DFL)
                return number
    return 0


def _unescape(text: str) -> str:
    return re.sub(_ESCAPE, lambda match: chr(int(match[1] or match[2] or match[3], 16)), text)
