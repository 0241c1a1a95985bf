"""The latency heat map of the HTML report: how many requests took how long, over the time of a run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..stats_turns import in_turns
from ..timeline import EDGES_MS, Point
from .axes import HEIGHT, WIDTH, short, ticks_along

__all__ = ["SHADES", "HeatMap", "heat_map_of"]

#: How many colours there are, from few requests to many.
SHADES = 12

#: Columns are at least five of the thousand units wide, so that they are seen on a phone.
MAX_COLUMNS = 200

#: So that few response times do not fill the chart with one band.
_LEAST_BANDS = 8
_LAST_BAND = len(EDGES_MS) - 2


@dataclass(frozen=True)
class HeatMap:
    """All that the template needs to draw the map."""

    #: For each shade the outline of all its cells.
    shades: list[str]
    ticks_up: list[tuple[float, str]]
    ticks_along: list[tuple[str, str, str]]
    begin: float
    end: float
    #: The map in words.
    summary: str
    #: Requests per second in a band: those of the lightest and of the darkest cell.
    lowest: float
    highest: float
    #: The first of the bands that are shown, and the one behind the last.
    first_band: int
    end_band: int
    #: When each column ends (epoch seconds), and what is in it: (band, count) in turn.
    times: list[float]
    counts: list[list[int]]


@dataclass
class _Column:
    begin: float
    end: float
    seconds: float
    counts: Counter[int]


def heat_map_of(points: Sequence[Point]) -> HeatMap | None:
    """The map of a run; None without response times. Other greenlets run meanwhile."""
    columns = _columns_of(points)
    sums = sum((column.counts for column in columns), Counter[int]())
    if not sums:
        return None
    begin, end = points[0].time - points[0].seconds, points[-1].time
    first_band = max(0, min(sums) - 1)
    end_band = min(max(max(sums) + 2, first_band + _LEAST_BANDS), _LAST_BAND + 1)
    first_band = max(0, min(first_band, end_band - _LEAST_BANDS))
    rates = [count / column.seconds for column in columns for count in column.counts.values()]
    lowest, highest = min(rates), max(rates)
    shades: list[list[str]] = [[] for _ in range(SHADES)]
    height = HEIGHT / (end_band - first_band)
    for column in in_turns(columns):
        left = round((column.begin - begin) / (end - begin) * WIDTH, 1)
        right = round((column.end - begin) / (end - begin) * WIDTH, 1)
        for band, count in column.counts.items():
            top = round(HEIGHT - (band + 1 - first_band) * height, 1)
            bottom = round(HEIGHT - (band - first_band) * height, 1)
            shade = _shade(count / column.seconds, lowest, highest)
            shades[shade].append(f"M{short(left)} {short(top)}H{short(right)}V{short(bottom)}H{short(left)}Z")
    return HeatMap(
        ["".join(cells) for cells in shades],
        list(_ticks_up(first_band, end_band)),
        list(ticks_along(begin, end)),
        begin,
        end,
        _summary(sums),
        lowest,
        highest,
        first_band,
        end_band,
        [round(column.end, 3) for column in columns],
        [[value for pair in sorted(column.counts.items()) for value in pair] for column in columns],
    )


def _columns_of(points: Sequence[Point]) -> list[_Column]:
    """The points, those that share a column of the picture added up."""
    if not points:
        return []
    shortest = (points[-1].time - points[0].time + points[0].seconds) / MAX_COLUMNS
    columns: list[_Column] = []
    for point in in_turns(points):
        if not columns or columns[-1].seconds >= shortest * (1 - 1e-6):
            columns.append(_Column(point.time - point.seconds, 0.0, 0.0, Counter()))
        column = columns[-1]
        column.end = point.time
        column.seconds += point.seconds
        for band, count in zip(point.bands[::2], point.bands[1::2], strict=True):
            column.counts[band] += count
    return columns


def _shade(rate: float, lowest: float, highest: float) -> int:
    """By the logarithm, so that a few slow requests show beside thousands of fast ones."""
    if highest <= lowest:
        return SHADES - 1
    return round(math.log(rate / lowest) / math.log(highest / lowest) * (SHADES - 1))


def _ticks_up(first_band: int, end_band: int) -> Iterator[tuple[float, str]]:
    """(place, label): as many of 1, 10, 100 … ms, and of 2 and 5 in between, as there is room for."""
    doublings = (end_band - first_band) / 2
    factors = (1, 2, 5) if doublings <= 8 else (1,)
    low, high = EDGES_MS[first_band], EDGES_MS[end_band]
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        for factor in factors:
            ms = factor * 10.0**power
            if low <= ms <= high:
                place = HEIGHT - (_position(ms) - first_band) / (end_band - first_band) * HEIGHT
                yield round(place, 1), f"{ms:,g}"


def _position(ms: float) -> float:
    """Where a time is on an axis on which each band is 1 high."""
    band = min(max(sum(edge <= ms for edge in EDGES_MS) - 1, 0), _LAST_BAND)
    return band + math.log(ms / EDGES_MS[band]) / math.log(EDGES_MS[band + 1] / EDGES_MS[band])


def _limits(band: int) -> str:
    if band == 0:
        return f"under {_ms(EDGES_MS[1])} ms"
    if band == _LAST_BAND:
        return f"{_ms(EDGES_MS[band])} ms and more"
    return f"{_ms(EDGES_MS[band])} to {_ms(EDGES_MS[band + 1])} ms"


def _ms(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def _summary(sums: Counter[int]) -> str:
    total = sum(sums.values())
    most, count = sums.most_common(1)[0]
    return (
        f"{total:,} {'request' if total == 1 else 'requests'}: the fastest {_limits(min(sums))}, "
        f"the slowest {_limits(max(sums))}, most ({count / total:.0%}) {_limits(most)}"
    )
