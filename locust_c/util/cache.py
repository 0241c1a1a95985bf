"""Answers that are repeated for a while instead of being worked out again."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

__all__ = ["Memo", "memoize"]

Answer = TypeVar("Answer")


class Memo(Generic[Answer]):
    """Remembers one answer for a while."""

    def __init__(self) -> None:
        self._answer: Answer | None = None
        self._valid_until = float("-inf")

    def get(self, work_out: Callable[[], Answer], seconds: float, longer: bool = True) -> Answer:
        """Return the remembered answer, or that of ``work_out``, to be remembered for ``seconds``.

        With ``longer``, for twice as long as it took, if that is more.
        """
        start = time.monotonic()
        if start >= self._valid_until:
            self._answer = work_out()
            took = time.monotonic() - start
            self._valid_until = start + took + (max(seconds, 2 * took) if longer else seconds)
        return self._answer  # type: ignore[return-value]  # valid: it was worked out

    def clear(self) -> None:
        """Forget the answer."""
        self._valid_until = float("-inf")
        self._answer = None


def memoize(
    timeout: float, dynamic_timeout: bool = False
) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Decorate a function whose answer is repeated for ``timeout`` seconds, whatever the arguments.

    With ``dynamic_timeout``, for twice as long as it took, if that is more. The function has a
    ``clear_cache()`` then.
    """

    def decorate(function: Callable[..., Answer]) -> Callable[..., Answer]:
        memo = Memo[Answer]()

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Answer:
            return memo.get(lambda: function(*args, **kwargs), timeout, dynamic_timeout)

        wrapper.clear_cache = memo.clear  # type: ignore[attr-defined]
        return wrapper

    return decorate
