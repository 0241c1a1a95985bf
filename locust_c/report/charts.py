"""The charts of the HTML report: from rows of the history to lines, ticks and legends.

Nothing here writes markup: the template draws what a :class:`Chart` says. Lines lie in a box of ``WIDTH`` by
``HEIGHT`` units, which the page stretches to whatever width it has; ticks have shares of that width in
percent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby, pairwise
from statistics import median
from typing import Any

from ..stats_times import get_readable_percentiles
from ..stats_turns import in_turns

__all__ = ["HEIGHT", "WIDTH", "Chart", "Line", "charts_of", "thinned"]

WIDTH = 1000
HEIGHT = 200

#: A chart is about a thousand pixels wide: more columns than these nobody can see.
MAX_COLUMNS = 400

#: Times this much longer than the usual one between two points are a gap.
_GAP = 2.5

_MOST_TICKS_UP = 5
_MOST_TICKS_ALONG = 8
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_TIME_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
)

Row = dict[str, Any]
Point = tuple[float, float | None]


@dataclass(frozen=True)
class Line:
    """One line of a chart; ``kind`` is its style in the page, ``key`` its field in the history."""

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


@dataclass(frozen=True)
class _Series:
    """A line before it is drawn."""

    label: str
    kind: str
    key: str
    values: list[float | None]


def charts_of(history: Sequence[Row], percentiles: Sequence[float]) -> list[Chart]:
    """The charts of a run: requests, response times, users. Other greenlets run meanwhile."""
    rows = [(at, row) for row in in_turns(list(history)) if (at := _epoch(row.get("time"))) is not None]
    rows.sort(key=lambda pair: pair[0])
    moments = [at for at, _ in rows]

    def values_of(key: str) -> list[float | None]:
        return [_number(row, key) for _, row in in_turns(rows)]

    requests = values_of("current_rps")
    averages = values_of("total_avg_response_time")
    keys = [f"response_time_percentile_{share}" for share in percentiles]
    times = [values_of(key) for key in keys]
    for place in _without_requests(times, requests, averages):
        for values in times:
            values[place] = None
    titles = get_readable_percentiles(percentiles)
    response_times = [
        _Series(title, f"p{place % 6}", key, values)
        for place, (title, key, values) in enumerate(zip(titles, keys, times, strict=True))
    ]
    averages = [value or None for value in averages]
    response_times.append(_Series("average so far", "average", "total_avg_response_time", averages))
    per_second = [
        _Series("requests/s", "requests", "current_rps", requests),
        _Series("failures/s", "failures", "current_fail_per_sec", values_of("current_fail_per_sec")),
    ]
    users = [_Series("users", "users", "user_count", values_of("user_count"))]
    return [
        _chart("Requests per second", "1/s", moments, per_second),
        _chart("Response times", "ms", moments, response_times),
        _chart("Users", "", moments, users),
    ]


def thinned(history: Sequence[Row], at_most: int) -> list[Row]:
    """Not more than ``at_most`` of the rows, evenly spread, the first and the last among them."""
    count = len(history)
    if count <= at_most:
        return list(history)
    return [history[place * (count - 1) // (at_most - 1)] for place in range(at_most)]


def _epoch(text: Any) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _number(row: Row, key: str) -> float | None:
    """The value of a ``[time, value]`` pair; None if it is no number."""
    pair = row.get(key)
    value = pair[1] if isinstance(pair, (list, tuple)) and len(pair) == 2 else pair
    if isinstance(value, (int, float)) and math.isfinite(value):
        return max(0.0, float(value))
    return None


def _without_requests(
    times: Sequence[Sequence[float | None]],
    requests: Sequence[float | None],
    averages: Sequence[float | None],
) -> Iterator[int]:
    """The rows whose percentiles are 0 because there were no requests to take them of."""
    for place, (rate, average) in enumerate(zip(requests, averages, strict=True)):
        if not any(values[place] for values in times) and (not rate or (average or 0) >= 1):
            yield place


def _chart(title: str, unit: str, moments: Sequence[float], series: Sequence[_Series]) -> Chart:
    peaks = [max((value for value in one.values if value is not None), default=None) for one in series]
    drawn = [(one, peak) for one, peak in zip(series, peaks, strict=True) if peak is not None]
    if not drawn:
        return Chart(title, unit, [])
    begin, end = moments[0], moments[-1]
    if begin == end:
        begin, end = begin - 5, end + 5
    highest = max(peak for _, peak in drawn)
    step = _round_step(highest / _MOST_TICKS_UP, 1.0 if unit == "" else 0.0)
    top = max(1, math.ceil(highest / step)) * step
    frame = _Frame(begin, end, top)
    lines = [
        _line(one, list(zip(moments, one.values, strict=True)), peak, frame) for one, peak in in_turns(drawn)
    ]
    ticks = list(_ticks_up(top, step)), list(_ticks_along(begin, end))
    return Chart(title, unit, lines, *ticks, begin, end, top)


@dataclass(frozen=True)
class _Frame:
    """The part of time and values that a chart shows."""

    begin: float
    end: float
    top: float

    def x(self, at: float) -> float:
        return (at - self.begin) / (self.end - self.begin) * WIDTH

    def y(self, value: float) -> float:
        return HEIGHT - value / self.top * HEIGHT


def _line(series: _Series, points: Sequence[Point], peak: float, frame: _Frame) -> Line:
    path: list[str] = []
    area: list[str] = []
    dots: list[tuple[str, str]] = []
    for piece in _pieces(points, frame):
        places = [f"{_short(frame.x(at))} {_short(frame.y(value))}" for at, value in piece]
        if len(piece) == 1:
            (at, value) = piece[0]
            dots.append((f"{_short(frame.x(at) / WIDTH * 100)}%", _short(frame.y(value))))
            continue
        path.append("M" + "L".join(places))
        if series.kind in ("requests", "users"):
            first, last = _short(frame.x(piece[0][0])), _short(frame.x(piece[-1][0]))
            area.append(f"M{first} {HEIGHT}L{'L'.join(places)}L{last} {HEIGHT}Z")
    return Line(series.label, series.kind, series.key, "".join(path), dots, "".join(area), peak)


def _pieces(points: Sequence[Point], frame: _Frame) -> Iterator[list[tuple[float, float]]]:
    """The points that belong together: a new piece begins where values, or points at all, are missing."""
    usual = median([later - earlier for (earlier, _), (later, _) in pairwise(points)] or [0.0])
    if len(points) > MAX_COLUMNS:
        points = list(_columns(points, frame))
        usual = max(usual, (frame.end - frame.begin) / MAX_COLUMNS)
    piece: list[tuple[float, float]] = []
    for at, value in points:
        if piece and (value is None or at - piece[-1][0] > _GAP * usual):
            yield piece
            piece = []
        if value is not None:
            piece.append((at, value))
    if piece:
        yield piece


def _columns(points: Sequence[Point], frame: _Frame) -> Iterator[Point]:
    """The lowest and the highest of the points that are drawn above the same spot, so that peaks stay."""
    width = (frame.end - frame.begin) / MAX_COLUMNS
    for _, column in groupby(points, key=lambda point: int((point[0] - frame.begin) / width)):
        together = list(column)
        valued = [(value, at) for at, value in together if value is not None]
        if not valued:
            yield together[0]
            continue
        ends = sorted({min(valued), max(valued)}, key=lambda end: end[1])
        yield from ((at, value) for value, at in ends)


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _round_step(least: float, minimum: float) -> float:
    """The smallest of 1, 2, 5, 10, 20 … (or a tenth, a hundredth … of them) that is not below ``least``."""
    least = max(least, minimum)
    if least <= 0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(least))
    for factor in (1, 2, 5):
        if factor * unit >= least * (1 - 1e-9):
            return factor * unit
    return 10 * unit


def _ticks_up(top: float, step: float) -> Iterator[tuple[float, str]]:
    """(place, label), from 0 to ``top``."""
    unit, suffix = (1e6, "M") if top >= 1e6 else (1e3, "k") if top >= 1e4 else (1, "")
    for number in range(round(top / step) + 1):
        value = number * step
        yield round(HEIGHT - HEIGHT * value / top, 1), f"{value / unit:,g}{suffix}" if value else "0"


def _ticks_along(begin: float, end: float) -> Iterator[tuple[str, str, str]]:
    """(place, label, kind): round times in UTC; ``minor`` ones can be left out where there is little room."""
    least = (end - begin) / _MOST_TICKS_ALONG
    step = next((step for step in _TIME_STEPS if step >= least), None)
    if step is None:
        step = math.ceil(least / _DAY) * _DAY
    form = "%b %-d" if step >= _DAY else "%H:%M" if step >= _MINUTE else "%H:%M:%S"
    first = math.ceil(begin / step)
    for number in range(first, math.floor(end / step) + 1):
        share = (number * step - begin) / (end - begin) * 100
        moment = datetime.fromtimestamp(number * step, UTC)
        # Midnight says which day begins.
        label = moment.strftime("%b %-d" if moment.hour + moment.minute + moment.second == 0 else form)
        yield f"{share:.2f}%", label, "minor" if number % 2 else "major"
