"""Phases in the statistics: counted by entry, merged, reset, and shown; unknown to Locust's own formats."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest

from locust_c import _core
from locust_c.env import Environment
from locust_c.stats import RequestStats, StatsEntry
from locust_c.stats_entry import StatsEntryDict

NAMES = ("lookup", "connect", "tls", "send", "wait", "receive", "lag")


@pytest.fixture
def stats() -> RequestStats:
    return RequestStats()


def kept(wait: float, lag: float = 0.1) -> tuple[float | None, ...]:
    """The phases of a request on a kept connection, in ms."""
    return (None, None, None, 0.01, wait, 0.02, lag)


def counts(entry: StatsEntry) -> dict[str, int]:
    return {name: phase.count for name, phase in entry.phases.items()}


def test_phases_come_in_the_order_of_a_request(stats: RequestStats) -> None:
    assert NAMES == _core.PHASES
    assert tuple(stats.total.phases) == NAMES
    assert [phase.name for phase in stats.total.phases.values()] == list(NAMES)


def test_a_phase_is_a_view_on_what_happened(stats: RequestStats) -> None:
    entry = stats.get("/", "GET")
    wait = entry.phases["wait"]
    assert (wait.count, wait.quantile(0.5), wait.histogram()) == (0, None, [])
    for time_ms in (20, 20, 300):
        entry.record_phases(*kept(time_ms, lag=2))
    assert counts(entry) == dict.fromkeys(NAMES, 3) | {"lookup": 0, "connect": 0, "tls": 0}
    assert wait.quantile(0.5) == pytest.approx(20, rel=0.005)
    assert wait.quantile(1) == pytest.approx(300, rel=0.005)
    assert [count for _, _, count in wait.histogram()] == [2, 1]
    assert all(
        low <= time_ms <= high for (low, high, _), time_ms in zip(wait.histogram(), (20, 300), strict=True)
    )
    assert (entry.generator_lag.name, entry.generator_lag.count) == ("lag", 3)
    assert repr(wait).startswith("<Phase wait: count=3, p50=20")
    assert repr(entry.phases["tls"]) == "<Phase tls: count=0>"


def test_quantiles_have_two_digits(stats: RequestStats) -> None:
    generator = random.Random(4)
    times = sorted(10 ** generator.uniform(-2, 5) for _ in range(5000))
    for time_ms in times:
        stats.total.record_phases(*kept(time_ms))
    for share in (0.001, 0.1, 0.5, 0.9, 0.99, 1):
        exact = times[max(int(share * 5000) - 1, 0)]
        assert stats.total.phases["wait"].quantile(share) == pytest.approx(exact, rel=0.005, abs=0.001)


def test_nobody_changes_which_phases_there_are(stats: RequestStats) -> None:
    phases: Any = stats.total.phases
    with pytest.raises(TypeError):
        phases["wait"] = None
    with pytest.raises(KeyError):
        phases["nonsense"]


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_between_0_and_1(share: float, stats: RequestStats) -> None:
    with pytest.raises(ValueError, match="p must be from 0 to 1"):
        stats.total.generator_lag.quantile(share)


@pytest.mark.parametrize("place", [-1, 7, 2**40])
def test_other_places_are_refused(place: int, stats: RequestStats) -> None:
    for call in (stats.total.phase_count, stats.total.phase_histogram):
        with pytest.raises(ValueError, match="phase must be between 0 and 6"):
            call(place)
    with pytest.raises(ValueError, match="phase must be between 0 and 6"):
        stats.total.phase_quantile(place, 0.5)


@pytest.mark.parametrize("time_ms", [-1, float("nan"), float("inf")])
def test_a_phase_is_a_time(time_ms: float, stats: RequestStats) -> None:
    with pytest.raises(ValueError, match="a phase must be a time in ms, 0 or more"):
        stats.total.record_phases(*kept(time_ms))
    with pytest.raises(TypeError, match="takes 7 arguments"):
        stats.total.record_phases(1, 2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="a phase must be a number, not str"):
        stats.total.record_phases(*kept("x"))  # type: ignore[arg-type]
    assert counts(stats.total) == dict.fromkeys(NAMES, 0)


def test_entries_are_merged_with_their_phases(stats: RequestStats) -> None:
    left, right = StatsEntry(stats, "/", "GET"), StatsEntry(stats, "/", "GET", True)
    left.record_phases(*kept(10))
    for _ in range(300):
        right.record_phases(1, 2, 3, *kept(30)[3:])
    left.extend(right)
    assert counts(left) == dict.fromkeys(NAMES, 301) | {"lookup": 300, "connect": 300, "tls": 300}
    assert left.phases["wait"].quantile(0) == pytest.approx(10, rel=0.005)
    assert left.phases["wait"].quantile(0.5) == pytest.approx(30, rel=0.005)
    assert counts(right)["lag"] == 300


def test_phases_are_reset_with_the_rest(stats: RequestStats) -> None:
    entry = stats.get("/", "GET")
    for each in (entry, stats.total):
        each.record_phases(*kept(10))
    lag = entry.generator_lag
    stats.reset_all()
    assert (lag.count, stats.total.generator_lag.count) == (0, 0)
    stats.total.record_phases(*kept(10))
    stats.clear_all()
    assert stats.total.generator_lag.count == 0
    entry.record_phases(*kept(10))
    entry.get_stripped_report()
    assert lag.count == 0


def test_response_times_are_replaced_without_the_phases(stats: RequestStats) -> None:
    stats.total.record_phases(*kept(10))
    stats.total.response_times = {5: 2}
    assert stats.total.generator_lag.count == 1


def test_the_formats_of_locust_do_not_change(stats: RequestStats) -> None:
    entry = stats.get("/", "GET")
    entry.record_phases(*kept(10))
    assert set(entry.serialize()) == set(StatsEntryDict.__annotations__)
    assert "phases" not in entry.to_dict()
    assert counts(StatsEntry.unserialize(entry.serialize(), stats)) == dict.fromkeys(NAMES, 0)


def test_events_of_other_clients_have_no_phases() -> None:
    environment = Environment()
    stats = RequestStats()
    environment.events.request.add_recorder(stats.table)
    environment.events.request.fire(
        request_type="X", name="/", response_time=5, response_length=1, exception=None
    )
    stats.log_request("X", "/", 5, 1)
    assert stats.total.num_requests == 2
    assert counts(stats.total) == counts(stats.get("/", "X")) == dict.fromkeys(NAMES, 0)


def test_few_bins_hold_the_same_counts(stats: RequestStats) -> None:
    times = [0.0, 0.005, 0.063, 0.064, 0.066, 3.3, 3.31, 100, 4_000_000]
    for time_ms in times:
        stats.total.record(time_ms, 0, 1.0)
        stats.total.record_phases(*kept(time_ms, lag=time_ms))
    bins = stats.total.coarse_histogram()
    assert bins == {0: 1, 5: 1, 63: 1, 64: 1, 66: 1, 3264: 2, 98304: 1, 3_556_769_792: 1}
    assert list(bins) == sorted(bins)
    assert stats.total.phase_coarse_histogram(_core.PHASES.index("lag")) == bins
    assert stats.total.phase_coarse_histogram(0) == {}
    with pytest.raises(ValueError, match="phase must be between 0 and 6"):
        stats.total.phase_coarse_histogram(7)


def test_few_bins_of_many_times_hold_them_all(stats: RequestStats) -> None:
    for number in range(3000):
        stats.total.record(number * 1.01**number % 70_000, 0, 1.0)
    exact, bins = stats.total.histogram(), stats.total.coarse_histogram()
    limits = [*bins, 2**40]
    for low, high in pairwise(limits):
        assert bins[low] == sum(count for from_ms, _, count in exact if low <= from_ms * 1000 < high)
