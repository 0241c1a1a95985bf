"""The tables on the console, as lists of lines: pure formatting, nothing is printed here.

The wide tables have Locust's exact columns. They need 100 columns to hold together, the percentiles up to
175; the narrow ones are for terminals with fewer and leave columns out instead of wrapping.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from .stats_times import get_readable_percentiles

if TYPE_CHECKING:
    from .stats import StatsEntry
    from .stats_errors import StatsError

__all__ = ["Widths"]


class Widths(NamedTuple):
    """Columns of the name and of the type (method)."""

    name: int
    type: int


#: What a control character is shown as: in a name it would break the row, or give the terminal orders.
_SHOWN = {code: ascii(chr(code))[1:-1] for code in [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]}
_SHOWN_IN_ERRORS = {code: text for code, text in _SHOWN.items() if chr(code) not in "\n\t"}


def on_one_line(name: str) -> str:
    """A name or method as it can be shown on a terminal."""
    return name if name.isprintable() else name.translate(_SHOWN)


def shown_error(error: StatsError) -> str:
    """The text of an error as it can be shown on a terminal; it may have several lines."""
    text = error.to_name()
    return text if text.isprintable() else text.translate(_SHOWN_IN_ERRORS)


def _fails(entry: StatsEntry) -> str:
    return f"{entry.num_failures}({entry.fail_ratio * 100:.2f}%)"


def _rates(entry: StatsEntry, current: bool) -> tuple[float, float]:
    """Requests and failures per second: of the last seconds, or of the whole run."""
    if not current:
        return entry.total_rps, entry.total_fail_per_sec
    return entry.current_rps, entry.current_fail_per_sec


def _name_in_stats(widths: Widths) -> int:
    return widths.name - widths.type + 4


def stats_header(widths: Widths) -> list[str]:
    """Heading and rule of the request statistics."""
    name_width = _name_in_stats(widths)
    columns = ("Avg", "Min", "Max", "Med")
    return [
        f"{'Type':<{widths.type}} {'Name':<{abs(name_width)}} {'# reqs':>7} {'# fails':>12} |"
        + "{:>7} {:>7} {:>7}{:>7}".format(*columns)
        + f" | {'req/s':>7} {'failures/s':>11}",
        stats_rule(widths),
    ]


def stats_rule(widths: Widths) -> str:
    """The line above and below the rows of the request statistics."""
    dashes = [widths.type, _name_in_stats(widths), 7, 13, 7, 7, 7, 7, 8, 11]
    return "|".join("-" * width for width in dashes)


def stats_row(entry: StatsEntry, widths: Widths, current: bool) -> str:
    """One entry of the request statistics."""
    rps, fail_per_sec = _rates(entry, current)
    # Locust sets a method that is wider than its column off by two spaces.
    method = f"{on_one_line(entry.method)} " if entry.method else ""
    return (
        f"{method:<{widths.type}} {on_one_line(entry.name):<{abs(_name_in_stats(widths))}}"
        f" {entry.num_requests:>7d} {_fails(entry):>12} |{int(entry.avg_response_time):>7d}"
        f" {int(entry.min_response_time or 0):>7d} {int(entry.max_response_time):>7d}"
        f"{int(entry.median_response_time or 0):>7d} | {rps:>7.2f} {fail_per_sec:>11.2f}"
    )


def percentile_header(percentiles: Sequence[float], widths: Widths) -> list[str]:
    """Title, heading and rule of the percentiles."""
    headings = [*get_readable_percentiles(percentiles), "# reqs"]
    cells = [f"{heading:>{8 if i == 0 else 6}}" for i, heading in enumerate(headings)]
    return [
        "Response time percentiles (approximated)",
        f"{'Type':<{widths.type}} {'Name':<{widths.name}} " + " ".join(cells),
        percentile_rule(percentiles, widths),
    ]


def percentile_rule(percentiles: Sequence[float], widths: Widths) -> str:
    """The line above and below the rows of the percentiles."""
    dashes = [widths.type, widths.name, 8, *[6] * len(percentiles)]
    return "|".join("-" * width for width in dashes)


def percentile_row(entry: StatsEntry, percentiles: Sequence[float], widths: Widths) -> str:
    """One entry of the percentiles: rounded response times in ms, and the number of requests."""
    numbers = [int(entry.get_response_time_percentile(share)) for share in percentiles]
    cells = [f"{n:>{8 if i == 0 else 6}d}" for i, n in enumerate([*numbers, entry.num_requests])]
    return _start_of_row(entry, widths) + " ".join(cells)


def _start_of_row(entry: StatsEntry, widths: Widths) -> str:
    return f"{on_one_line(entry.method or ''):<{widths.type}} {on_one_line(entry.name):<{widths.name}} "


def _count_rule(widths: Widths) -> str:
    return "-" * 18 + "|" + "-" * (widths.name + 61)


def error_lines(errors: Sequence[StatsError], widths: Widths) -> list[str]:
    """The whole error report."""
    return [
        "Error report",
        f"{'# occurrences':<18} {'Error':<100}",
        _count_rule(widths),
        *[f"{error.occurrences:<18d} {shown_error(error):<100}" for error in errors],
        _count_rule(widths),
        "",
    ]


def resent_lines(entries: Sequence[StatsEntry], widths: Widths) -> list[str]:
    """The names whose requests were sent again, with how many were."""
    rule = f"{'-' * widths.type}|{'-' * widths.name}|{'-' * 8}"
    return [
        "Requests sent again",
        f"{'Type':<{widths.type}} {'Name':<{widths.name}} {'# times':>8}",
        rule,
        *[f"{_start_of_row(entry, widths)}{entry.num_resent:>8d}" for entry in entries],
        rule,
        "",
    ]
