"""One CSV row for each request."""

from __future__ import annotations

import csv
import logging
from pathlib import Path
from types import SimpleNamespace

import pytest

from locust_c.contrib.csv_request_logger import CSV_COLUMNS, CsvRequestLogger
from locust_c.env import Environment

REQUEST = {
    "request_type": "GET",
    "name": "/a,b",
    "response_time": 1.23456,
    "response_length": 7,
    "exception": None,
    "response": SimpleNamespace(status_code=200),
    "start_time": 5.5,
}


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_a_row_says_what_the_event_said(tmp_path: Path) -> None:
    path = tmp_path / "requests.csv"
    path.write_text("of an earlier run")
    environment = Environment()
    requests = CsvRequestLogger(str(path))
    requests.register(environment)
    fire = environment.events.request.fire
    fire(**REQUEST)
    answer = SimpleNamespace(status_code=503)
    failed = ValueError('say "no",\nanyway')
    failed.response = answer  # type: ignore[attr-defined]
    fire(**{**REQUEST, "response": None, "exception": failed, "response_time": 0})
    fire(
        **{
            **REQUEST,
            "response": None,
            "exception": ValueError(),
            "response_length": None,
            "response_time": None,
        }
    )
    requests.close()
    assert rows(path) == [
        list(CSV_COLUMNS),
        ["5.5", "GET", "/a,b", "1.23", "7", "200", ""],
        ["5.5", "GET", "/a,b", "0", "7", "503", 'say "no",\nanyway'],
        ["5.5", "GET", "/a,b", "", "", "0", ""],
    ]


def test_rows_are_kept_back_until_there_are_enough_or_the_test_quits(tmp_path: Path) -> None:
    path = tmp_path / "requests.csv"
    environment = Environment()
    CsvRequestLogger(str(path), flush_interval=3).register(environment)
    seen = []
    for _ in range(4):
        environment.events.request.fire(**REQUEST)
        seen.append(len(rows(path)))
    environment.events.quitting.fire(environment=environment, reverse=True)
    environment.events.request.fire(**REQUEST)
    assert [*seen, len(rows(path))] == [1, 1, 4, 4, 5]


def test_a_full_disk_costs_one_line_and_the_rows(caplog: pytest.LogCaptureFixture) -> None:
    environment = Environment()
    requests = CsvRequestLogger("/dev/full")
    requests.register(environment)
    for _ in range(3):
        environment.events.request.fire(**REQUEST)
    requests.close()
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, "/dev/full: No space left on device; requests are not written there any more")
    ]


def test_bad_arguments(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="flush_interval is a number of rows, 1 or more, not 0"):
        CsvRequestLogger("x.csv", flush_interval=0)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        CsvRequestLogger(str(tmp_path / "nowhere" / "x.csv")).register(Environment())
