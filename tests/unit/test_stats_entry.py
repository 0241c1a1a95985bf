"""Entries: the figures are those that stock Locust 2.47 gives for the same calls."""

from __future__ import annotations

import copy
import json
import random
import time

import pytest
from stats_clock import Clock

from locust_c import stats as stats_module
from locust_c.stats import (
    CachedResponseTimes,
    RequestStats,
    StatsEntry,
    calculate_response_time_percentile,
    diff_response_time_dicts,
    get_readable_percentiles,
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, 1000.25)


@pytest.fixture
def entry() -> StatsEntry:
    return StatsEntry(RequestStats(), "/a", "GET", use_response_times_cache=True)


def test_a_new_entry_has_counted_nothing(clock: Clock, entry: StatsEntry) -> None:
    assert (entry.name, entry.method, entry.use_response_times_cache) == ("/a", "GET", True)
    assert (entry.num_requests, entry.num_none_requests, entry.num_failures) == (0, 0, 0)
    assert (entry.total_response_time, entry.min_response_time, entry.max_response_time) == (0, None, 0)
    assert (entry.total_content_length, entry.start_time, entry.last_request_timestamp) == (0, 1000.25, None)
    assert (entry.response_times, entry.num_reqs_per_sec, entry.num_fail_per_sec) == ({}, {}, {})
    assert (entry.fail_ratio, entry.avg_response_time, entry.median_response_time) == (0, 0, 0)
    assert (entry.current_rps, entry.total_rps, entry.avg_content_length) == (0, 0, 0)
    assert entry.get_response_time_percentile(0.9) == 0
    assert entry.get_current_response_time_percentile(0.9) is None
    assert entry.percentile(0.5) is None


def test_logging_counts_requests_and_failures_of_this_entry_only(clock: Clock, entry: StatsEntry) -> None:
    entry.log(45.5, 100)
    clock.now = 1001.5
    entry.log(134.2, 50)
    entry.log(None, 7)
    entry.log_error("broken")
    assert (entry.num_requests, entry.num_none_requests, entry.num_failures) == (3, 1, 1)
    assert entry.total_response_time == pytest.approx(179.7)
    assert (entry.min_response_time, entry.max_response_time) == (45.5, 134.2)
    assert entry.avg_response_time == pytest.approx(89.85)
    assert (entry.total_content_length, entry.avg_content_length) == (157, 157 / 3)
    assert entry.last_request_timestamp == 1001.5
    assert entry.response_times == {46: 1, 130: 1}
    assert entry.num_reqs_per_sec == {1000: 1, 1001: 2}
    assert entry.num_fail_per_sec == {1001: 1}
    assert entry.fail_ratio == pytest.approx(1 / 3)
    assert entry.stats.num_requests == 0


@pytest.mark.parametrize(
    ("response_time", "key"),
    [
        *[(0.5, 0), (1.5, 2), (2.5, 2), (99.4, 99), (99.5, 100), (99.6, 100), (105, 100), (105.0, 100)],
        *[(115, 120), (995, 1000), (999.9, 1000), (1050, 1000), (1150, 1200), (9950, 10000), (9999, 10000)],
        *[(10500, 10000), (11500, 12000), (3599400, 3599000)],
    ],
)
def test_response_times_are_rounded_as_locust_rounds(
    response_time: float, key: int, entry: StatsEntry
) -> None:
    entry.log(response_time, 0)
    assert entry.response_times == {key: 1}
    assert stats_module.bucket_response_time(response_time) == key


def test_every_time_is_rounded_as_the_function_in_python_rounds_it(entry: StatsEntry) -> None:
    numbers = random.Random(4)
    times = [float(n) / 2 for n in range(40_000)] + [10 ** numbers.uniform(-3, 6.5) for _ in range(20_000)]
    expected: dict[int, int] = {}
    for response_time in times:
        entry.record(response_time, 0, 1.0)
        key = stats_module.bucket_response_time(response_time)
        expected[key] = expected.get(key, 0) + 1
    assert entry.response_times == expected


def test_times_out_of_range_are_clamped_in_the_tables_but_exact_in_the_extremes(entry: StatsEntry) -> None:
    entry.log(-5.5, 0)
    entry.log(1e8, 0)
    assert entry.response_times == {0: 1, 3_600_000: 1}
    assert (entry.min_response_time, entry.max_response_time) == (-5.5, 1e8)
    assert entry.percentile(1.0) == 1e8


def test_percentiles_count_from_the_slowest_and_leave_out_requests_without_time(entry: StatsEntry) -> None:
    for i in range(10):
        entry.log(None, 1)
        entry.log(i + 1.4, 1)
    shares = [tenth / 10 for tenth in range(11)]
    assert [entry.get_response_time_percentile(p) for p in shares] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10]
    assert entry.median_response_time == 6


def test_the_median_stays_between_the_extremes(entry: StatsEntry) -> None:
    for _ in range(3):
        entry.log(146, 1)
    assert (entry.get_response_time_percentile(0.5), entry.median_response_time) == (150, 146)
    entry.reset()
    entry.log(2.5, 1)
    assert (entry.get_response_time_percentile(0.5), entry.median_response_time) == (2, 2.5)


def test_exact_percentiles_have_three_digits(entry: StatsEntry) -> None:
    times = sorted(10 ** random.Random(seed).uniform(-2, 5) for seed in range(5_000))
    for response_time in times:
        entry.log(response_time, 1)
    for share in (0.001, 0.5, 0.9, 0.99, 0.999):
        assert entry.percentile(share) == pytest.approx(times[round(share * 5_000) - 1], rel=1e-3, abs=1e-3)
    assert entry.percentile(0.0) == pytest.approx(times[0], rel=1e-3, abs=1e-3)
    assert entry.percentile(1.0) == times[-1]
    with pytest.raises(ValueError, match="p must be from 0 to 1"):
        entry.percentile(50)


def test_current_rates_are_those_of_ten_seconds_before_the_last_two(clock: Clock) -> None:
    stats = RequestStats()
    busy, early = stats.get("/busy", "GET"), stats.get("/early", "GET")
    expected = {
        0: (0, 0, 0),
        3: (10, 1, 4 / 3),
        5: (11, 1, 1.2),
        12: (14.5, 1, 13 / 12),
        25: (27.5, 0.9, 0.88),
        29: (31.5, 0.5, 22 / 29),
    }
    for second in range(30):
        clock.now = 1000.25 + second
        for _ in range(10 + second):
            stats.log_request("GET", "/busy", 1, 1)
        if second < 22:
            stats.log_request("GET", "/early", 1, 1)
            stats.log_error("GET", "/early", "x")
        if second in expected:
            busy_rps, early_rps, early_total = expected[second]
            assert busy.current_rps == pytest.approx(busy_rps)
            assert early.current_rps == early.current_fail_per_sec == pytest.approx(early_rps)
            assert early.total_rps == early.total_fail_per_sec == pytest.approx(early_total)
    assert stats.total.current_rps == pytest.approx(32.0)
    assert stats.total.current_fail_per_sec == pytest.approx(0.5)


def test_current_percentiles_compare_with_the_second_nearest_to_the_window(clock: Clock) -> None:
    stats = RequestStats()
    entry = stats.get("/a", "GET")
    for second in range(30):
        for part, extra in ((0.25, 1), (0.5, 2), (0.75, 3)):
            clock.now = 1000 + second + part
            stats.log_request("GET", "/a", second * 10 + extra, 1)
    for later, want in {
        0: [200, 250, 290],
        5: [250, 270, 290],
        8: [280, 290, 290],
        15: [290, 290, 290],
        18: [None] * 3,
    }.items():
        clock.now = 1029.75 + later
        assert [entry.get_current_response_time_percentile(p) for p in (0, 0.5, 1)] == want
        assert [stats.total.get_current_response_time_percentile(p) for p in (0, 0.5, 1)] == want


def test_the_window_of_current_percentiles_can_be_set(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    stats = RequestStats()
    for second in range(15):
        clock.now = 1000.5 + second
        stats.log_request("GET", "/a", second, 1)
    assert stats.total.get_current_response_time_percentile(0) == 5
    monkeypatch.setattr(stats_module, "CURRENT_RESPONSE_TIME_PERCENTILE_WINDOW", 3)
    assert stats.total.get_current_response_time_percentile(0) == 12


def test_current_percentiles_need_the_cache() -> None:
    entry = StatsEntry(RequestStats(), "/a", "GET")
    assert entry.response_times_cache is None
    with pytest.raises(ValueError, match="use_response_times_cache=True"):
        entry.get_current_response_time_percentile(0.5)


def test_the_cache_holds_the_state_at_the_end_of_the_last_twenty_seconds(clock: Clock) -> None:
    entry = StatsEntry(RequestStats(), "/a", "GET", True)
    for now in (1000.6, 1005.2, 1005.9, 1006.1, 1006.0):
        clock.now = now
        entry.log(now % 100, 1)
    assert entry.response_times_cache == {
        1000: CachedResponseTimes({}, 0, 0),
        1004: CachedResponseTimes({1: 1}, 1, 0),
        1005: CachedResponseTimes({1: 1, 5: 1, 6: 1}, 3, 0),
    }
    for second in range(40):
        clock.now = 1007.5 + second
        entry.log(5, 1)
    assert list(entry.response_times_cache) == list(range(1026, 1046))


def test_tables_and_cache_can_be_written_by_hand(clock: Clock) -> None:
    clock.now = 2000.0
    entry = StatsEntry(RequestStats(), "/", "GET", True)
    cache = entry.response_times_cache
    assert cache is not None
    cache[1990] = CachedResponseTimes(dict.fromkeys(range(100), 1), 200, 0)
    entry.response_times = dict.fromkeys(range(100), 2)
    entry.response_times[1] = 202
    entry.num_requests = 300
    assert entry.response_times[1] == 202
    assert entry.get_current_response_time_percentile(0.95) == 95
    entry.num_reqs_per_sec = {1990: 5, 1991: 6}
    entry.num_fail_per_sec[1991] += 2
    assert (entry.num_reqs_per_sec, entry.num_fail_per_sec) == ({1990: 5, 1991: 6}, {1991: 2})
    assert copy.deepcopy(entry.response_times) == entry.response_times


def test_times_that_are_no_bucket_are_kept_as_they_were_given() -> None:
    entry, other = (StatsEntry(RequestStats(), "/", "GET") for _ in range(2))
    entry.response_times = {103: 3, 100: 1, 5: 2}
    entry.num_requests = 6
    assert entry.response_times == {103: 3, 100: 1, 5: 2}
    assert entry.get_response_time_percentile(1.0) == 103
    other.extend(entry)
    other.extend(entry)
    assert other.response_times == {103: 6, 100: 2, 5: 4}
    other.reset()
    assert other.response_times == {}


def test_a_replaced_bucket_function_is_applied_when_reading(
    entry: StatsEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for response_time in (3, 14, 15, 1499):
        entry.log(response_time, 1)
    monkeypatch.setattr(stats_module, "bucket_response_time", lambda ms: int(ms // 10) * 10)
    assert entry.response_times == {0: 1, 10: 2, 1490: 1}
    assert entry.get_response_time_percentile(1.0) == 1490
    assert entry.serialize()["response_times"] == {0: 1, 10: 2, 1490: 1}


def test_an_entry_survives_being_sent(clock: Clock) -> None:
    stats = RequestStats()
    entry = stats.get("/a", "GET")
    for response_time in (12.5, None, 250.0, 60_000.0):
        entry.log(response_time, 10)
        clock.now += 1
    entry.log_error("x")
    data = entry.serialize()
    assert json.loads(json.dumps(data)) == {
        **data,
        "response_times": {"12": 1, "250": 1, "60000": 1},
        "num_reqs_per_sec": {"1000": 1, "1001": 1, "1002": 1, "1003": 1},
        "num_fail_per_sec": {"1004": 1},
    }
    received = StatsEntry.unserialize(data, stats)
    assert received.serialize() == data
    assert received.histogram_count == received.num_requests - received.num_none_requests


def test_unknown_keys_of_a_report_are_ignored_and_missing_ones_stay_at_zero() -> None:
    stats = RequestStats()
    entry = StatsEntry.unserialize({"name": "n", "method": "GET", "num_requests": 3, "color": 1}, stats)  # type: ignore[typeddict-item, typeddict-unknown-key]
    assert (entry.num_requests, entry.num_failures, entry.min_response_time) == (3, 0, None)
    with pytest.raises(KeyError, match="method"):
        StatsEntry.unserialize({"name": "n"}, stats)  # type: ignore[typeddict-item]


def test_a_stripped_report_leaves_an_empty_entry(clock: Clock, entry: StatsEntry) -> None:
    entry.log(20, 5)
    clock.now = 1005.5
    report = entry.get_stripped_report()
    assert (report["num_requests"], report["response_times"]) == (1, {20: 1})
    assert (entry.num_requests, entry.response_times, entry.start_time) == (0, {}, 1005.5)
    assert list(entry.response_times_cache or ()) == [1005]


def test_extending_merges_as_if_logged_together(clock: Clock) -> None:
    stats = RequestStats()
    merged, part = StatsEntry(stats, "/", "GET", True), StatsEntry(stats, "/", "GET")
    part.start_time = 5
    merged.extend(part)
    assert (merged.start_time, merged.min_response_time, merged.last_request_timestamp) == (5, None, None)
    clock.now = 1035.2
    part.log(5, 1)
    part.log_error("x")
    clock.now = 1040.5
    for _ in range(2):
        merged.extend(part)
    assert (merged.num_requests, merged.num_failures, merged.total_response_time) == (2, 2, 10)
    assert (merged.min_response_time, merged.max_response_time) == (5, 5)
    assert merged.last_request_timestamp == 1035.2
    assert (merged.num_reqs_per_sec, merged.num_fail_per_sec) == ({1035: 2}, {1035: 2})
    assert merged.response_times_cache == {
        1000: CachedResponseTimes({}, 0, 0),
        1035: CachedResponseTimes({5: 1}, 1, 0),
    }
    with pytest.raises(ValueError, match="themselves"):
        merged.extend(merged)


def test_rows_of_the_web_page_have_locusts_keys_and_roundings(clock: Clock) -> None:
    stats = RequestStats()
    assert StatsEntry(stats, "n", "m").to_dict() == {
        **dict.fromkeys(["num_requests", "num_failures", "min_response_time", "max_response_time"], 0),
        **dict.fromkeys(["current_rps", "current_fail_per_sec", "avg_response_time"], 0),
        **dict.fromkeys(["median_response_time", "total_rps", "total_fail_per_sec"], 0),
        **dict.fromkeys(["response_time_percentile_0.95", "response_time_percentile_0.99"], 0),
        **dict.fromkeys(["avg_content_length"], 0),
        "method": "m",
        "name": "n",
    }
    stats.log_request("GET", "/", 2.5, 3)
    row = stats.total.to_dict(escape_string_values=True)
    assert list(row)[:6] == [
        "method",
        "name",
        "num_requests",
        "num_failures",
        "min_response_time",
        "max_response_time",
    ]
    assert (row["min_response_time"], row["max_response_time"], row["median_response_time"]) == (3, 3, 2.5)
    assert (row["response_time_percentile_0.95"], row["avg_content_length"]) == (2, 3)


def test_arithmetic_on_tables() -> None:
    assert calculate_response_time_percentile({1: 1, 2: 1, 3: 1, 4: 1}, 4, 0.5) == 3
    assert calculate_response_time_percentile({}, 0, 0.5) == 0
    assert calculate_response_time_percentile({1: 1}, 5, 0.1) == 0
    assert diff_response_time_dicts({1: 3, 2: 2, 3: 1}, {1: 3, 2: 1, 9: 4}) == {2: 1, 3: 1}
    titles = ["50%", "99.9%", "99.99%", "33.333%", "100%", "7.0%"]
    assert get_readable_percentiles([0.5, 0.999, 0.9999, 0.33333, 1, 0.07]) == titles
    assert (stats_module.avg([]), stats_module.avg([1, 2])) == (0.0, 1.5)


def test_whole_milliseconds_stay_whole() -> None:
    stats = RequestStats()
    figures = ("total_response_time", "min_response_time", "max_response_time")
    assert [repr(getattr(stats.total, name)) for name in figures] == ["0", "None", "0"]
    stats.log_request("GET", "/", 7, 1)
    assert [repr(getattr(stats.total, name)) for name in figures] == ["7", "7", "7"]
    stats.log_request("GET", "/", 0.5, 1)
    assert [repr(getattr(stats.total, name)) for name in figures] == ["7.5", "0.5", "7"]
    stats.log_request("GET", "/", 1e300, 1)
    assert [repr(getattr(stats.total, name)) for name in figures] == ["1e+300", "0.5", "1e+300"]


def test_a_copy_counts_by_itself() -> None:
    stats = RequestStats()
    stats.log_request("GET", "/", 7, 1)
    stats.log_error("GET", "/", "lost")
    entry, twin = stats.get("/", "GET"), copy.copy(stats.get("/", "GET"))
    snapshot = copy.deepcopy(stats)
    stats.log_request("GET", "/", 900, 1)
    stats.log_error("GET", "/", "lost")
    assert twin.stats is stats
    assert snapshot.get("/", "GET").stats is snapshot
    for frozen in (twin, snapshot.get("/", "GET"), snapshot.total):
        assert (frozen.num_requests, frozen.num_failures, frozen.response_times) == (1, 1, {7: 1})
        assert (frozen.percentile(1), frozen.start_time) == (7, pytest.approx(entry.start_time, abs=60))
    (error,) = snapshot.errors.values()
    assert (error.occurrences, next(iter(stats.errors.values())).occurrences) == (1, 2)
    snapshot.log_request("GET", "/", 8, 1)
    assert (snapshot.num_requests, stats.num_requests) == (2, 2)


def test_the_cache_of_response_times_can_be_assigned() -> None:
    entry = StatsEntry(RequestStats(), "/", "GET", use_response_times_cache=True)
    entry.response_times_cache = None
    assert (entry.use_response_times_cache, entry.response_times_cache) == (False, None)
    with pytest.raises(ValueError, match="use_response_times_cache"):
        entry.get_current_response_time_percentile(0.5)
    entry.use_response_times_cache = True
    entry.log(7, 1)
    assert entry.get_current_response_time_percentile(0.5) is None
    second = int(time.time()) - 10
    entry.response_times_cache = {second: CachedResponseTimes({}, 0, 0)}
    assert entry.get_current_response_time_percentile(0.5) == 7
    plain = StatsEntry(RequestStats(), "/", "GET")
    plain.use_response_times_cache = True
    plain.log(7, 1)
    assert plain.get_current_response_time_percentile(0.5) is None
