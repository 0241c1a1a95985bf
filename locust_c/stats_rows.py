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

    def __init__(self, stats: RequestStats, percentiles: Sequence[float]) -> None:
        """``percentiles`` (0..1) have a column each."""
        last, start = stats.last_request_timestamp, stats.start_time
        self._seconds = current_seconds(last, start)
        self._run_s = last - start if last and start else 0.0
        self._columns = [(f"response_time_percentile_{share}", share) for share in percentiles]

    def row(self, entry: StatsEntry) -> dict[str, Any]:
        """The row of one entry."""
        requests, failures, run_s = entry.num_requests, entry.num_failures, self._run_s
        timed = requests - entry.num_none_requests
        shortest, longest = entry.min_response_time, entry.max_response_time
        current_rps, current_fail_per_sec = entry.current_rates(self._seconds)
        row: dict[str, Any] = {
            "method": entry.method,
            "name": entry.name,
            "num_requests": requests,
            "num_failures": failures,
            "min_response_time": 0 if shortest is None else float(floor(shortest + 0.5)),
            "max_response_time": float(floor(longest + 0.5)),
            "current_rps": current_rps,
            "current_fail_per_sec": current_fail_per_sec,
            "avg_response_time": entry.total_response_time / timed if timed else 0.0,
            "median_response_time": entry.median_response_time,
            "total_rps": requests / run_s if run_s else 0.0,
            "total_fail_per_sec": failures / run_s if run_s else 0.0,
        }
        for column, share in self._columns:
            row[column] = entry.get_response_time_percentile(share)
        row["avg_content_length"] = entry.total_content_length / requests if requests else 0
        return row
