"""The tables for terminals in which the wide ones would wrap: fewer figures, shortened names."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

from .stats_tables import on_one_line, shown_error
from .stats_times import get_readable_percentiles
from .stats_turns import in_turns

if TYPE_CHECKING:
    from .stats import StatsEntry
    from .stats_errors import StatsError

__all__ = [
    "error_lines",
    "name_width_of",
    "narrow_columns",
    "percentile_lines",
    "resent_lines",
    "stats_lines",
    "terminal_columns",
]

_NARROW_BELOW = 100
_COLUMNS_BESIDE_NAME = 80
_WIDEST_NAME = 80
_TYPE = 7
_LEAST_NAME = 12
_OF_INTEREST = (0.5, 0.75, 0.9, 0.95, 0.99, 1.0)


def terminal_columns() -> int | None:
    """The width of the terminal that standard output is; None if it is none."""
    try:
        return os.get_terminal_size().columns
    except OSError:
        return None


def name_width_of(columns: int) -> int:
    """The width that Locust's tables leave for names."""
    return min(max(columns - _COLUMNS_BESIDE_NAME, 0), _WIDEST_NAME)


def narrow_columns(name_width: int, needed: int = _NARROW_BELOW) -> int | None:
    """The terminal's width, if it is below ``needed`` and ``name_width`` was not chosen by the user."""
    columns = terminal_columns()
    if columns is None or columns >= needed or name_width_of(columns) != name_width:
        return None
    return columns


def _cells(text: str) -> int:
    """How many columns a text takes: Chinese characters and emoji take two."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(char) else 1 + (east_asian_width(char) in "WF") for char in text)


def _within(text: str, width: int) -> str:
    """As much of the beginning as fits."""
    while _cells(text) > width:
        text = text[:-1]
    return text


def _fit(text: str, width: int) -> str:
    """Makes a text exactly that wide. Cuts out the middle: names often differ at their end."""
    if _cells(text) > width:
        tail = (width - 2) // 2
        end = _within(text[: -tail - 1 : -1], tail)[::-1]
        text = _within(text[:width], width - 2 - tail) + ".." + end
    return text + " " * (width - _cells(text))


def _line(method: str, name: str, cells: Sequence[str], name_width: int) -> str:
    return " ".join([_fit(on_one_line(method or ""), _TYPE), _fit(on_one_line(name), name_width), *cells])


def _rule(name_width: int, widths: Sequence[int]) -> str:
    return "|".join("-" * width for width in [_TYPE, name_width, *widths])


def _name_width(columns: int, widths: Sequence[int]) -> int:
    return max(_LEAST_NAME, columns - _TYPE - 1 - sum(width + 1 for width in widths))


def stats_lines(entries: Sequence[StatsEntry], total: StatsEntry, current: bool, columns: int) -> list[str]:
    """The request statistics without the shortest time and the failures per second."""
    figures: dict[str, tuple[int, Callable[[StatsEntry], str]]] = {
        "# reqs": (7, lambda e: str(e.num_requests)),
        "# fails": (7, lambda e: str(e.num_failures)),
        "fails": (7, lambda e: f"{e.fail_ratio * 100:.2f}%"),
        "Avg": (6, lambda e: str(int(e.avg_response_time))),
        "Max": (6, lambda e: str(int(e.max_response_time))),
        "Med": (6, lambda e: str(int(e.median_response_time or 0))),
        "req/s": (8, lambda e: f"{e.current_rps if current else e.total_rps:.2f}"),
    }
    for heading in ("fails", "Max", "Avg"):
        if _name_width(columns, [width for width, _ in figures.values()]) > _LEAST_NAME:
            break
        del figures[heading]
    widths = [width for width, _ in figures.values()]
    name_width = _name_width(columns, widths)

    def row(entry: StatsEntry) -> str:
        cells = [f"{figure(entry):>{width}}" for width, figure in figures.values()]
        return _line(entry.method, entry.name, cells, name_width)

    cells = [f"{heading:>{width}}" for heading, (width, _) in figures.items()]
    rule = _rule(name_width, widths)
    return [
        _line("Type", "Name", cells, name_width),
        rule,
        *[row(entry) for entry in in_turns(entries)],
        rule,
        row(total),
    ]


def _fitting(percentiles: Sequence[float], columns: int) -> list[float]:
    """As many of the percentiles as leave room for a name: first those that people look at most."""
    room = (columns - _TYPE - 1 - 20 - 7) // 7
    by_interest = sorted(percentiles, key=lambda share: (share not in _OF_INTEREST, share))
    chosen = by_interest[: max(room, 1)]
    return [share for share in percentiles if share in chosen]


def percentile_lines(entries: Sequence[StatsEntry], percentiles: Sequence[float], columns: int) -> list[str]:
    """The percentiles that fit; ``entries`` ends with the total."""
    shares = _fitting(percentiles, columns)
    widths = [6] * (len(shares) + 1)
    name_width = _name_width(columns, widths)

    def row(entry: StatsEntry) -> str:
        numbers = [int(entry.get_response_time_percentile(share)) for share in shares]
        cells = [f"{number:>6d}" for number in [*numbers, entry.num_requests]]
        return _line(entry.method, entry.name, cells, name_width)

    headings = [f"{heading:>6}" for heading in [*get_readable_percentiles(shares), "# reqs"]]
    rule = _rule(name_width, widths)
    return [
        "Response time percentiles (approximated)",
        _line("Type", "Name", headings, name_width),
        rule,
        *[row(entry) for entry in in_turns(entries[:-1])],
        rule,
        *[row(entry) for entry in entries[-1:]],
    ]


def error_lines(errors: Sequence[StatsError], columns: int) -> list[str]:
    """The error report; errors keep their whole text, which may take more than a line."""
    rule = "-" * 13 + "|" + "-" * max(0, columns - 14)
    return [
        "Error report",
        "# occurrences Error",
        rule,
        *[f"{error.occurrences:<13d} {shown_error(error)}" for error in errors],
        rule,
        "",
    ]


def resent_lines(entries: Sequence[StatsEntry], columns: int) -> list[str]:
    """The names whose requests were sent again, with how many were."""
    name_width = _name_width(columns, (8,))
    rule = _rule(name_width, (8,))
    return [
        "Requests sent again",
        _line("Type", "Name", [f"{'# times':>8}"], name_width),
        rule,
        *[_line(e.method, e.name, [f"{e.num_resent:>8d}"], name_width) for e in entries],
        rule,
        "",
    ]
