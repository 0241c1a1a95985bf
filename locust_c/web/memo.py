"""Answers that are repeated for a moment instead of being worked out again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Memo(Generic[Answer]):
    """Remembers one answer for a while; twice as long as it took, if that is longer."""

    def __init__(self) -> None:
        self._answer: Answer | None = None
        self._valid_until = float("-inf")

    def get(self, work_out: Callable[[], Answer], seconds: float) -> Answer:
        """Return the remembered answer, or that of ``work_out``, to be remembered for ``seconds``."""
        start = time.monotonic()
        if self._answer is None or start >= self._valid_until:
            self._answer = work_out()
            took = time.monotonic() - start
            self._valid_until = start + took + max(seconds, 2 * took)
        return self._answer

    def clear(self) -> None:
        """Forget the answer."""
        self._answer = None
