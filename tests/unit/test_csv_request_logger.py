"""One row of CSV for each request."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from stats_clock import Clock
from test_stats_csv import full_disk, rows_of

from locust_c.contrib.csv_request_logger import CSV_COLUMNS, CsvRequestLogger
from locust_c.env import Environment

TITLES = "timestamp|request_type|name|response_time_ms|response_length|status_code|exception"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, 1000.25)


@pytest.fixture
def environment() -> Environment:
    return Environment()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made" / "requests.csv"


@pytest.fixture
def subject(environment: Environment, path: Path) -> Iterator[CsvRequestLogger]:
    subject = CsvRequestLogger(str(path))
    subject.register(environment)
    yield subject
    subject.close()


def fire(environment: Environment, **arguments: Any) -> None:
    sample = {"request_type": "GET", "name": "/", "response_time": 5.126, "response_length": 3}
    environment.events.request.fire(**{**sample, "exception": None, "context": {}, **arguments})


def rows(path: Path) -> list[str]:
    return rows_of(path.read_bytes().decode())


def test_each_request_has_a_row_at_once(
    subject: CsvRequestLogger, environment: Environment, path: Path
) -> None:
    assert rows(path) == ["|".join(CSV_COLUMNS)] == [TITLES]
    fire(environment, name='a,"b"\n\udcff', response=SimpleNamespace(status_code=201), start_time=999.5)
    fire(environment, exception=ValueError("x,y"), response=SimpleNamespace(status_code=None))
    fire(environment, response_time=None, name=None)
    fire(environment, response_time=7, exception="text")
    assert rows(path)[1:] == [
        '999.5|GET|a,"b"\n\\udcff|5.13|3|201|',
        "1000.25|GET|/|5.13|3|0|x,y",
        "1000.25|GET|||3|0|",
        "1000.25|GET|/|7|3|0|text",
    ]


def test_rows_are_written_together_on_request(environment: Environment, path: Path) -> None:
    subject = CsvRequestLogger(path, flush_interval=3)
    subject.register(environment)
    counts = []
    for _ in range(4):
        fire(environment)
        counts.append(len(rows(path)) - 1)
    environment.events.quitting.fire(environment=environment)
    counts.append(len(rows(path)) - 1)
    fire(environment)
    environment.events.quit.fire(exit_code=0)
    counts.append(len(rows(path)) - 1)
    fire(environment)
    assert [*counts, len(rows(path)) - 1] == [0, 0, 3, 3, 4, 5, 5]


def test_an_environment_is_registered_once_and_another_one_adds_its_rows(
    subject: CsvRequestLogger, environment: Environment, path: Path
) -> None:
    other = Environment()
    fire(environment)
    for each in (environment, other):
        subject.register(each)
        fire(each)
    assert len(rows(path)) == 4
    subject.close()
    fire(environment)
    assert len(rows(path)) == 4
    subject.register(environment)
    assert rows(path) == [TITLES]


def test_a_full_disk_costs_an_error(
    subject: CsvRequestLogger, environment: Environment, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with full_disk(path.stat().st_size):
        fire(environment)
        fire(environment)
    assert rows(path) == [TITLES]
    fire(environment, name="later")
    assert rows(path)[1:] == ["1000.25|GET|later|5.13|3|0|"]
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, f"CsvRequestLogger: cannot write to '{path}': File too large")
    ]


def test_a_wrong_interval_is_named() -> None:
    with pytest.raises(TypeError, match="flush_interval must be a number of rows, not 'x'"):
        CsvRequestLogger("x.csv", flush_interval="x")  # type: ignore[arg-type]
    assert CsvRequestLogger("x.csv", flush_interval=-1).flush_interval == 1
