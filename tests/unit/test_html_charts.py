"""The charts of the HTML report: lines, cells and ticks for the points of a known run."""

from __future__ import annotations

import json
import re
from array import array
from datetime import UTC, datetime
from typing import Any

import pytest
from report_page import Report

from locust_c.env import Environment
from locust_c.event import Events
from locust_c.html import get_html_report
from locust_c.report import heat
from locust_c.report.charts import Chart, charts_of, thinned, values_of
from locust_c.report.heat import SHADES, HeatMap, heat_map_of
from locust_c.timeline import Point, band_of

BEGIN = datetime(2026, 5, 6, 12, 0, 0, tzinfo=UTC).timestamp()
SHARES = [0.5, 0.95]


def point(after_s: float, seconds: float = 5, **values: Any) -> Point:
    """A point of 10 requests per second, unless values say otherwise: ``times_ms`` are counted in bands."""
    counts: dict[int, int] = {}
    for time_ms, count in values.pop("times_ms", {}).items():
        band = band_of(round(time_ms * 1000))
        counts[band] = counts.get(band, 0) + count
    bands = tuple(value for pair in sorted(counts.items()) for value in pair)
    known = {
        "users": 1,
        "rps": 10.0,
        "failures": 0.0,
        "response_times": (20, 40),
        "lag": None,
        "bands": bands,
    }
    return Point(BEGIN + after_s, seconds, bins=array("I"), **{**known, **values})


def charts(*points: Point) -> dict[str, Chart]:
    return {chart.title: chart for chart in charts_of(points, SHARES)}


def heat_map(*points: Point) -> HeatMap:
    found = heat_map_of(points)
    assert found is not None
    return found


def test_a_line_goes_through_the_values() -> None:
    points = [point(5, rps=0, lag=1), point(10, rps=50, failures=25, lag=12), point(20, rps=100, seconds=10)]
    requests, times, users, lag = charts_of(points, SHARES)
    assert [(line.label, line.path) for line in requests.lines] == [
        ("requests/s", "M0 200L250 200L500 100L1000 0"),
        ("failures/s", "M0 200L250 200L500 150L1000 200"),
    ]
    assert requests.lines[0].area == "M0 200L0 200L250 200L500 100L1000 0L1000 200Z"
    assert requests.ticks_up == [(200, "0"), (160, "20"), (120, "40"), (80, "60"), (40, "80"), (0, "100")]
    assert [(line.label, line.key) for line in times.lines] == [("50%", "p0"), ("95%", "p1")]
    assert [line.peak for line in times.lines] == [20, 40]
    assert (users.lines[0].path, users.top) == ("M0 0L250 0L500 0L1000 0", 1)
    assert (lag.lines[0].path, lag.limit, lag.ticks_up[-1]) == ("M0 192L250 192L500 104", 40, (0, "25"))
    assert values_of(points, SHARES) == {
        "time": [BEGIN + 5, BEGIN + 10, BEGIN + 20],
        "requests": [0, 50, 100],
        "failures": [0, 25, 0],
        "p0": [20, 20, 20],
        "p1": [40, 40, 40],
        "users": [1, 1, 1],
        "lag": [1, 12, None],
    }


def test_where_values_are_missing_for_long_is_a_gap() -> None:
    without = {"response_times": (None, None)}
    points = [point(after) for after in (5, 10, 15)] + [point(after, **without) for after in range(20, 60, 5)]
    points += [point(60), point(65), *(point(after, **without) for after in range(70, 100, 5)), point(100)]
    line = charts(*points)["Response times"].lines[0]
    assert line.path == "M0 100L50 100L100 100L150 100M600 100L650 100"
    assert line.dots == [("100%", "100")]


def test_a_short_time_without_requests_is_no_gap() -> None:
    points = [point(after, 1, response_times=(None if after % 4 else 20, 40)) for after in range(1, 41)]
    assert charts(*points)["Response times"].lines[0].path.count("M") == 1


def test_times_below_a_millisecond_are_shown() -> None:
    fast = {"response_times": (0.3, 0.6)}
    median, high = charts(point(5, **fast), point(10, **fast))["Response times"].lines
    assert (median.path, high.path) == ("M0 100L500 100L1000 100", "M0 0L500 0L1000 0")


def test_one_point_is_a_line() -> None:
    chart = charts(point(0.4, 0.4, users=7))["Users"]
    assert [(line.path, line.dots) for line in chart.lines] == [("M0 25L1000 25", [])]
    assert chart.ticks_up[-1] == (0, "8")


def test_without_points_there_is_no_chart() -> None:
    assert [chart.lines for chart in charts_of([], SHARES)] == [[], [], [], []]
    assert heat_map_of([]) is None


def test_a_client_without_an_engine_has_no_lag() -> None:
    assert charts(point(5))["Generator lag"].lines == []


def test_many_points_keep_their_peaks_in_few_places() -> None:
    points = [point(5 * n + 5, response_times=(20 + n % 7, 40)) for n in range(5000)]
    points[2321] = point(5 * 2322, response_times=(900, 1000))
    points[3000:3500] = [point(5 * n + 5, response_times=(None, None)) for n in range(3000, 3500)]
    line = charts(*points)["Response times"].lines[0]
    assert line.peak == 900
    places = re.findall(r"([ML])([\d.]+) ([\d.]+)", line.path)
    assert 400 < len(places) <= 800
    assert min(float(y) for _, _, y in places) == 20
    pieces = [float(x) for letter, x, _ in places if letter == "M"]
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
    ticks = charts(point(seconds, seconds))["Users"].ticks_along
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
    chart = charts(point(5, rps=highest), point(10, rps=0))["Requests per second"]
    assert [label for _, label in chart.ticks_up] == labels


def test_the_map_has_a_cell_for_each_band_of_a_point() -> None:
    found = heat_map(point(5, times_ms={10: 500}), point(10, times_ms={10: 50, 300: 5}), point(20, 10))
    bands = [found.first_band, found.end_band]
    assert bands == [band_of(10_000) - 1, band_of(300_000) + 2]
    height = 200 / (bands[1] - bands[0])
    tops = [round(200 - 2 * height, 1), round(200 - height, 1)]
    assert found.shades[-1] == f"M0 {tops[0]}H250V{tops[1]}H0Z"
    assert found.shades[SHADES // 2 - 1] + found.shades[SHADES // 2] == f"M250 {tops[0]}H500V{tops[1]}H250Z"
    assert found.shades[0].count("M") == 1
    assert (found.lowest, found.highest) == (1, 100)
    assert found.times == [BEGIN + 5, BEGIN + 10, BEGIN + 20]
    assert found.counts == [[band_of(10_000), 500], [band_of(10_000), 50, band_of(300_000), 5], []]
    assert [label for _, label in found.ticks_up] == ["10", "20", "50", "100", "200", "500"]
    assert found.summary == (
        "555 requests: the fastest 8.2 to 12 ms, the slowest 262 to 369 ms, most (99%) 8.2 to 12 ms"
    )


@pytest.mark.parametrize(
    ("times_ms", "bands", "summary"),
    [
        ({0.001: 1}, (0, 8), "1 request: the fastest under 0.09 ms, the slowest under 0.09 ms"),
        ({10**6: 2}, (32, 40), "2 requests: the fastest 47,186 ms and more"),
        (
            {0.001: 1, 10**6: 1},
            (0, 40),
            "2 requests: the fastest under 0.09 ms, the slowest 47,186 ms and more",
        ),
    ],
)
def test_the_map_shows_what_is_beyond_its_bands(
    times_ms: dict[float, int], bands: tuple[int, int], summary: str
) -> None:
    found = heat_map(point(5, times_ms=times_ms))
    assert (found.first_band, found.end_band) == bands
    assert found.summary.startswith(summary)
    assert found.shades[-1].count("M") == len(times_ms)
    assert all(0 <= place <= 200 for place, _ in found.ticks_up)


def test_the_map_of_a_long_run_has_few_columns_that_hold_all_requests() -> None:
    points = [point(n + 1, 1, times_ms={10: 3, 5000: 1} if n == 700 else {10: 3}) for n in range(1800)]
    found = heat_map(*points)
    assert 100 < len(found.times) <= heat.MAX_COLUMNS
    assert sum(sum(counts[1::2]) for counts in found.counts) == 5401
    assert found.shades[0].count("M") == 1
    assert found.times[-1] == points[-1].time


def test_a_history_is_thinned_evenly() -> None:
    rows = [{"time": str(number)} for number in range(5000)]
    few = thinned(rows, 1000)
    assert (len(few), few[0], few[-1]) == (1000, rows[0], rows[-1])
    assert thinned(few, 1000) == few


def test_the_page_draws_the_points_of_the_last_run() -> None:
    environment = Environment(events=Events())
    runner = environment.create_local_runner()
    environment.stats.history.append({"time": "2026-05-06T12:00:00Z"})
    runner.timeline.begin(environment.stats.total, BEGIN)
    runner.timeline.percentiles = (0.5, 0.95)
    runner.timeline.points = [
        *(point(-60), Point(BEGIN)),
        *(point(5, rps=0, lag=1), point(10, rps=50), point(20, 10, rps=100, times_ms={15: 1000})),
    ]
    page = Report(get_html_report(environment))
    runner.quit()
    requests, times, users, lag, heat_figure = page.section("Charts").all("figure")
    swatch, area, line = (path.attributes for path in requests.all("path", class_="requests"))
    assert (area["class"], area["d"]) == ("area requests", "M0 200L0 200L250 200L500 100L1000 0L1000 200Z")
    assert (line["class"], line["d"]) == ("line requests", "M0 200L250 200L500 100L1000 0")
    assert swatch["class"] == line["class"]
    labels = [text.text for text in requests.all("text")]
    assert labels[:6] == ["0", "20", "40", "60", "80", "100"]
    assert labels[6:] == [f"12:00:{second:02}" for second in range(0, 21, 5)]
    legend = [" ".join(item.text.split()) for item in times.all("li")]
    assert legend == ["50% peak 20", "95% peak 40"]
    assert users.one("h3").text == "Users"
    assert "dashed line" in lag.one("p").text
    assert len(lag.all("path", class_="limit")) == 1
    assert "1,000 requests" in heat_figure.one("p").text
    label = heat_figure.one("div", class_="plot").children[0].attributes["aria-label"]
    assert label.startswith("Response times, heat map: 1,000 requests")
    assert page.args["history"] == environment.stats.history
    values = json.loads(re.findall(r"window.chartValues = (.*)", page.html)[0])
    assert values["lines"]["requests"] == [0, 50, 100]
    assert values["heat"]["counts"] == [[], [], [band_of(15_000), 1000]]
