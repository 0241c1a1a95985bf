"""The charts of the HTML report: from rows of the history to lines, ticks and legends.

Nothing here writes markup: the template draws what a :class:`Chart` says. Lines lie in a box of ``WIDTH`` by
``HEIGHT`` units, which the page stretches to whatever width it has; ticks have shares of that width in
percent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import Any

from ..stats_times import get_readable_percentiles

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
class _Source:
    """Where the values of a line come from."""

    label: str
    kind: str
    key: str
    value: Callable[[Row], float | None]


def charts_of(history: Sequence[Row], percentiles: Sequence[float]) -> list[Chart]:
    """The charts of a run: requests, response times, users."""
    rows = [(at, row) for row in history if (at := _epoch(row.get("time"))) is not None]
    rows.sort(key=lambda pair: pair[0])
    titles = get_readable_percentiles(percentiles)
    keys = [f"response_time_percentile_{share}" for share in percentiles]
    times = [
        _Source(title, f"p{place % 6}", key, _percentile(key, keys))
        for place, (title, key) in enumerate(zip(titles, keys, strict=True))
    ]
    average = _Source("average so far", "average", "total_avg_response_time", _average)
    return [
        _chart(
            "Requests per second",
            "1/s",
            rows,
            [
                _Source("requests/s", "requests", "current_rps", _plain("current_rps")),
                _Source("failures/s", "failures", "current_fail_per_sec", _plain("current_fail_per_sec")),
            ],
        ),
        _chart("Response times", "ms", rows, [*times, average]),
        _chart("Users", "", rows, [_Source("users", "users", "user_count", _plain("user_count"))]),
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


def _plain(key: str) -> Callable[[Row], float | None]:
    return lambda row: _number(row, key)


def _percentile(key: str, keys: Sequence[str]) -> Callable[[Row], float | None]:
    def value(row: Row) -> float | None:
        # The history has 0 where there were no requests to take a percentile of.
        if not any(_number(row, one) for one in keys):
            idle = not _number(row, "current_rps")
            if idle or (_number(row, "total_avg_response_time") or 0) >= 1:
                return None
        return _number(row, key)

    return value


def _average(row: Row) -> float | None:
    return _number(row, "total_avg_response_time") or None


def _chart(title: str, unit: str, rows: Sequence[tuple[float, Row]], sources: Sequence[_Source]) -> Chart:
    series = [(source, [(at, source.value(row)) for at, row in rows]) for source in sources]
    series = [(source, points) for source, points in series if any(y is not None for _, y in points)]
    if not series:
        return Chart(title, unit, [])
    begin, end = rows[0][0], rows[-1][0]
    if begin == end:
        begin, end = begin - 5, end + 5
    peaks = [max(y for _, y in points if y is not None) for _, points in series]
    step = _round_step(max(peaks) / _MOST_TICKS_UP, 1.0 if unit == "" else 0.0)
    top = max(1, math.ceil(max(peaks) / step)) * step
    lines = [
        _line(source, points, peak, _Frame(begin, end, top))
        for (source, points), peak in zip(series, peaks, strict=True)
    ]
    ticks_up = [
        (round(HEIGHT - HEIGHT * place * step / top, 1), _amount(place * step))
        for place in range(round(top / step) + 1)
    ]
    return Chart(title, unit, lines, ticks_up, list(_ticks_along(begin, end)), begin, end, top)


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


def _line(source: _Source, points: Sequence[Point], peak: float, frame: _Frame) -> Line:
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
        if source.kind in ("requests", "users"):
            first, last = _short(frame.x(piece[0][0])), _short(frame.x(piece[-1][0]))
            area.append(f"M{first} {HEIGHT}L{'L'.join(places)}L{last} {HEIGHT}Z")
    return Line(source.label, source.kind, source.key, "".join(path), dots, "".join(area), peak)


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
    columns: dict[int, list[Point]] = {}
    for point in points:
        columns.setdefault(int((point[0] - frame.begin) / width), []).append(point)
    for column in columns.values():
        valued = [(value, at) for at, value in column if value is not None]
        if not valued:
            yield column[0]
            continue
        yield from ((at, value) for value, at in sorted({min(valued), max(valued)}, key=lambda p: p[1]))


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


def _amount(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.6g}"


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
