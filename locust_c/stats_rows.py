"""Rows of the statistics for programs: what all rows of a moment have in common is worked out once."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import TYPE_CHECKING, Any

from .stats_entry import current_seconds

if TYPE_CHECKING:
    from .stats import RequestStats, StatsEntry

__all__ = ["Rows"]


class Rows:
    """Makes the rows of ``stats`` in ``/stats/requests``, of entries that belong to ``stats``."""

    def __init__(self, stats: RequestStats, percentiles: Sequence[float], exact: bool = False) -> None:
        """``percentiles`` (0..1) have a column each.

        With ``exact`` the times are those of the histogram, in ms to three digits. Without, they are
        Locust's: of times rounded to two digits, and the shortest time where that makes the median 0.
        """
        last, start = stats.last_request_timestamp, stats.start_time
        self._seconds = current_seconds(last, start)
        self._run_s = last - start if last and start else 0.0
        self._shares = percentiles
        self._columns = [f"response_time_percentile_{share}" for share in percentiles]
        self._times = self._exact_times if exact else self._rounded_times

    def row(self, entry: StatsEntry) -> dict[str, Any]:
        """The row of one entry."""
        requests, failures, run_s = entry.num_requests, entry.num_failures, self._run_s
        timed = requests - entry.num_none_requests
        current_rps, current_fail_per_sec = entry.current_rates(self._seconds)
        shortest, longest, median, percentiles = self._times(entry)
        row: dict[str, Any] = {
            "method": entry.method,
            "name": entry.name,
            "num_requests": requests,
            "num_failures": failures,
            "min_response_time": shortest,
            "max_response_time": longest,
            "current_rps": current_rps,
            "current_fail_per_sec": current_fail_per_sec,
            "avg_response_time": entry.total_response_time / timed if timed else 0.0,
            "median_response_time": median,
            "total_rps": requests / run_s if run_s else 0.0,
            "total_fail_per_sec": failures / run_s if run_s else 0.0,
        }
        row.update(zip(self._columns, percentiles, strict=True))
        row["avg_content_length"] = entry.total_content_length / requests if requests else 0
        return row

    def _rounded_times(self, entry: StatsEntry) -> tuple[float, float, float, list[float]]:
        shortest = entry.min_response_time
        return (
            0 if shortest is None else float(floor(shortest + 0.5)),
            float(floor(entry.max_response_time + 0.5)),
            entry.median_response_time,
            [entry.get_response_time_percentile(share) for share in self._shares],
        )

    def _exact_times(self, entry: StatsEntry) -> tuple[float, float, float, list[float]]:
        quantiles = [round(entry.quantile(share) or 0.0, 3) for share in (0.5, *self._shares)]
        shortest, longest = entry.min_response_time or 0.0, entry.max_response_time
        return round(shortest, 3), round(longest, 3), quantiles[0], quantiles[1:]
