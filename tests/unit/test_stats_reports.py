"""What the statistics give to others: the master, the charts, the checks of the configuration."""

from __future__ import annotations

import types
from typing import Any

import gevent
import msgpack
import pytest
from stats_clock import Clock

from locust_c import stats as stats_module
from locust_c.event import Events
from locust_c.stats import RequestStats, StatsEntry


def report_of(worker: RequestStats) -> dict[str, Any]:
    """What a worker's listener puts into its message, after the way over the wire."""
    events, data = Events(), dict[str, Any]()
    stats_module.setup_distributed_stats_event_listeners(events, worker)
    events.report_to_master.fire(client_id="w", data=data)
    received: dict[str, Any] = msgpack.unpackb(msgpack.packb(data), strict_map_key=False)
    return received


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, 1000.25)


def test_the_master_counts_what_its_workers_report(clock: Clock) -> None:
    master, events = RequestStats(), Events()
    stats_module.setup_distributed_stats_event_listeners(events, master)
    workers = [RequestStats(), RequestStats()]
    for turn in range(3):
        for number, worker in enumerate(workers):
            clock.now += 0.5
            for i in range(100):
                worker.log_request("GET", "/", i * 10 + number, 10)
            worker.log_request("GET", "/untimed", None, 1)
            worker.log_error("GET", "/", "broken")
            report = report_of(worker)
            assert report["stats_total"]["num_requests"] == 101
            assert (worker.num_requests, worker.errors) == (0, {})
            events.worker_report.fire(client_id="w", data=report)
        assert master.num_requests == 202 * (turn + 1)
    assert (master.num_failures, master.num_none_requests) == (6, 6)
    assert (master.total.min_response_time, master.total.max_response_time) == (0, 991)
    assert master.get("/", "GET").num_requests == 600
    assert sum(master.total.response_times.values()) == master.total.histogram_count == 600
    assert master.start_time == 1000.25
    (error,) = master.errors.values()
    assert (error.occurrences, error.first_seen, error.last_seen) == (6, 1000.75, 1003.25)


def test_a_report_in_the_words_of_other_workers_is_merged() -> None:
    master, events = RequestStats(), Events()
    stats_module.setup_distributed_stats_event_listeners(events, master)
    total = {"name": "Total", "method": "", "num_requests": 2, "num_failures": 1, "start_time": 900}
    times = {"total_response_time": 30, "min_response_time": 10, "max_response_time": 20}
    counts = {"response_times": {10: 1, 20: 1}, "num_reqs_per_sec": {901: 2}, "num_fail_per_sec": {901: 1}}
    entry = {**total, **times, **counts, "num_none_requests": 0, "last_request_timestamp": 901}
    error = {"name": "/", "method": "GET", "error": "text", "occurrences": 1}
    data = {
        "stats": [{**entry, "name": "/", "method": "GET"}],
        "stats_total": entry,
        "errors": {"md5": error},
    }
    events.worker_report.fire(client_id="boomer", data=data)
    assert (master.num_requests, master.total.name, master.start_time) == (2, "Aggregated", 900)
    assert master.total.median_response_time == 20
    assert [(e.occurrences, e.first_seen) for e in master.errors.values()] == [(1, None)]


@pytest.fixture
def runner(clock: Clock) -> types.SimpleNamespace:
    stats = RequestStats()
    stats.log_request("GET", "/", 5, 1)
    return types.SimpleNamespace(stats=stats, user_count=7, state="running")


def test_a_row_of_the_history_pairs_each_figure_with_its_time(runner: Any) -> None:
    stats_module.update_stats_history(runner)
    at = "1970-01-01T00:16:40Z"
    expected = {
        "response_time_percentile_0.5": [at, 0],
        "response_time_percentile_0.95": [at, 0],
        "current_rps": [at, 0],
        "current_fail_per_sec": [at, 0],
        "total_avg_response_time": [at, 5.0],
        "user_count": [at, 7],
        "time": at,
    }
    assert runner.stats.history == [expected]
    assert list(runner.stats.history[0]) == list(expected)
    stats_module.update_stats_history(runner, "then")
    assert runner.stats.history[1]["time"] == "then"


def test_a_history_of_days_is_thinned(runner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("locust_c.stats_charts.MAX_ROWS", 100)
    monkeypatch.setattr("locust_c.stats_charts.ROWS_KEPT", 10)
    history = runner.stats.history
    for number in range(1000):
        stats_module.update_stats_history(runner, str(number))
        assert len(history) <= 100
    assert history is runner.stats.history
    times = [int(row["time"]) for row in history]
    assert (times[0], times[-10:]) == (0, list(range(990, 1000)))
    assert times == sorted(times)


@pytest.mark.parametrize(("state", "rows"), [("ready", 0), ("spawning", 1), ("running", 1), ("stopped", 0)])
def test_the_history_grows_while_a_test_runs(
    state: str, rows: int, runner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_at_the_first_sleep(seconds: float) -> None:
        assert seconds == stats_module.HISTORY_STATS_INTERVAL_SEC
        raise gevent.GreenletExit

    monkeypatch.setattr(gevent, "sleep", end_at_the_first_sleep)
    runner.state = state
    with pytest.raises(gevent.GreenletExit):
        stats_module.stats_history(runner)
    assert len(runner.stats.history) == rows


def test_the_printer_prints_at_the_interval_that_is_set(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slept: list[float] = []

    def end_at_the_second_sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            raise gevent.GreenletExit

    monkeypatch.setattr(gevent, "sleep", end_at_the_second_sleep)
    monkeypatch.setattr(stats_module, "CONSOLE_STATS_INTERVAL_SEC", 0.5)
    with caplog.at_level("INFO", logger="locust.stats_logger"), pytest.raises(gevent.GreenletExit):
        stats_module.stats_printer(RequestStats())()
    assert slept == [0.5, 0.5]
    assert len([r for r in caplog.records if "Aggregated" in r.getMessage()]) == 2


@pytest.mark.parametrize(
    ("name", "percentiles", "message"),
    [
        ("PERCENTILES_TO_CHART", [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99], "at most 6"),
        ("PERCENTILES_TO_CHART", [1.0], "contains 1.0"),
        ("PERCENTILES_TO_CHART", [0.5, 1], "contains 1"),
        ("PERCENTILES_TO_STATISTICS", ["x"], "contains 'x'"),
        ("PERCENTILES_TO_STATISTICS", None, "must be a list"),
        ("PERCENTILES_TO_REPORT", [0.5, 1.5], "contains 1.5"),
        ("CSV_STATS_INTERVAL_SEC", "1", "is '1': it must be a number of seconds"),
        ("CONSOLE_STATS_INTERVAL_SEC", -1, "is -1"),
    ],
)
def test_wrong_constants_end_the_process_with_one_line(
    name: str,
    percentiles: Any,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(stats_module, name, percentiles)
    with pytest.raises(SystemExit) as ended:
        stats_module.validate_stats_configuration()
    assert ended.value.code == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"stats.{name}" in error
    assert message in error


@pytest.mark.parametrize("percentiles", [[], [0.5], [0.123, 0.9999]])
def test_right_percentiles_are_accepted(percentiles: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats_module, "PERCENTILES_TO_CHART", percentiles)
    monkeypatch.setattr(stats_module, "PERCENTILES_TO_STATISTICS", [*percentiles] * 4)
    stats_module.validate_stats_configuration()
    row = StatsEntry(RequestStats(), "n", "m").to_dict()
    assert {f"response_time_percentile_{share}" for share in percentiles} <= set(row)
