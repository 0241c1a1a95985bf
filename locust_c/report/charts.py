"""The charts of the HTML report: from the points of a run to lines, ticks and legends.

Nothing here writes markup: the template draws what a :class:`Chart` says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from statistics import median
from typing import TypeVar

from ..stats_times import get_readable_percentiles
from ..stats_turns import in_turns
from ..timeline import Point
from .axes import HEIGHT, MOST_TICKS_UP, WIDTH, Frame, round_step, short, ticks_along, ticks_up

__all__ = ["LATE_MS", "Chart", "Line", "charts_of", "thinned", "values_of"]

#: A chart is about a thousand pixels wide: more columns than these nobody can see.
MAX_COLUMNS = 400

#: A p99 of generator lag from which on the report says that the load generator was late.
LATE_MS = 20

#: Times this much longer than the usual one between two points are a gap, unless they are short anyway: a
#: test with few requests has no response time in many a second.
_GAP = 2.5
_SHORTEST_GAP_S = 10

_Item = TypeVar("_Item")
_Value = Callable[[Point], float | None]
_Moment = tuple[float, float | None]


@dataclass(frozen=True)
class Line:
    """One line of a chart; ``kind`` is its style in the page, ``key`` where the page finds its values."""

    label: str
    kind: str
    key: str
    path: str
    dots: list[tuple[str, str]]
    area: str
    peak: float | None


@dataclass(frozen=True)
class Chart:
    """All that the template needs to draw one chart; no ``lines`` if there is nothing to show."""

    title: str
    unit: str
    lines: list[Line]
    ticks_up: list[tuple[float, str]] = field(default_factory=list)
    ticks_along: list[tuple[str, str, str]] = field(default_factory=list)
    begin: float = 0.0
    end: float = 0.0
    top: float = 1.0
    #: The place of a value that should not be exceeded.
    limit: float | None = None


@dataclass(frozen=True)
class _Series:
    """A line before it is drawn."""

    label: str
    kind: str
    key: str
    value: _Value


def charts_of(points: Sequence[Point], percentiles: Sequence[float]) -> list[Chart]:
    """The charts of a run: requests, response times, users, lag. Other greenlets run meanwhile.

    ``percentiles`` are the shares (0..1) of the points' response times.
    """
    requests, times, users, lag = _all_series(percentiles)
    return [
        _chart("Requests per second", "1/s", points, requests),
        _chart("Response times", "ms", points, times),
        _chart("Users", "", points, users),
        _chart("Generator lag", "ms", points, lag, LATE_MS),
    ]


def values_of(points: Sequence[Point], percentiles: Sequence[float]) -> dict[str, list[float | None]]:
    """The times of the points, and under the key of each line its values, to be told below the pointer."""
    values: dict[str, list[float | None]] = {"time": [round(point.time, 3) for point in points]}
    for group in _all_series(percentiles):
        for one in group:
            values[one.key] = [_readable(one.value(point)) for point in in_turns(points)]
    return values


def thinned(items: Sequence[_Item], at_most: int) -> list[_Item]:
    """Not more than ``at_most`` of the items, evenly spread, the first and the last among them."""
    count = len(items)
    if count <= at_most:
        return list(items)
    return [items[place * (count - 1) // (at_most - 1)] for place in range(at_most)]


def _all_series(percentiles: Sequence[float]) -> list[list[_Series]]:
    titles = get_readable_percentiles(percentiles)
    return [
        [
            _Series("requests/s", "requests", "requests", lambda point: point.rps),
            _Series("failures/s", "failures", "failures", lambda point: point.failures),
        ],
        [
            _Series(title, f"p{place % 6}", f"p{place}", _percentile(place))
            for place, title in enumerate(titles)
        ],
        [_Series("users", "users", "users", lambda point: point.users)],
        [_Series("99%", "lag", "lag", lambda point: point.lag)],
    ]


def _percentile(place: int) -> _Value:
    return lambda point: point.response_times[place] if point.response_times else None


def _readable(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _chart(
    title: str, unit: str, points: Sequence[Point], series: Sequence[_Series], limit: float | None = None
) -> Chart:
    values = [[one.value(point) for point in in_turns(points)] for one in series]
    peaks = [max((value for value in column if value is not None), default=None) for column in values]
    drawn = [found for found in zip(series, values, peaks, strict=True) if found[2] is not None]
    if not drawn:
        return Chart(title, unit, [])
    begin, end = points[0].time - points[0].seconds, points[-1].time
    highest = max([peak for _, _, peak in drawn if peak is not None] + ([1.2 * limit] if limit else []))
    step = round_step(highest / MOST_TICKS_UP, 1.0 if unit == "" else 0.0)
    frame = Frame(begin, end, max(1, math.ceil(highest / step)) * step)
    # A value holds for the time before its point: the first ones from the beginning on.
    moments = [begin, *(point.time for point in points)]
    lines = [
        _line(one, list(zip(moments, [column[0], *column], strict=True)), peak, frame)
        for one, column, peak in in_turns(drawn)
    ]
    ticks = list(ticks_up(frame.top, step)), list(ticks_along(begin, end))
    return Chart(title, unit, lines, *ticks, begin, end, frame.top, limit and round(frame.y(limit), 1))


def _line(series: _Series, moments: Sequence[_Moment], peak: float | None, frame: Frame) -> Line:
    path: list[str] = []
    area: list[str] = []
    dots: list[tuple[str, str]] = []
    for piece in _pieces(moments, frame):
        places = [f"{short(frame.x(at))} {short(frame.y(value))}" for at, value in piece]
        if len(piece) == 1:
            (at, value) = piece[0]
            dots.append((f"{short(frame.x(at) / WIDTH * 100)}%", short(frame.y(value))))
            continue
        path.append("M" + "L".join(places))
        if series.kind in ("requests", "users"):
            first, last = short(frame.x(piece[0][0])), short(frame.x(piece[-1][0]))
            area.append(f"M{first} {HEIGHT}L{'L'.join(places)}L{last} {HEIGHT}Z")
    return Line(series.label, series.kind, series.key, "".join(path), dots, "".join(area), peak)


def _pieces(moments: Sequence[_Moment], frame: Frame) -> Iterator[list[tuple[float, float]]]:
    """What belongs together: a new piece begins behind a long time without a value."""
    usual = median([later - earlier for (earlier, _), (later, _) in pairwise(moments)])
    if len(moments) > MAX_COLUMNS:
        moments = list(_columns(moments, frame))
        usual = max(usual, (frame.end - frame.begin) / MAX_COLUMNS)
    longest = max(_GAP * usual, _SHORTEST_GAP_S)
    piece: list[tuple[float, float]] = []
    for at, value in moments:
        if value is None:
            continue
        if piece and at - piece[-1][0] > longest:
            yield piece
            piece = []
        piece.append((at, value))
    if piece:
        yield piece


def _columns(moments: Sequence[_Moment], frame: Frame) -> Iterator[_Moment]:
    """The lowest and the highest of the values that are drawn above the same spot, so that peaks stay."""
    width = (frame.end - frame.begin) / MAX_COLUMNS
    for _, column in groupby(moments, key=lambda moment: int((moment[0] - frame.begin) / width)):
        together = list(column)
        valued = [(value, at) for at, value in together if value is not None]
        if not valued:
            yield together[0]
            continue
        ends = sorted({min(valued), max(valued)}, key=lambda end: end[1])
        yield from ((at, value) for value, at in ends)
