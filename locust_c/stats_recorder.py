"""The way from the ``request`` event into the statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .stats import RequestStats

if TYPE_CHECKING:
    from .event import EventHook

__all__ = ["Recorder"]

_METHODS = {"log_request": RequestStats.log_request, "log_error": RequestStats.log_error}


def _is_replaced(stats: RequestStats) -> bool:
    """True if somebody's own ``log_request`` or ``log_error`` wants to see each request."""
    return any(getattr(getattr(stats, name), "__func__", None) is not own for name, own in _METHODS.items())


class Recorder:
    """Counts what a hook is fired with in ``stats``, until :meth:`end`.

    In C, beside the listeners; by calls of ``log_request`` and ``log_error`` if a program replaced these.
    """

    def __init__(self, hook: EventHook, stats: RequestStats) -> None:
        self.stats = stats
        self._hook = hook
        self._by_calls = _is_replaced(stats)
        if self._by_calls:
            hook.add_listener(self._count)
        else:
            hook.add_recorder(stats.table)

    def serves(self, stats: RequestStats) -> bool:
        """False if ``stats`` are others, or are to be told in the other way by now."""
        return stats is self.stats and self._by_calls == _is_replaced(stats)

    def end(self) -> None:
        """Count no more."""
        if self._by_calls:
            self._hook.remove_listener(self._count)
        else:
            self._hook.remove_recorder(self.stats.table)

    def _count(
        self,
        request_type: str,
        name: str,
        response_time: float | None,
        response_length: int,
        exception: Exception | str | None = None,
        **_: Any,
    ) -> None:
        self.stats.log_request(request_type, name, response_time, response_length)
        if exception:
            self.stats.log_error(request_type, name, exception)
