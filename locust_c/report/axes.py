"""The axes of the report's charts: where a time and a value are, and which of them are written beside them.

Charts lie in a box of ``WIDTH`` by ``HEIGHT`` units, which the page stretches to whatever width it has; ticks
along have shares of that width in percent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["HEIGHT", "WIDTH", "Frame", "round_step", "short", "ticks_along", "ticks_up"]

WIDTH = 1000
HEIGHT = 200

MOST_TICKS_UP = 5
_MOST_TICKS_ALONG = 8
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_TIME_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
)


@dataclass(frozen=True)
class Frame:
    """The part of time (epoch seconds) and of values, from 0 on, that a chart shows."""

    begin: float
    end: float
    top: float

    def x(self, at: float) -> float:
        """The place of a time."""
        return (at - self.begin) / (self.end - self.begin) * WIDTH

    def y(self, value: float) -> float:
        """The place of a value."""
        return HEIGHT - value / self.top * HEIGHT


def short(number: float) -> str:
    """A place in the box: a tenth is less than a pixel."""
    return f"{number:.1f}".removesuffix(".0")


def round_step(least: float, minimum: float) -> float:
    """The smallest of 1, 2, 5, 10, 20 … (or a tenth, a hundredth … of them) that is not below ``least``."""
    least = max(least, minimum)
    if least <= 0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(least))
    for factor in (1, 2, 5):
        if factor * unit >= least * (1 - 1e-9):
            return factor * unit
    return 10 * unit


def ticks_up(top: float, step: float) -> Iterator[tuple[float, str]]:
    """(place, label), from 0 to ``top``."""
    unit, suffix = (1e6, "M") if top >= 1e6 else (1e3, "k") if top >= 1e4 else (1, "")
    for number in range(round(top / step) + 1):
        value = number * step
        yield round(HEIGHT - HEIGHT * value / top, 1), f"{value / unit:,g}{suffix}" if value else "0"


def ticks_along(begin: float, end: float) -> Iterator[tuple[str, str, str]]:
    """(place, label, kind): round times in UTC; ``minor`` ones can be left out where there is little room."""
    least = (end - begin) / _MOST_TICKS_ALONG
    step: float = next((step for step in _TIME_STEPS if step >= least), math.ceil(least / _DAY) * _DAY)
    form = "%b %-d" if step >= _DAY else "%H:%M" if step >= _MINUTE else "%H:%M:%S"
    first = math.ceil(begin / step)
    for number in range(first, math.floor(end / step) + 1):
        share = (number * step - begin) / (end - begin) * 100
        moment = datetime.fromtimestamp(number * step, UTC)
        # Midnight says which day begins.
        label = moment.strftime("%b %-d" if moment.hour + moment.minute + moment.second == 0 else form)
        yield f"{share:.2f}%", label, "minor" if number % 2 else "major"
