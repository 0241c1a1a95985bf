"""How statistics travel from workers to the master: three keys of the ``stats`` message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .stats_errors import StatsError, StatsErrorDict

if TYPE_CHECKING:
    from .event import Events
    from .stats import RequestStats

__all__ = ["setup_distributed_stats_event_listeners"]


def setup_distributed_stats_event_listeners(events: Events, stats: RequestStats) -> None:
    """Report to the master on ``report_to_master``, merge a worker's report on ``worker_report``."""

    def on_report_to_master(client_id: str, data: dict[str, Any]) -> None:
        data["stats"] = stats.serialize_stats()
        data["stats_total"] = stats.total.get_stripped_report()
        data["errors"] = stats.serialize_errors()
        stats.errors = {}

    def on_worker_report(client_id: str, data: dict[str, Any]) -> None:
        unserialize = type(stats.total).unserialize
        for report in data["stats"]:
            stats.entries[report["name"], report["method"]].extend(unserialize(report, stats))
        for key, error in data["errors"].items():
            _merge_error(stats, key, error)
        stats.total.extend(unserialize(data["stats_total"], stats))

    events.report_to_master.add_listener(on_report_to_master)
    events.worker_report.add_listener(on_worker_report)


def _merge_error(stats: RequestStats, key: str, data: StatsErrorDict) -> None:
    reported = StatsError.unserialize(data)
    known = stats.find_error_row(key, reported.method, reported.name, str(reported.error))
    known.occurrences += reported.occurrences
    for seen in (reported.first_seen, reported.last_seen):
        if seen is not None:
            known.first_seen = seen if known.first_seen is None else min(known.first_seen, seen)
            known.last_seen = seen if known.last_seen is None else max(known.last_seen, seen)
