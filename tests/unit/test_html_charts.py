"""The charts of the HTML report: lines and ticks for a known history."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from report_page import Report

from locust_c.env import Environment
from locust_c.event import Events
from locust_c.html import get_html_report
from locust_c.report.charts import Chart, charts_of, thinned

BEGIN = datetime(2026, 5, 6, 12, 0, 0, tzinfo=UTC).timestamp()
SHARES = [0.5, 0.95]


def row(after_s: float, **values: Any) -> dict[str, Any]:
    """A row of the history; values: ``users``, ``rps``, ``fails``, ``median``, ``high``, ``average``."""
    at = datetime.fromtimestamp(BEGIN + after_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    fields = {
        "user_count": values.get("users", 1),
        "current_rps": values.get("rps", 10),
        "current_fail_per_sec": values.get("fails", 0),
        "response_time_percentile_0.5": values.get("median", 20),
        "response_time_percentile_0.95": values.get("high", 40),
        "total_avg_response_time": values.get("average", 25.0),
    }
    return {"time": at, **{name: [at, value] for name, value in fields.items()}}


def charts(*rows: dict[str, Any]) -> dict[str, Chart]:
    return {chart.title: chart for chart in charts_of(rows, SHARES)}


def test_a_line_goes_through_the_values() -> None:
    requests, times, users = charts_of([row(0, rps=0), row(5, rps=50, fails=25), row(10, rps=100)], SHARES)
    assert [(line.label, line.path) for line in requests.lines] == [
        ("requests/s", "M0 200L500 100L1000 0"),
        ("failures/s", "M0 200L500 150L1000 200"),
    ]
    assert requests.lines[0].area == "M0 200L0 200L500 100L1000 0L1000 200Z"
    assert requests.ticks_up == [(200, "0"), (160, "20"), (120, "40"), (80, "60"), (40, "80"), (0, "100")]
    assert [(line.label, line.key) for line in times.lines] == [
        ("50%", "response_time_percentile_0.5"),
        ("95%", "response_time_percentile_0.95"),
        ("average so far", "total_avg_response_time"),
    ]
    assert [line.peak for line in times.lines] == [20, 40, 25]
    assert (users.lines[0].path, users.top) == ("M0 0L500 0L1000 0", 1)


def test_where_rows_are_missing_is_a_gap() -> None:
    rows = [row(after) for after in (0, 5, 10, 60, 65, 100)]
    (line,) = charts(*rows)["Users"].lines
    assert line.path == "M0 0L50 0L100 0M600 0L650 0"
    assert line.dots == [("100%", "0")]


def test_without_requests_there_is_no_response_time() -> None:
    idle = {"rps": 0, "median": 0, "high": 0}
    rows = [row(0, **idle, average=0), row(5), row(10), row(15, median=0, high=0), row(20), row(25)]
    median, _, average = charts(*rows)["Response times"].lines
    assert median.path == "M200 100L400 100M800 100L1000 100"
    assert average.path.count("M") == 1


def test_times_that_are_rounded_to_zero_are_shown() -> None:
    fast = {"median": 0, "high": 0, "average": 0.3}
    median = charts(row(0, **fast), row(5, **fast))["Response times"].lines[0]
    assert median.path == "M0 200L1000 200"


def test_one_row_is_a_dot() -> None:
    chart = charts(row(0, users=7))["Users"]
    assert [(line.path, line.dots) for line in chart.lines] == [("", [("50%", "25")])]
    assert chart.ticks_up[-1] == (0, "8")


def test_no_history_is_no_chart() -> None:
    assert [chart.lines for chart in charts_of([], SHARES)] == [[], [], []]


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), "7"])
def test_what_is_no_number_is_a_gap(value: object) -> None:
    rows = [row(0), row(5), row(10, users=value), row(15), row(20)]
    assert charts(*rows)["Users"].lines[0].path == "M0 0L250 0M750 0L1000 0"


def test_rows_that_nobody_can_place_are_left_out() -> None:
    rows = [{"time": "yesterday"}, {}, row(0), row(5)]
    assert charts(*rows)["Users"].lines[0].path == "M0 0L1000 0"


def test_a_long_history_keeps_its_peaks_in_few_points() -> None:
    rows = [row(5 * number, median=20 + number % 7) for number in range(10_000)]
    rows[4321] = row(5 * 4321, median=900, high=1000)
    del rows[6000:7000]
    line = charts(*rows)["Response times"].lines[0]
    assert line.peak == 900
    points = re.findall(r"([ML])([\d.]+) ([\d.]+)", line.path)
    assert 400 < len(points) <= 800
    assert min(float(y) for _, _, y in points) == 20
    pieces = [float(x) for letter, x, _ in points if letter == "M"]
    assert pieces == pytest.approx([0, 700], abs=1)


@pytest.mark.parametrize(
    ("seconds", "labels"),
    [
        (10, ["12:00:00", "12:00:02", "12:00:04", "12:00:06", "12:00:08", "12:00:10"]),
        (600, ["12:00", "12:02", "12:04", "12:06", "12:08", "12:10"]),
        (
            2 * 86400,
            ["12:00", "18:00", "May 7", "06:00", "12:00", "18:00", "May 8", "06:00", "12:00"],
        ),
        (20 * 86400, ["May 7", "May 10", "May 13", "May 16", "May 19", "May 22", "May 25"]),
    ],
)
def test_ticks_are_at_round_times(seconds: int, labels: list[str]) -> None:
    ticks = charts(row(0), row(seconds))["Users"].ticks_along
    assert [label for _, label, _ in ticks] == labels
    kinds = [kind for _, _, kind in ticks]
    assert set(kinds[::2]) != set(kinds[1::2])


@pytest.mark.parametrize(
    ("highest", "labels"),
    [
        (0.03, ["0", "0.01", "0.02", "0.03"]),
        (7, ["0", "2", "4", "6", "8"]),
        (5000, ["0", "1,000", "2,000", "3,000", "4,000", "5,000"]),
        (123456, ["0", "50k", "100k", "150k"]),
        (1_234_567, ["0", "0.5M", "1M", "1.5M"]),
        (4_200_000, ["0", "1M", "2M", "3M", "4M", "5M"]),
        (0, ["0", "1"]),
    ],
)
def test_ticks_are_at_round_values(highest: float, labels: list[str]) -> None:
    chart = charts(row(0, rps=highest), row(5, rps=0))["Requests per second"]
    assert [label for _, label in chart.ticks_up] == labels


def test_a_history_is_thinned_evenly() -> None:
    rows = [{"time": str(number)} for number in range(5000)]
    few = thinned(rows, 1000)
    assert (len(few), few[0], few[-1]) == (1000, rows[0], rows[-1])
    assert thinned(few, 1000) == few


def test_the_page_draws_what_the_charts_say() -> None:
    environment = Environment(events=Events())
    environment.stats.history += [row(0, rps=0), row(5, rps=50), row(10, rps=100, high=0, median=0)]
    page = Report(get_html_report(environment))
    requests, times, users = page.section("Charts").all("figure")
    swatch, area, line = (path.attributes for path in requests.all("path", class_="requests"))
    assert (area["class"], area["d"]) == ("area requests", "M0 200L0 200L500 100L1000 0L1000 200Z")
    assert (line["class"], line["d"]) == ("line requests", "M0 200L500 100L1000 0")
    assert swatch["class"] == line["class"]
    labels = [text.text for text in requests.all("text")]
    assert labels == ["0", "20", "40", "60", "80", "100", *(f"12:00:{s:02}" for s in (0, 2, 4, 6, 8, 10))]
    legend = [" ".join(item.text.split()) for item in times.all("li")]
    assert legend == ["50% peak 20", "95% peak 40", "average so far peak 25"]
    assert users.one("h3").text == "Users"
    assert page.args["history"] == environment.stats.history
