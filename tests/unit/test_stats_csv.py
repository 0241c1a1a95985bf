"""The statistics as CSV: the rows, and the files that are kept while a test runs."""

from __future__ import annotations

import csv
import io
import logging
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.event import Event
from run_fixtures import PATIENCE_S, wait_until
from stats_clock import Clock

from locust_c import stats as stats_module
from locust_c import stats_turns
from locust_c.env import Environment
from locust_c.runners import LocalRunner
from locust_c.stats import CSVWriter, StatsCSV, StatsCSVFileWriter

PERCENTILES = [0.5, 0.9999]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, 1000.25)


@pytest.fixture
def runner(clock: Clock) -> Iterator[LocalRunner]:
    runner = Environment().create_local_runner()
    yield runner
    runner.quit()


def count_some(runner: LocalRunner, clock: Clock) -> None:
    runner.stats.log_request("GET", '/a,"b"', 5.5, 100)
    clock.now += 2
    runner.stats.log_request("GET", '/a,"b"', 15.5, 200)
    runner.stats.log_request("POST", "two\nlines", 123.4, 100)
    runner.stats.log_error("POST", "two\nlines", ValueError("x,y"))
    runner.stats.log_error("GET", "only failed", "text")


def rows_of(text: str) -> list[str]:
    return ["|".join(row) for row in csv.reader(io.StringIO(text, newline=""))]


def written(write: Callable[[Any], None]) -> list[str]:
    text = io.StringIO(newline="")
    write(csv.writer(text))
    return rows_of(text.getvalue())


def rows_in(folder: Path, name: str) -> list[str]:
    return rows_of((folder / f"p_{name}.csv").read_bytes().decode())


def writer_in(folder: Path, runner: LocalRunner, full_history: bool = False) -> StatsCSVFileWriter:
    return StatsCSVFileWriter(runner.environment, PERCENTILES, f"{folder}/p", full_history)


def test_requests_are_sorted_and_end_with_the_total(runner: LocalRunner, clock: Clock) -> None:
    count_some(runner, clock)
    assert written(StatsCSV(runner.environment, PERCENTILES).requests_csv) == [
        "Type|Name|Request Count|Failure Count|Median Response Time|Average Response Time|Min Response Time"
        "|Max Response Time|Average Content Size|Requests/s|Failures/s|50%|99.99%",
        'GET|/a,"b"|2|0|15.5|10.5|5.5|15.5|150.0|1.0|0.0|16|16',
        "GET|only failed|0|1|0|0.0|0|0|0|0.0|0.5|N/A|N/A",
        "POST|two\nlines|1|1|123.4|123.4|123.4|123.4|100.0|0.5|0.5|120|120",
        "|Aggregated|3|2|16|48.13333333333333|5.5|123.4|133.33333333333334|1.5|1.0|16|120",
    ]


def test_failures_and_exceptions_have_rows_of_their_own(runner: LocalRunner, clock: Clock) -> None:
    count_some(runner, clock)
    runner.log_exception("one", "lost", "a\nb")
    runner.log_exception("one", "lost", "a\nb")
    subject = StatsCSV(runner.environment, PERCENTILES)
    titles, *failures = written(subject.failures_csv)
    assert titles == "Method|Name|Error|Occurrences|First Seen|Last Seen"
    at = "1970-01-01T00:16:42Z"
    assert sorted(failures) == [
        f"GET|only failed|text|1|{at}|{at}",
        f"POST|two\nlines|ValueError('x,y')|1|{at}|{at}",
    ]
    assert written(subject.exceptions_csv) == ["Count|Message|Traceback|Nodes", "2|lost|a\nb|one"]


def test_a_subclass_adds_columns(runner: LocalRunner, tmp_path: Path) -> None:
    class Wider(StatsCSVFileWriter):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.requests_csv_columns = ["Phases"]

        def _requests_data_rows(self, csv_writer: CSVWriter) -> None:
            csv_writer.writerow(["all of them"])

    Wider(runner.environment, PERCENTILES, f"{tmp_path}/p").close_files()
    assert rows_in(tmp_path, "stats") == ["Phases", "all of them"]


def test_the_files_follow_the_test_and_end_with_its_last_state(
    runner: LocalRunner, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats_module, "CSV_STATS_INTERVAL_SEC", 0.001)
    folder = tmp_path / "made" / "on the way"
    subject = writer_in(folder, runner)
    assert subject.stats_history_file_name() == f"{folder}/p_stats_history.csv"
    greenlet = gevent.spawn(subject)
    wait_until(lambda: len(rows_in(folder, "stats_history")) == 2)
    runner.stats.log_request("GET", "/", 5.5, 1)
    clock.now += 1
    wait_until(lambda: len(rows_in(folder, "stats_history")) == 3)
    runner.stats.log_request("GET", "/", 7.5, 1)
    subject.close_files()
    subject.close_files()
    assert rows_in(folder, "stats")[1:] == [
        "GET|/|2|0|7.5|6.5|5.5|7.5|1.0|2.0|0.0|8|8",
        "|Aggregated|2|0|7.5|6.5|5.5|7.5|1.0|2.0|0.0|8|8",
    ]
    # A second has one row only, the last one.
    assert rows_in(folder, "stats_history") == [
        "Timestamp|User Count|Type|Name|Requests/s|Failures/s|50%|99.99%|Total Request Count"
        "|Total Failure Count|Total Median Response Time|Total Average Response Time"
        "|Total Min Response Time|Total Max Response Time|Total Average Content Size",
        "1000|0||Aggregated|0.000000|0.000000|N/A|N/A|0|0|0|0.0|0|0|0",
        "1001|0||Aggregated|0.000000|0.000000|8|8|2|0|7.5|6.5|5.5|7.5|1.0",
    ]
    assert subject.requests_csv_filehandle.closed
    greenlet.get(timeout=PATIENCE_S)


def test_closing_waits_for_the_pass_that_is_being_written(
    runner: LocalRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats_module, "CSV_STATS_INTERVAL_SEC", 0.001)
    goes_on, began = Event(), Event()

    class Slow(StatsCSVFileWriter):
        def _requests_data_rows(self, csv_writer: CSVWriter) -> None:
            csv_writer.writerow([runner.stats.total.num_requests])
            if not began.is_set():
                began.set()
                goes_on.wait()

        def _failures_data_rows(self, csv_writer: CSVWriter) -> None:
            gevent.sleep(0.01)

    subject = Slow(runner.environment, PERCENTILES, f"{tmp_path}/p")
    greenlet = gevent.spawn(subject)
    assert began.wait(PATIENCE_S)
    runner.stats.log_request("GET", "/", 5.5, 1)
    closing = gevent.spawn(subject.close_files)
    gevent.sleep(0)
    goes_on.set()
    gevent.joinall([greenlet, closing], timeout=PATIENCE_S, raise_error=True)
    assert rows_in(tmp_path, "stats")[1:] == ["1"]


def test_the_full_history_has_the_current_percentiles_of_each_name(
    runner: LocalRunner, clock: Clock, tmp_path: Path
) -> None:
    subject = writer_in(tmp_path, runner, full_history=True)
    for second in range(14):
        runner.stats.log_request("GET", "/old" if second < 2 else "/", 10 + second, 1)
        clock.now += 1
    subject.close_files()
    assert [row.split("|")[2:8] for row in rows_in(tmp_path, "stats_history")[1:]] == [
        ["GET", "/", "0.900000", "0.000000", "19", "23"],
        ["GET", "/old", "0.100000", "0.000000", "11", "11"],
        ["", "Aggregated", "1.000000", "0.000000", "19", "23"],
    ]


def test_statistics_that_begin_anew_leave_no_old_rows(
    runner: LocalRunner, clock: Clock, tmp_path: Path
) -> None:
    subject = writer_in(tmp_path, runner)
    count_some(runner, clock)
    subject.write_files()
    runner.stats.clear_all()
    subject.close_files()
    assert [row.split("|")[1] for row in rows_in(tmp_path, "stats")] == ["Name", "Aggregated"]
    assert len(rows_in(tmp_path, "failures")) == 1


def test_any_name_and_error_can_be_read_again(runner: LocalRunner, tmp_path: Path) -> None:
    names = ["a\r\nb", '\'"",;\t', "=1+1", "ünï", " "]
    for name in [*names, "\udcff"]:
        runner.stats.log_request("GET", name, 1, 1)
        runner.stats.log_error("GET", name, name * 10_000)
    writer_in(tmp_path, runner).close_files()
    assert sorted(row.split("|")[1] for row in rows_in(tmp_path, "stats")[1:-1]) == sorted(
        [*names, "\\udcff"]
    )
    errors = [row.split("|")[2] for row in rows_in(tmp_path, "failures")[1:]]
    assert sorted(errors) == sorted(name * 10_000 for name in [*names, "\\udcff"])


@contextmanager
def full_disk(limit: int) -> Iterator[None]:
    """No file grows beyond `limit` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_costs_a_line_of_the_log_until_there_is_space_again(
    runner: LocalRunner, clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    subject = writer_in(tmp_path, runner)
    subject.write_files()
    before = [(tmp_path / f"p_{name}.csv").read_bytes() for name in ("stats", "stats_history")]
    count_some(runner, clock)
    with full_disk(len(before[0])):
        subject.write_files()
        clock.now += 1
        subject.write_files()
    assert [(tmp_path / f"p_{name}.csv").read_bytes() for name in ("stats", "stats_history")] == before
    assert len(rows_in(tmp_path, "failures")) == 3
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, f"--csv: cannot write to '{tmp_path}/p_{name}.csv': File too large")
        for name in ("stats", "stats_history")
    ]
    caplog.clear()
    with caplog.at_level(logging.INFO):
        subject.close_files()
    assert len(rows_in(tmp_path, "stats")) == 5
    assert [row.split("|")[0] for row in rows_in(tmp_path, "stats_history")[1:]] == ["1000", "1003"]
    assert [record.getMessage() for record in caplog.records] == [
        f"'{tmp_path}/p_{name}.csv' (--csv) can be written again" for name in ("stats", "stats_history")
    ]


def test_a_file_that_cannot_be_opened_is_named(runner: LocalRunner, tmp_path: Path) -> None:
    (tmp_path / "p_failures.csv").mkdir()
    with pytest.raises(OSError, match="Is a directory") as info:
        writer_in(tmp_path, runner)
    assert info.value.filename == f"{tmp_path}/p_failures.csv"


def test_others_run_while_many_rows_are_written(runner: LocalRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(10):
        runner.stats.log_request("GET", f"/{number}", 1, 1)
    rests: list[float] = []
    monkeypatch.setattr(stats_turns, "sleep", rests.append)
    monkeypatch.setattr(stats_turns, "STEP_S", 0)
    subject = StatsCSV(runner.environment, PERCENTILES)
    written(subject.requests_csv)
    assert rests == [0] * 11
    subject.share = 0.25
    written(subject.requests_csv)
    assert len(rests) == 22
    assert min(rests[11:]) > 0
