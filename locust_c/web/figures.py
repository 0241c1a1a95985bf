"""The statistics as the web page and other programs read them: JSON, remembered for a moment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from gevent.lock import RLock

import locust_c.web

from .. import _core, stats
from ..states import STATE_MISSING
from ..stats_errors import shortened
from ..stats_rows import Rows
from ..stats_turns import in_turns
from ..util.cache import Memo

if TYPE_CHECKING:
    from ..env import Environment

__all__ = ["MAX_ERROR_TEXT", "MAX_ROWS", "Figures", "encoded"]

#: At most so many errors, and unless all were asked for so many entries, are shown.
MAX_ROWS = 500

#: Characters of an error's text that are shown where all entries are.
MAX_ERROR_TEXT = 2000

#: What old exporters read, from before percentiles were named by their shares.
_OLD_PERCENTILES = {"50": 0.5, "95": 0.95}

# About a tenth of a millisecond.
_ROWS_AT_ONCE = 20

_LAG = _core.PHASES.index("lag")


class _Kept:
    """One answer that is remembered; who asks while it is worked out waits for it."""

    def __init__(self) -> None:
        self._memo: Memo[bytes] = Memo()
        self._lock = RLock()

    def get(self, work_out: Callable[[], bytes]) -> bytes:
        with self._lock:
            return self._memo.get(work_out, locust_c.web.DEFAULT_CACHE_TIME)


class Figures:
    """Answers about the statistics of one environment; other greenlets run while they are worked out.

    They are repeated for ``locust_c.web.DEFAULT_CACHE_TIME`` seconds, or for twice as long as they took.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._kept: dict[str, _Kept] = {}

    def clear(self) -> None:
        """Forget the answers, those as well that are being worked out."""
        self._kept = {}

    def requests(self, everything: bool = False) -> bytes:
        """``/stats/requests``: the first 500 entries as Locust answers, or ``everything``: all, with exact
        times and without white space, and errors with the first 2,000 characters of their texts.
        """
        if everything:
            return self._get("all", lambda: encoded(self._requests(None)))
        return self._get("requests", lambda: _readable(self._requests(MAX_ROWS)))

    def phases(self) -> bytes:
        """``/stats/phases``: how long each phase of the requests took, of all entries."""
        return self._get("phases", lambda: encoded(self._phases()))

    def _get(self, name: str, work_out: Callable[[], bytes]) -> bytes:
        return self._kept.setdefault(name, _Kept()).get(work_out)

    def _requests(self, most: int | None) -> dict[str, Any]:
        environment = self._environment
        runner = environment.runner
        answer = _without_runner()
        if runner is not None:
            answer = {**_totals(environment), "state": runner.state, "user_count": runner.user_count}
            answer["stats"] = _encoded_rows(_rows(environment.stats, most))
            # A copy: errors may be added while other greenlets run.
            errors = [error.to_dict() for error in islice(environment.stats.errors.values(), MAX_ROWS)]
            if most is None:
                for error in errors:
                    error["error"] = shortened(str(error["error"]), MAX_ERROR_TEXT)
            answer["errors"] = _encoded_rows(errors)
        if most is None:
            answer["errors_count"] = len(environment.stats.errors)
        return answer

    def _phases(self) -> dict[str, Any]:
        entries = [*stats.sort_stats(self._environment.stats.entries), self._environment.stats.total]
        return {
            "phases": [name for name in _core.PHASES if name != "lag"],
            "stats": _encoded_rows(map(_phases_row, entries)),
        }


def _totals(environment: Environment) -> dict[str, Any]:
    total = environment.stats.total
    current = {
        f"response_time_percentile_{share}": total.get_current_response_time_percentile(share)
        for share in stats.PERCENTILES_TO_CHART
    }
    # Old parsers want numbers, and Locust gave 0 then where it now says null.
    old = {
        f"current_response_time_percentile_{name}": total.get_current_response_time_percentile(share) or 0
        for name, share in _OLD_PERCENTILES.items()
    }
    for number, value in enumerate(islice(current.values(), 2), start=1):
        old[f"current_response_time_percentile_{number}"] = value or 0
    return {
        **old,
        "current_rps": total.current_rps,
        "current_fail_per_sec": total.current_fail_per_sec,
        "total_rps": total.total_rps,
        "total_fail_per_sec": total.total_fail_per_sec,
        "fail_ratio": total.fail_ratio,
        "current_response_time_percentiles": current,
    }


def _rows(of: stats.RequestStats, most: int | None) -> Iterable[dict[str, Any]]:
    """The first ``most`` entries and the total; for the page, which shows all, with exact times."""
    rows = Rows(of, stats.PERCENTILES_TO_STATISTICS, exact=most is None)
    for entry in [*stats.sort_stats(of.entries)[:most], of.total]:
        # What programs put among the entries may have figures of its own.
        ours = type(entry) is stats.StatsEntry and entry.stats is of
        yield rows.row(entry) if ours else entry.to_dict()


def _phases_row(entry: stats.StatsEntry) -> dict[str, Any]:
    """Phases that no request had are left out."""
    phases = {name: _phase(entry, place) for place, name in enumerate(_core.PHASES) if place != _LAG}
    return {
        "method": entry.method,
        "name": entry.name,
        "phases": {name: phase for name, phase in phases.items() if phase is not None},
        "generator_lag": _phase(entry, _LAG),
    }


def _phase(entry: stats.StatsEntry, place: int) -> dict[str, Any] | None:
    count = entry.phase_count(place)
    if not count:
        return None
    median, p95, p99 = (round(entry.phase_quantile(place, share) or 0.0, 3) for share in (0.5, 0.95, 0.99))
    return {"count": count, "median": median, "p95": p95, "p99": p99}


def _without_runner() -> dict[str, Any]:
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


def _encoded_rows(rows: Iterable[dict[str, Any]]) -> msgspec.Raw:
    """The rows as a JSON array; other greenlets run between some of them."""
    parts = [encoded(some)[1:-1] for some in in_turns(_batches(rows))]
    return msgspec.Raw(b"[" + b",".join(parts) + b"]")


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    left = iter(rows)
    while some := list(islice(left, _ROWS_AT_ONCE)):
        yield some


def encoded(value: Any) -> bytes:
    """JSON without white space, keys in order, whatever texts are in it."""
    try:
        return msgspec.json.encode(value, order="sorted")
    except UnicodeEncodeError:
        # Names and errors may hold half of a surrogate pair, which only an escape can say.
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _readable(value: dict[str, Any]) -> bytes:
    """As Locust answers: keys in order, one to a line."""
    compact = encoded(value)
    try:
        return msgspec.json.format(compact, indent=2) + b"\n"
    except msgspec.DecodeError:
        # It refuses that escape.
        return json.dumps(json.loads(compact), sort_keys=True, indent=2).encode() + b"\n"
