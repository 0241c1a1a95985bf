"""What the users of a test raised, and how often: ``runner.exceptions``."""

from __future__ import annotations

import logging
import traceback
from types import TracebackType
from typing import Any, TypedDict

from locust_c.stats_errors import shortened
from locust_c.user.errors import message_of

__all__ = ["ExceptionDict", "UserExceptions"]

logger = logging.getLogger("locust.runners")

#: So many kinds have a row of their own; the rest shares one, which bounds the memory.
MAX_KINDS = 1000
OTHER_EXCEPTIONS = "(other exceptions)"

#: Of a longer message the beginning is kept, of a traceback beginning and end.
LONGEST_TEXT = 10_000

# Of the kinds that were raised more than once, in the log at the end of a test.
KINDS_SHOWN = 10

_Place = tuple[tuple[str, str, int, int], ...]


class ExceptionDict(TypedDict):
    """One exception of users: how often, its text, its traceback, and the nodes it was raised on."""

    count: int
    msg: str
    traceback: str
    nodes: set[str]


class UserExceptions:
    """The part of a runner that counts exceptions.

    Under the hash of their type and of where they were raised: texts differ from user to user, without end.
    """

    def __init__(self) -> None:
        super().__init__()
        self.exceptions: dict[int, ExceptionDict] = {}
        # By names, not types: these may be made anew by each call of a function.
        self._keys: dict[tuple[str, str, _Place], int] = {}

    def log_exception(self, node_id: str, msg: str, formatted_tb: str) -> None:
        """Counts an exception of a user in ``exceptions``, under the hash of ``formatted_tb``."""
        self._count_exception(hash(formatted_tb), node_id, msg, formatted_tb)

    def _count_exception(self, key: int, node_id: str, msg: str, formatted_tb: str) -> None:
        entry = self.exceptions.get(key)
        if entry is None and len(self.exceptions) >= MAX_KINDS:
            key, msg, formatted_tb = hash(OTHER_EXCEPTIONS), OTHER_EXCEPTIONS, ""
            entry = self.exceptions.get(key)
        if entry is None:
            text, tb = shortened(msg, LONGEST_TEXT), _without_middle(formatted_tb)
            entry = self.exceptions[key] = {"count": 0, "msg": text, "traceback": tb, "nodes": set()}
        entry["count"] += 1
        entry["nodes"].add(node_id)

    def is_first_of_its_kind(self, exception: BaseException) -> bool:
        """Whether an exception of this type from that place was counted at most once in this test."""
        entry = self.exceptions.get(self._key_of(exception, exception.__traceback__))
        return len(self.exceptions) < MAX_KINDS if entry is None else entry["count"] == 1

    def _on_user_error(
        self, user_instance: Any, exception: BaseException, tb: TracebackType, **_: Any
    ) -> None:
        key = self._key_of(exception, tb)
        known = self.exceptions.get(key)
        if known is not None:
            self._count_exception(key, "local", known["msg"], known["traceback"])
            return
        text = "".join(traceback.format_exception(type(exception), exception, tb))
        self._count_exception(key, "local", message_of(exception), text)

    def _key_of(self, exception: BaseException, tb: TracebackType | None) -> int:
        """The hash of a traceback's text, which is written only once: that takes longer than all the rest."""
        module, name = type(exception).__module__, type(exception).__qualname__
        kind = (module, name, _place_of(tb))
        if kind not in self._keys:
            if len(self._keys) >= 2 * MAX_KINDS:
                self._keys.clear()
            self._keys[kind] = hash("".join([*traceback.format_tb(tb), f"{module}.{name}"]))
        return self._keys[kind]

    def _log_repeated_exceptions(self) -> None:
        """Says how often was raised what the log shows only once."""
        names = {key: name.rpartition(".")[2] for (_, name, _), key in self._keys.items()}
        repeated = [(key, entry) for key, entry in self.exceptions.items() if entry["count"] > 1]
        for key, entry in sorted(repeated, key=lambda pair: -pair[1]["count"])[:KINDS_SHOWN]:
            first_line = entry["msg"].partition("\n")[0]
            told = ": ".join(filter(None, (names.get(key), first_line)))
            logger.warning("Raised %d times by users: %s", entry["count"], told)


def _without_middle(text: str) -> str:
    if len(text) <= 2 * LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}\n…\n{text[-LONGEST_TEXT:]}"


def _place_of(tb: TracebackType | None) -> _Place:
    frames = []
    while tb is not None:
        code = tb.tb_frame.f_code
        frames.append((code.co_filename, code.co_name, tb.tb_lineno, tb.tb_lasti))
        tb = tb.tb_next
    return tuple(frames)
