"""What may be in the constants of ``locust_c.stats``, which locustfiles replace."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

__all__ = ["complain"]

_INTERVALS = (
    "CONSOLE_STATS_INTERVAL_SEC",
    "HISTORY_STATS_INTERVAL_SEC",
    "CSV_STATS_INTERVAL_SEC",
    "CSV_STATS_FLUSH_INTERVAL_SEC",
    "CURRENT_RESPONSE_TIME_PERCENTILE_WINDOW",
)
_MOST_IN_A_CHART = 6


def complain(stats: ModuleType) -> str | None:
    """The first constant of the module that is wrong, in a line; None if none is."""
    problem = _about_percentiles("PERCENTILES_TO_CHART", stats.PERCENTILES_TO_CHART, _MOST_IN_A_CHART)
    problem = problem or _about_percentiles("PERCENTILES_TO_STATISTICS", stats.PERCENTILES_TO_STATISTICS)
    problem = problem or _about_percentiles("PERCENTILES_TO_REPORT", stats.PERCENTILES_TO_REPORT, ends=True)
    for name in _INTERVALS:
        seconds = getattr(stats, name)
        if not isinstance(seconds, (int, float)) or not math.isfinite(seconds) or seconds < 0:
            problem = problem or f"stats.{name} is {seconds!r}: it must be a number of seconds"
    return problem


def _about_percentiles(
    name: str, percentiles: Any, at_most: int | None = None, ends: bool = False
) -> str | None:
    """``ends``: 0 and 1 are percentiles as well."""
    if not isinstance(percentiles, (list, tuple)):
        return f"stats.{name} must be a list of percentiles such as [0.5, 0.95]"
    if at_most is not None and len(percentiles) > at_most:
        return f"stats.{name} has {len(percentiles)} percentiles, but at most {at_most} fit into a chart"
    for share in percentiles:
        inside = isinstance(share, float) and 0 < share < 1
        if not inside and not (ends and share in (0, 1)):
            return f"stats.{name} contains {share!r}: a percentile is a float between 0 and 1 such as 0.95"
    return None
