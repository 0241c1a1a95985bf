"""The phases of requests in the statistics: views on the histograms that an entry keeps in C."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import _core

__all__ = ["Phase", "phases_of"]


class Phase:
    """How long one phase of an entry's requests took. A view: it follows what is counted."""

    __slots__ = ("_counters", "_place", "name")

    def __init__(self, counters: _core.StatsCounters, place: int) -> None:
        self._counters = counters
        self._place = place
        #: One of lookup, connect, tls, send, wait, receive and lag.
        self.name = _core.PHASES[place]

    @property
    def count(self) -> int:
        """How many requests had this phase."""
        return self._counters.phase_count(self._place)

    def quantile(self, p: float) -> float | None:
        """The milliseconds that a share ``p`` (0..1) of those requests did not exceed; None without any.

        To two significant digits. Raises ValueError if ``p`` is no share.
        """
        return self._counters.phase_quantile(self._place, p)

    def histogram(self) -> list[tuple[float, float, int]]:
        """(low, high, count) of each bin that is used, in milliseconds, rising."""
        return self._counters.phase_histogram(self._place)

    def __repr__(self) -> str:
        median, high = self.quantile(0.5), self.quantile(0.99)
        times = "" if median is None else f", p50={median:.3g} ms, p99={high:.3g} ms"
        return f"<Phase {self.name}: count={self.count}{times}>"


def phases_of(counters: _core.StatsCounters) -> Mapping[str, Phase]:
    """All phases by name, in the order of a request."""
    return MappingProxyType({name: Phase(counters, place) for place, name in enumerate(_core.PHASES)})
