"""The rows behind the charts of the web page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .runners import Runner

__all__ = ["add_row", "history_row"]

#: Twelve hours, at a row for every five seconds: about 10 MB.
MAX_ROWS = 8640

#: An hour.
ROWS_KEPT = 720


def add_row(history: list[dict[str, Any]], row: dict[str, Any]) -> None:
    """Append ``row``; of a history that has grown too long every other row goes, but not the last hour's."""
    history.append(row)
    if len(history) > MAX_ROWS:
        del history[1:-ROWS_KEPT:2]


def history_row(runner: Runner, at: str, percentiles: Sequence[float]) -> dict[str, Any]:
    """The state of a run at the time ``at``: each figure is a pair of that time and the value."""
    total = runner.stats.total
    row: dict[str, Any] = {
        f"response_time_percentile_{share}": [at, total.get_current_response_time_percentile(share) or 0]
        for share in percentiles
    }
    row["current_rps"] = [at, total.current_rps or 0]
    row["current_fail_per_sec"] = [at, total.current_fail_per_sec or 0]
    row["total_avg_response_time"] = [at, round(total.avg_response_time, 2)]
    row["user_count"] = [at, runner.user_count or 0]
    row["time"] = at
    return row
