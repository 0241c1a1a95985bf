"""What the open page asks for again and again: the state of the test, and what is new in its charts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from .. import log
from ..html import host_of
from ..states import STATE_MISSING
from ..timeline import Timeline
from .figures import encoded

if TYPE_CHECKING:
    from ..env import Environment
    from ..runners import Runner
    from ..stats import StatsEntry
    from .ui import WebUI

__all__ = ["add_live", "live"]


def add_live(routes: Blueprint, web_ui_of_request: Callable[[], WebUI]) -> None:
    """Add the address to ``routes``; ``web_ui_of_request`` finds the page that a request is for."""

    @routes.route("/stats/live")
    def live_stats() -> Response:
        """The state of the test and the points of its charts from ``since`` on, if ``epoch`` still holds."""
        epoch = request.args.get("epoch", -1, type=int)
        since = request.args.get("since", 0, type=int)
        web_ui = web_ui_of_request()
        values = {"instance": web_ui.instance, **live(web_ui.environment, epoch, since)}
        answer = Response(encoded(values))
        answer.headers["Content-Type"] = "application/json"
        answer.headers["Cache-Control"] = "no-store"
        return answer


def live(environment: Environment, epoch: int, since: int) -> dict[str, Any]:
    """The answer as values.

    ``counts`` change when what a page shows in a list does: how many names there are, how many failures,
    exceptions and lines of the log there have been.
    """
    runner = environment.runner
    total = environment.stats.total
    if runner is not None:
        runner.timeline.follow(total)
    shape = environment.shape_class
    timeline = Timeline() if runner is None else runner.timeline
    return {
        "state": STATE_MISSING if runner is None else runner.state,
        "host": host_of(environment),
        "shape": None if shape is None else type(shape).__name__,
        **_progress(runner),
        "worker_count": 0,
        "workers": [],
        "total": _total(total),
        "counts": {
            "names": len(environment.stats.entries),
            "errors": total.num_failures,
            "exceptions": 0 if runner is None else sum(row["count"] for row in runner.exceptions.values()),
            "log_lines": log.count_lines(),
        },
        "timeline": timeline.since(epoch, since),
    }


def _progress(runner: Runner | None) -> dict[str, Any]:
    if runner is None:
        names = ("target_user_count", "spawn_rate", "run_time_s", "elapsed_s", "time_left_s")
        return {"user_count": 0, **dict.fromkeys(names)}
    return {
        "user_count": runner.user_count,
        "target_user_count": runner.target_user_count,
        "spawn_rate": runner.spawn_rate or None,
        "run_time_s": runner.run_time_s,
        "elapsed_s": runner.elapsed_s,
        "time_left_s": runner.time_left_s,
    }


def _total(total: StatsEntry) -> dict[str, Any]:
    return {
        "num_requests": total.num_requests,
        "num_failures": total.num_failures,
        "current_rps": total.current_rps,
        "current_fail_per_sec": total.current_fail_per_sec,
        "fail_ratio": total.fail_ratio,
        "total_rps": total.total_rps,
        "median_response_time": total.median_response_time,
        "avg_response_time": total.avg_response_time,
        "generator_lag_p99": total.generator_lag.quantile(0.99),
    }
