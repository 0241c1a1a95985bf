"""What ``/stats/requests`` answers."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from .. import stats
from ..states import STATE_MISSING

if TYPE_CHECKING:
    from ..env import Environment

#: At most so many entries, and so many errors, are shown.
MAX_ROWS = 500


def without_runner() -> dict[str, Any]:
    """Answer for an environment that has no runner."""
    return {
        "stats": [],
        "errors": [],
        "total_rps": 0.0,
        "total_fail_per_sec": 0.0,
        "fail_ratio": 0.0,
        "current_response_time_percentile_1": None,
        "current_response_time_percentile_2": None,
        "state": STATE_MISSING,
        "user_count": 0,
    }


def of(environment: Environment) -> dict[str, Any]:
    """Answer for ``environment`` as it is now."""
    runner = environment.runner
    if runner is None:
        return without_runner()
    total = environment.stats.total
    entries = [entry.to_dict() for entry in islice(stats.sort_stats(environment.stats.entries), MAX_ROWS)]
    return {
        "stats": list(chain(entries, [total.to_dict()])),
        "errors": [error.to_dict() for error in islice(environment.stats.errors.values(), MAX_ROWS)],
        "current_rps": total.current_rps,
        "current_fail_per_sec": total.current_fail_per_sec,
        "total_rps": total.total_rps,
        "total_fail_per_sec": total.total_fail_per_sec,
        "fail_ratio": total.fail_ratio,
        "current_response_time_percentiles": {
            f"response_time_percentile_{percentile}": total.get_current_response_time_percentile(percentile)
            for percentile in stats.PERCENTILES_TO_CHART
        },
        "state": runner.state,
        "user_count": runner.user_count,
    }
