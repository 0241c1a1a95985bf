"""The points of the charts: what they hold, how they are merged, and when they are forgotten."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import Any

import gevent
import pytest
from run_fixtures import FAST, quit_within_patience, running, wait_until

from locust_c import User, constant, stats, task, timeline
from locust_c.env import Environment
from locust_c.progress import KnowsProgress
from locust_c.stats import RequestStats, StatsEntry
from locust_c.timeline import EDGES_MS, Point, Timeline, band_of

BEGIN = 1_700_000_000.0
SHARES = [0.5, 0.95]


class Course:
    """Statistics and the timeline of them."""

    def __init__(self) -> None:
        self.stats = RequestStats()
        self.line = Timeline()
        self.now = BEGIN
        self.clear()

    @property
    def total(self) -> StatsEntry:
        return self.stats.total

    def clear(self) -> None:
        self.stats.clear_all()
        self.total.start_time = self.now

    def request(self, *times_ms: float, failures: int = 0) -> None:
        for time_ms in times_ms:
            self.total.record(time_ms, 0, self.now)
        for _ in range(failures):
            self.total.record_failure(self.now)

    def begin(self) -> None:
        self.line.begin(self.total, self.now)

    def second(self, *times_ms: float, users: int = 1, seconds: float = 1.0, failures: int = 0) -> Point:
        """A point with requests of these times."""
        self.request(*times_ms, failures=failures)
        self.now += seconds
        self.line.add(self.total, users, SHARES, self.now)
        return self.line.points[-1]

    def end(self, *times_ms: float, seconds: float = 1.0) -> None:
        self.request(*times_ms)
        self.now += seconds
        self.line.end(self.total, 3, SHARES, self.now)


@pytest.fixture
def course() -> Course:
    subject = Course()
    subject.begin()
    return subject


def heat(points: list[Point]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for point in points:
        for band, count in zip(point.bands[::2], point.bands[1::2], strict=True):
            counts[band] = counts.get(band, 0) + count
    return counts


def requests_of(points: list[Point]) -> float:
    return sum((point.rps or 0) * point.seconds for point in points)


def test_a_point_is_what_came_since_the_last_one(course: Course) -> None:
    course.second(*[5.0] * 50, users=3)
    for lag in (1, 1, 80):
        course.total.record_phases(None, None, None, 0.1, 1, 0.1, lag)
    point = course.second(*[100.0] * 18, 1000, 1000, users=7, seconds=2, failures=4)
    assert (point.time, point.seconds, point.users) == (BEGIN + 3, 2, 7)
    assert (point.rps, point.failures) == (10, 2)
    assert point.response_times == (pytest.approx(100, rel=0.03), pytest.approx(1000, rel=0.03))
    assert point.lag == pytest.approx(80, rel=0.03)
    assert heat([point]) == {band_of(100_000): 18, band_of(1_000_000): 2}


def test_without_requests_there_is_no_response_time(course: Course) -> None:
    point = course.second()
    assert (point.rps, point.response_times, point.lag, point.bands) == (0, (None, None), None, ())


def test_percentiles_are_right_to_three_percent(course: Course) -> None:
    times = [0.07 * 1.01**number for number in range(1300)]
    point = course.second(*times)
    expected = [times[649], times[1234]]
    assert point.response_times == tuple(pytest.approx(value, rel=0.03) for value in expected)


def test_the_bands_go_from_microseconds_to_a_minute() -> None:
    assert (len(EDGES_MS), EDGES_MS[0]) == (41, 0.064)
    assert all(1.38 < high / low < 1.43 for low, high in pairwise(EDGES_MS))
    assert 60_000 < EDGES_MS[-1] < 70_000
    for band, (low, high) in enumerate(pairwise(EDGES_MS)):
        assert {band_of(round(low * 1000)), band_of(round(high * 1000) - 1)} == {band}
    assert (band_of(0), band_of(3_600_000_000)) == (0, 39)


def test_what_is_beyond_the_bands_is_in_the_outermost(course: Course) -> None:
    assert heat([course.second(0, 0.01, 100_000, 3_000_000)]) == {0: 2, 39: 2}


def test_a_long_run_stays_bounded_and_keeps_its_totals(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "MAX_POINTS", 80)
    monkeypatch.setattr(timeline, "RECENT", 10)
    epochs = {course.line.epoch}
    for second in range(2000):
        course.second(*[10.0] * 3, *([5000.0] if second == 100 else []), users=second, failures=second == 100)
        epochs.add(course.line.epoch)
        assert len(course.line.points) <= 80
    points = course.line.points
    assert requests_of(points) == pytest.approx(6001)
    assert sum((point.failures or 0) * point.seconds for point in points) == pytest.approx(1)
    assert heat(points) == {band_of(10_000): 6000, band_of(5_000_000): 1}
    assert [point.time for point in points] == pytest.approx(
        list(accumulate((point.seconds for point in points), initial=BEGIN))[1:]
    )
    assert [point.users for point in points] == [round(point.time - BEGIN) - 1 for point in points]
    assert {point.seconds for point in points[-10:]} == {1}
    # The older ones are of about one length; of the recent ones some are not merged yet.
    longest = max(point.seconds for point in points)
    assert sum(point.seconds for point in points if point.seconds >= longest / 4) > 1900
    assert all(point.response_times[0] == pytest.approx(10, rel=0.03) for point in points)
    assert len(epochs) < 150


def test_of_a_long_run_only_the_last_points_are_seconds(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("MAX_POINTS", 80), ("RECENT", 10), ("_ADDED_BETWEEN", 5)):
        monkeypatch.setattr(timeline, name, value)
    for _ in range(1000):
        course.second(*[10.0] * 20)
    lengths = [point.seconds for point in course.line.points]
    assert 10 <= lengths.count(1) < 10 + 5 + max(lengths)
    assert len({point.seconds for point in course.line.readable_run()[:-1]}) <= 3


def test_a_merged_point_has_the_percentiles_of_all_its_requests(course: Course) -> None:
    course.second(*[10.0] * 90)
    course.total.record_phases(None, None, None, 0.1, 1, 0.1, 30)
    course.second(*[1000.0] * 10)
    merged = course.line._merged(course.line.points)
    assert merged.response_times == (pytest.approx(10, rel=0.03), pytest.approx(1000, rel=0.03))
    assert (merged.rps, merged.seconds, merged.lag) == (50, 2, pytest.approx(30, rel=0.03))


def test_the_short_rest_of_a_run_joins_its_last_point(course: Course) -> None:
    course.second(10, 10, 10)
    epoch = course.line.epoch
    course.end(10, seconds=0.2)
    (point,) = course.line.points
    assert (point.seconds, point.rps, point.users) == (
        pytest.approx(1.2),
        pytest.approx(4 / 1.2, abs=0.001),
        1,
    )
    assert course.line.epoch != epoch


@pytest.mark.parametrize("seconds", [0.05, 0.9])
def test_a_run_of_less_than_a_second_has_a_point(course: Course, seconds: float) -> None:
    course.end(10, seconds=seconds)
    (point,) = course.line.points
    assert (point.seconds, point.users) == (pytest.approx(seconds), 3)


def test_between_runs_is_a_gap_with_marks_beside_it(course: Course) -> None:
    course.second(10)
    course.end(10)
    epoch, course.now = course.line.epoch, course.now + 60
    course.line.follow(course.total)
    course.clear()
    course.begin()
    course.second(20, users=5)
    assert [point.users for point in course.line.points] == [1, 1, None, 5]
    answer = course.line.since(epoch, 2)
    assert answer["time"] == [BEGIN + 62, BEGIN + 63]
    for name in ("users", "rps", "failures", "lag"):
        assert answer[name][0] is None
    assert answer["response_times"]["0.5"] == [None, pytest.approx(20, rel=0.03)]
    assert answer["heat"]["points"][0] == ()
    texts = ["Test started", "Test stopped", "Test started"]
    times = [BEGIN, BEGIN + 2, BEGIN + 62]
    assert answer["marks"] == [{"time": at, "text": text} for at, text in zip(times, texts, strict=True)]
    assert [point.users for point in course.line.last_run()] == [5]


def test_of_many_short_runs_the_last_ones_are_kept(course: Course) -> None:
    for _ in range(120):
        course.second(10)
        course.end(10)
        course.line.follow(course.total)
        course.now += 1
        course.clear()
        course.begin()
    course.second(10)
    assert sum(point.users is None for point in course.line.points) == timeline.MAX_RUNS - 1
    assert len(course.line.marks) == 2 * timeline.MAX_RUNS - 1
    assert course.line.marks[0].text == "Test started"


@pytest.mark.parametrize("how", ["clear_all", "reset_all", "reset"])
def test_cleared_statistics_clear_the_points(course: Course, how: str) -> None:
    course.second(*[10.0] * 100)
    epoch = course.line.epoch
    course.now += 0.5
    {"clear_all": course.stats.clear_all, "reset_all": course.stats.reset_all, "reset": course.total.reset}[
        how
    ]()
    course.total.start_time = course.now
    course.line.follow(course.total)
    assert (course.line.points, course.line.marks) == ([], [])
    assert course.line.epoch > epoch
    point = course.second(*[20.0] * 200, seconds=0.5)
    assert (point.rps, point.seconds) == (400, 0.5)
    assert heat([point]) == {band_of(20_000): 200}


def test_points_begin_anew_where_nobody_asked_for_them_meanwhile(course: Course) -> None:
    course.second(10)
    course.stats.clear_all()
    course.total.start_time = course.now + 0.25
    point = course.second(20, 20)
    assert course.line.points == [point]
    assert (point.seconds, requests_of([point])) == (0.75, 2)


def test_statistics_that_take_the_place_of_others_begin_with_what_comes_then(course: Course) -> None:
    course.second(10)
    course.stats = RequestStats()
    course.request(*[10.0] * 1000)
    course.total.start_time = BEGIN - 1000
    course.line.follow(course.total)
    assert course.line.points == []
    assert course.second(10, 10).rps == 2


def test_a_clock_that_was_set_back_makes_no_point_of_the_past(course: Course) -> None:
    course.second(10)
    course.end(10)
    assert course.line.begin(course.total, BEGIN - 3600) == BEGIN + 2


def test_in_the_chart_of_a_whole_run_few_requests_share_a_point(course: Course) -> None:
    assert course.line.readable_run() == []
    for second in range(300):
        course.second(*([10.0] if second % 2 else []))
    points = course.line.readable_run()
    assert {point.seconds for point in points} <= {10, 12}
    assert requests_of(points) == pytest.approx(150)
    assert all(point.response_times[0] is not None for point in points)
    for _ in range(300):
        course.second(*[10.0] * 100)
    assert course.line.readable_run() == course.line.points


def test_a_short_run_with_few_requests_keeps_its_points(course: Course) -> None:
    for _ in range(20):
        course.second(10)
    assert course.line.readable_run() == course.line.points


def test_who_knows_the_epoch_is_given_what_is_new(course: Course) -> None:
    for rate in range(5):
        course.second(*[10.0] * rate)
    line = course.line
    everything = line.since(0, 0)
    assert (everything["next"], everything["rps"], everything["step_s"]) == (5, [0, 1, 2, 3, 4], 1)
    assert everything["percentiles"] == ["0.5", "0.95"]
    assert line.since(line.epoch, 3)["rps"] == [3, 4]
    assert line.since(line.epoch, 5)["rps"] == []
    for epoch, number in ((line.epoch - 1, 3), (line.epoch, 6), (line.epoch, -1)):
        assert line.since(epoch, number) == everything


def test_other_percentiles_are_worked_out_for_all_points(course: Course) -> None:
    course.second(*[10.0] * 9, 100)
    epoch, course.now = course.line.epoch, course.now + 1
    course.line.add(course.total, 1, [1.0], course.now)
    assert course.line.since(epoch, 1)["response_times"] == {"1.0": [pytest.approx(100, rel=0.03), None]}
    assert course.line.epoch > epoch


def test_points_that_were_cleared_while_they_were_merged_stay_away(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "MAX_POINTS", 20)
    monkeypatch.setattr(timeline, "RECENT", 2)

    def clear(groups: Any, share: float) -> Any:
        course.clear()
        course.total.start_time += 1
        course.line.follow(course.total)
        return groups

    monkeypatch.setattr(timeline, "in_turns", clear)
    for _ in range(19):
        course.second(10)
    course.line.add(course.total, 1, SHARES, course.now + 1)
    assert course.line.points == []


def test_an_end_that_comes_while_points_are_merged_is_not_lost(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "MAX_POINTS", 20)
    monkeypatch.setattr(timeline, "RECENT", 2)

    def end(groups: Any, share: float) -> Any:
        course.now += 1
        course.end(10, 10)
        course.begin()
        return groups

    course.begin()
    monkeypatch.setattr(timeline, "in_turns", end)
    for _ in range(20):
        course.second(10)
    points = course.line.points
    assert points[-1].users is None
    assert sum((point.rps or 0) * point.seconds for point in points) == pytest.approx(22)


class Counting(User):
    """Counts a request each time it runs."""

    wait_time = constant(0.001)

    @task
    def count(self) -> None:
        self.environment.stats.log_request("GET", "/", 1, 1)


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KnowsProgress, "timeline_interval_s", 0.01)


@pytest.mark.usefixtures("quickly")
def test_a_runner_writes_while_a_test_runs() -> None:
    with running(Counting, count=2) as runner:
        wait_until(lambda: len(runner.timeline.points) >= 3)
        runner.stop()
        points = runner.timeline.points
        assert requests_of(points) == pytest.approx(runner.stats.total.num_requests, rel=1e-6)
        assert [mark.text for mark in runner.timeline.marks] == ["Test started", "Test stopped"]
        gevent.sleep(0.03)
        assert runner.timeline.points is points
        count = len(points)
        runner.start(1, FAST)
        wait_until(lambda: len(runner.timeline.points) >= count + 2)
        assert runner.timeline.points[count].users is None


@pytest.mark.usefixtures("quickly")
def test_users_without_a_start_have_a_course_as_well() -> None:
    runner = Environment(user_classes=[Counting]).create_local_runner()
    runner.spawn_users({"Counting": 2})
    wait_until(lambda: runner.timeline.points)
    assert runner.timeline.points[-1].users == 2
    quit_within_patience(runner)


def test_statistics_that_are_reset_behind_the_ramp_reset_the_points() -> None:
    with running(Counting, reset_stats=True) as runner:
        epoch = runner.timeline.epoch
        runner.timeline.follow(runner.stats.total)
        assert runner.timeline.epoch > epoch


def test_what_was_cleared_before_a_run_is_not_shown_with_it() -> None:
    with running(Counting) as runner:
        wait_until(lambda: runner.stats.num_requests)
        runner.stop()
        runner.stats.clear_all()
        runner.start(1, FAST)
        assert runner.timeline.points == []
        assert [mark.text for mark in runner.timeline.marks] == ["Test started"]


def test_the_percentiles_are_those_of_the_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "PERCENTILES_TO_CHART", [0.9])
    with running(Counting) as runner:
        runner.stop()
        assert runner.timeline.percentiles == (0.9,)


def test_environments_have_timelines_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KnowsProgress, "timeline_interval_s", 1000)
    with running(Counting) as one, running(Counting) as other:
        one.stop()
        assert (len(one.timeline.points), len(other.timeline.points)) == (1, 0)
