"""One row of the failures: what failed, with which error, how often and when."""

from __future__ import annotations

import hashlib
import re
import time
from typing import Any, Self

from . import _core
from .exception import CatchResponseError
from .stats_dicts import StatsBaseDict

__all__ = ["RequestStatsAdditionError", "StatsError", "StatsErrorDict", "kept_error", "remember", "shortened"]

_ADDRESS = re.compile(r"object at (0x[^>]*)>")
_UNWRAPPED = CatchResponseError.__name__ + "("

#: Of so many kinds of errors the exception itself is kept, of others its text.
EXCEPTIONS_KEPT = 100

#: That text is cut behind so many characters.
LONGEST_TEXT = 10_000


def shortened(text: str, most: int) -> str:
    """``text``, or its first ``most`` characters and how many there are more."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"


def kept_error(error: Exception | str, kinds: int) -> Exception | str:
    """What is kept of the first error of its kind, if there are so many ``kinds`` already.

    An exception refers to its response, and that to its body; of the first ``EXCEPTIONS_KEPT`` kinds it is
    kept nevertheless, for programs that look at it. In tables and files its text is the same.
    """
    if kinds < EXCEPTIONS_KEPT:
        return error
    if type(error) is CatchResponseError and len(error.args) == 1 and type(error.args[0]) is str:
        return CatchResponseError(shortened(error.args[0], LONGEST_TEXT))
    return shortened(StatsError.parse_error(error), LONGEST_TEXT)


def remember(
    rows: dict[tuple[str, str, str], StatsError], key: tuple[str, str, str], row: StatsError, most: int
) -> None:
    """Let ``row`` be found by (method, name, text) next time, unless the text is a long one."""
    if len(rows) >= most:
        rows.clear()
    if len(key[2]) <= LONGEST_TEXT:
        rows[key] = row


class RequestStatsAdditionError(Exception):
    """Two sets of statistics do not fit together."""


class StatsErrorDict(StatsBaseDict):
    """A :class:`StatsError` as it is sent to the master."""

    error: str
    occurrences: int
    first_seen: float | None
    last_seen: float | None


class StatsError(_core.StatsErrorCount):
    """The occurrences of one error of one (method, name).

    ``occurrences``, ``first_seen`` and ``last_seen`` (epoch seconds or None) are counted in C.
    """

    def __new__(
        cls,
        method: str,
        name: str,
        error: Exception | str | None,
        occurrences: int = 0,
        first_seen: float | None = None,
        last_seen: float | None = None,
    ) -> Self:
        return super().__new__(cls)

    def __init__(
        self,
        method: str,
        name: str,
        error: Exception | str | None,
        occurrences: int = 0,
        first_seen: float | None = None,
        last_seen: float | None = None,
    ) -> None:
        self.method = method
        self.name = name
        self.error = error
        self.occurrences = occurrences
        self.first_seen = first_seen
        self.last_seen = last_seen

    def __copy__(self) -> Self:
        first_seen, last_seen = self.first_seen, self.last_seen
        return type(self)(self.method, self.name, self.error, self.occurrences, first_seen, last_seen)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.__copy__()

    @classmethod
    def parse_error(cls, error: Exception | str | None) -> str:
        """The text that tells errors apart: a str itself, else its repr; object addresses are blanked out."""
        text = error if isinstance(error, str) else repr(error)
        address = _ADDRESS.search(text)
        return text.replace(address[1], "0x....") if address else text

    @classmethod
    def create_key(cls, method: str, name: str, error: Exception | str | None) -> str:
        """The key in ``RequestStats.errors``: the same on every worker."""
        text = f"{method}.{name}.{cls.parse_error(error)!r}"
        # A name may hold half of a surrogate pair.
        return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()

    def occurred(self) -> None:
        """Count one more occurrence, of now."""
        now = time.time()
        self.occurrences += 1
        if self.first_seen is None:
            self.first_seen = now
        self.last_seen = now

    def to_name(self) -> str:
        """The line of the error report: ``METHOD name: error``, without ``CatchResponseError(...)``."""
        if isinstance(self.error, CatchResponseError):
            error = str(self.error)
        elif isinstance(self.error, str):
            error = self.error
            if error.startswith(_UNWRAPPED) and error.endswith(")"):
                error = error[len(_UNWRAPPED) : -1]
        else:
            error = repr(self.error)
        return f"{self.method} {self.name}: {error}"

    def serialize(self) -> StatsErrorDict:
        """A dict of plain values, for the master or a file."""
        return {
            "name": self.name,
            "method": self.method,
            "error": self.parse_error(self.error),
            "occurrences": self.occurrences,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
        }

    @classmethod
    def unserialize(cls, data: StatsErrorDict) -> StatsError:
        """The opposite of :meth:`serialize`; the times may be missing (older workers)."""
        return cls(
            data["method"],
            data["name"],
            data["error"],
            data["occurrences"],
            data.get("first_seen"),
            data.get("last_seen"),
        )

    def to_dict(self) -> dict[str, str | int | float | None]:
        """A row of ``errors`` in ``/stats/requests``."""
        return {
            "method": self.method,
            "name": self.name,
            "error": self.parse_error(self.error),
            "occurrences": self.occurrences,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
        }
