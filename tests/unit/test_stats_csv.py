"""The statistics as CSV: the rows, and the files that are kept while a test runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from stats_clock import Clock

from locust_c.env import Environment
from locust_c.stats import StatsCSV

PERCENTILES = [0.5, 0.9999]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, 1000.25)


@pytest.fixture
def environment(clock: Clock) -> Iterator[Environment]:
    environment = Environment()
    environment.create_local_runner()
    yield environment
    environment.runner.quit()  # type: ignore[union-attr]


def count_some(environment: Environment, clock: Clock) -> None:
    stats = environment.stats
    stats.log_request("GET", '/a,"b"', 5.5, 100)
    clock.now += 2
    stats.log_request("GET", '/a,"b"', 15.5, 200)
    stats.log_request("POST", "two\nlines", 123.4, 100)
    stats.log_error("POST", "two\nlines", ValueError("x,y"))
    stats.log_error("GET", "only failed", "text")


def written(write: Callable[[Any], None]) -> list[list[str]]:
    text = io.StringIO(newline="")
    write(csv.writer(text))
    return list(csv.reader(io.StringIO(text.getvalue(), newline="")))


def test_requests_are_sorted_and_end_with_the_total(environment: Environment, clock: Clock) -> None:
    count_some(environment, clock)
    titles, *rows = written(StatsCSV(environment, PERCENTILES).requests_csv)
    assert titles == [
        *["Type", "Name", "Request Count", "Failure Count"],
        *["Median Response Time", "Average Response Time", "Min Response Time", "Max Response Time"],
        *["Average Content Size", "Requests/s", "Failures/s", "50%", "99.99%"],
    ]
    assert ["|".join(row) for row in rows] == [
        'GET|/a,"b"|2|0|15.5|10.5|5.5|15.5|150.0|1.0|0.0|16|16',
        "GET|only failed|0|1|0|0.0|0|0.0|0|0.0|0.5|N/A|N/A",
        "POST|two\nlines|1|1|123.4|123.4|123.4|123.4|100.0|0.5|0.5|120|120",
        "|Aggregated|3|2|16|48.13333333333333|5.5|123.4|133.33333333333334|1.5|1.0|16|120",
    ]
