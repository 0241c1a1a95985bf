"""Arithmetic on tables of rounded response times, ``{milliseconds: count}``, as Locust defines it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import floor

__all__ = [
    "avg",
    "bucket_response_time",
    "calculate_response_time_percentile",
    "diff_response_time_dicts",
    "get_readable_percentiles",
    "proper_round",
]


def bucket_response_time(response_time: int | float) -> int:
    """The key under which ``response_times`` counts a response time (both in milliseconds).

    Below 100 ms the millisecond, below 1 s the nearest 10 ms, below 10 s the nearest 100 ms, above the
    nearest second; ties go to the even one. Source: Locust's documented rounding.
    """
    if response_time < 100:
        return round(response_time)
    if response_time < 1000:
        return int(round(response_time, -1))
    if response_time < 10000:
        return int(round(response_time, -2))
    return int(round(response_time, -3))


def calculate_response_time_percentile(
    response_times: Mapping[int, int], num_requests: int, percent: float
) -> int:
    """The response time in milliseconds that a share ``percent`` (0..1) of ``num_requests`` does not exceed.

    Counts from the slowest down to the first one where at most that share of the requests is faster. 0 if the
    table has no such time.
    """
    faster = int(num_requests * percent)
    seen = 0
    for response_time in sorted(response_times, reverse=True):
        seen += response_times[response_time]
        if num_requests - seen <= faster:
            return response_time
    return 0


def diff_response_time_dicts(latest: Mapping[int, int], old: Mapping[int, int]) -> dict[int, int]:
    """What was counted in ``latest`` since it was ``old``; times that were not counted again are left out."""
    differences = {time: count - old.get(time, 0) for time, count in latest.items()}
    return {time: count for time, count in differences.items() if count}


def get_readable_percentiles(percentile_list: Sequence[float]) -> list[str]:
    """Headings for percentiles: ``0.5`` gives ``50%``, ``0.9999`` gives ``99.99%``."""

    def heading(percentile: float) -> str:
        percent = 100 * float(percentile)
        return f"{int(percent) if percent.is_integer() else round(percent, 6)}%"

    return [heading(percentile) for percentile in percentile_list]


def avg(values: Iterable[float | int]) -> float:
    """The mean; 0 of nothing."""
    numbers = list(values)
    return sum(numbers, 0.0) / max(len(numbers), 1)


def proper_round(value: float) -> float:
    """The nearest whole number; halves go up, unlike with Python's ``round``."""
    return float(floor(value + 0.5))
