"""From paths of locustfiles to user classes and a load shape, with errors that a user can act on."""

from __future__ import annotations

import linecache
import os
import re
import traceback
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING

from ..util.load_locustfile import PytestFileError, load_locustfile, load_locustfile_pytest
from .errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..shape import LoadTestShape
    from ..user.users import User

_PACKAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_PYTHON_2_PRINT = re.compile(r"Missing parentheses in call to '(print|exec)'")


@dataclass
class Locustfiles:
    """What the locustfiles of one test define."""

    paths: list[str]
    user_classes: dict[str, type[User]] = field(default_factory=dict)
    shape_classes: dict[str, LoadTestShape] = field(default_factory=dict)
    _origin: dict[str, str] = field(default_factory=dict)

    @property
    def shape_class(self) -> LoadTestShape | None:
        """The load shape of the test: the first that was found."""
        return next(iter(self.shape_classes.values()), None)

    def add(self, path: str) -> None:
        """Import the locustfile ``path`` and take up what it defines.

        :raises CommandError: it cannot be imported, or defines a name that another locustfile has defined
            already.
        """
        user_classes, shapes = _import(path)
        self._add_user_classes(path, user_classes)
        for shape in shapes:
            name = type(shape).__name__
            known_shape = self.shape_classes.get(name)
            if known_shape is not None and type(known_shape) is not type(shape):
                raise CommandError(f"Duplicate shape classes: {name}")
            self.shape_classes.setdefault(name, shape)

    def add_tests(self, path: str) -> None:
        """Take up the test functions of the locustfile ``path``, which was imported already.

        :raises CommandError: as :meth:`add`.
        """
        try:
            self._add_user_classes(path, load_locustfile_pytest(path))
        except PytestFileError as error:
            raise CommandError(f"{path} cannot be used: {error}") from error

    def _add_user_classes(self, path: str, user_classes: Mapping[str, type[User]]) -> None:
        for name, user_class in user_classes.items():
            known = self.user_classes.get(name)
            if known is not None and known is not user_class:
                raise CommandError(
                    f"Duplicate user class names: {name} is defined in both {self._origin[name]} and {path}"
                )
            self.user_classes[name] = user_class
            self._origin.setdefault(name, path)

    def select(self, names: Sequence[str]) -> list[type[User]]:
        """Return the user classes called ``names``, in the order of the locustfiles; all without ``names``.

        :raises CommandError: a name is unknown, or the locustfiles define no user class.
        """
        if not self.user_classes:
            raise CommandError("No User class found!")
        unknown = [name for name in names if name not in self.user_classes]
        if unknown:
            raise CommandError(f"Unknown User(s): {', '.join(unknown)}")
        return [cls for name, cls in self.user_classes.items() if not names or name in names]


def load(paths: Sequence[str]) -> Locustfiles:
    """Import the locustfiles at ``paths``, in order; without a user class, their test functions are users.

    :raises CommandError: as :meth:`Locustfiles.add`.
    """
    result = Locustfiles(list(paths))
    for path in paths:
        result.add(path)
    if not result.user_classes:
        for path in paths:
            result.add_tests(path)
    return result


def _import(path: str) -> tuple[dict[str, type[User]], list[LoadTestShape]]:
    try:
        return load_locustfile(path)
    except SyntaxError as error:
        raise CommandError(_syntax_error_text(path, error)) from error
    except Exception as error:
        raise CommandError(_exception_text(path, error)) from error


def _syntax_error_text(path: str, error: SyntaxError) -> str:
    """Name file and line, show the line, and say what Python 2 has to do with it."""
    where = error.filename or path
    by_whom = "" if os.path.abspath(where) == os.path.abspath(path) else f" (imported by {path})"
    line = "" if error.lineno is None else f", line {error.lineno}"
    lines = [f"Syntax error in {where}{line}{by_whom}:"]
    lines += "".join(traceback.format_exception_only(error)).rstrip("\n").split("\n")
    if _PYTHON_2_PRINT.search(error.msg or ""):
        lines.append('Hint: this is Python 2. In Python 3, print is a function: print("...").')
    return "\n".join(lines)


def _exception_text(path: str, error: Exception) -> str:
    """The traceback from the locustfile on: how we came to import it is of no use to its author."""
    linecache.checkcache(path)
    trace = _from_file(error.__traceback__, path)
    if trace is None and isinstance(error, OSError):
        return f"Could not read '{path}': {error.strerror or error}"
    if trace is None and isinstance(error, ValueError):  # of null bytes, in Python before 3.11.4
        return _syntax_error_text(path, SyntaxError(str(error)))
    line = _refused_line(path, error)
    if line is not None:
        return f"Error in {line}: {error}"
    lines = traceback.format_exception(type(error), error, trace)
    return f"{path} cannot be used: it failed while being imported.\n" + "".join(lines).rstrip("\n")


def _refused_line(path: str, error: Exception) -> str | None:
    """File and line that gave locust_c a value, or asked it for a name, that it refuses; else None."""
    if not isinstance(error, (TypeError, ValueError, ImportError, AttributeError)):
        return None
    frames = traceback.extract_tb(_from_file(error.__traceback__, path))
    theirs = [frame for frame in frames if not _is_ours(frame.filename)]
    if not theirs or not _is_ours(frames[-1].filename) or not (frames[-1].line or "").startswith("raise "):
        return None
    by_whom = (
        "" if os.path.abspath(theirs[-1].filename) == os.path.abspath(path) else f" (imported by {path})"
    )
    return f"{theirs[-1].filename}, line {theirs[-1].lineno}{by_whom}"


def _is_ours(filename: str) -> bool:
    return filename == "<string>" or filename.startswith(_PACKAGE)  # "<string>": __init__ of a dataclass


def _from_file(trace: TracebackType | None, path: str) -> TracebackType | None:
    """Return the part of ``trace`` that starts in the file ``path``; nothing if it never gets there."""
    wanted = os.path.abspath(path)
    while trace is not None and os.path.abspath(trace.tb_frame.f_code.co_filename) != wanted:
        trace = trace.tb_next
    return trace
