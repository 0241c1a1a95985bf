"""Recording: samples reach their entry, the total and the errors, exactly and within bounds."""

from __future__ import annotations

import enum
import gc
import logging
import weakref
from pathlib import PurePosixPath
from typing import Any

import pytest
from stats_clock import Clock

from locust_c import _core
from locust_c import stats as stats_module
from locust_c.exception import CatchResponseError
from locust_c.stats import RequestStats, StatsEntry, StatsError


@pytest.fixture
def stats() -> RequestStats:
    return RequestStats()


def test_a_request_counts_in_its_entry_and_in_the_total(stats: RequestStats) -> None:
    stats.log_request("GET", "/a", 12.5, 100)
    stats.log_request("POST", "/a", 20, 10)
    stats.log_request("GET", "/a", None, 1)
    assert {key: entry.num_requests for key, entry in stats.entries.items()} == {
        ("/a", "GET"): 2,
        ("/a", "POST"): 1,
    }
    assert (stats.num_requests, stats.num_none_requests, stats.num_failures) == (3, 1, 0)
    assert (stats.total.name, stats.total.method, stats.total.total_content_length) == ("Aggregated", "", 111)


def test_a_million_records_agree_in_all_counts(stats: RequestStats) -> None:
    record = stats.table.record
    samples = [("GET" if i % 3 else "POST", f"/{i % 7}", i * 0.037 % 900, i % 11) for i in range(10_000)]
    error = ValueError("broken")
    for turn in range(100):
        for method, name, response_time, length in samples:
            record(method, name, response_time, length, error if turn == 50 else None)
    entries = list(stats.entries.values())
    assert len(entries) == 14
    assert stats.num_requests == sum(entry.num_requests for entry in entries) == 1_000_000
    assert stats.num_failures == sum(e.occurrences for e in stats.errors.values()) == 10_000
    for entry in [stats.total, *entries]:
        timed = entry.num_requests - entry.num_none_requests
        assert entry.histogram_count == timed
        assert sum(count for _, _, count in entry.histogram()) == timed
        assert sum(entry.response_times.values()) == timed
        assert sum(entry.num_reqs_per_sec.values()) == entry.num_requests
    assert stats.total.total_content_length == sum(entry.total_content_length for entry in entries)


def test_names_that_are_equal_but_not_the_same_object_share_an_entry(stats: RequestStats) -> None:
    for i in range(100):
        stats.table.record("".join(["G", "ET"]), f"/{'x' * 20}{i % 2}", 1, 1)
    assert [entry.num_requests for entry in stats.entries.values()] == [50, 50]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("GET", "/", "x", 1), "response_time must be a number, not str"),
        (("GET", "/", 1, None), "response_length must be an integer, not NoneType"),
        (("GET", "/", 1, "x"), "response_length must be an integer, not str"),
    ],
)
def test_values_of_a_wrong_type_are_refused_by_name(
    arguments: tuple[Any, ...], message: str, stats: RequestStats
) -> None:
    with pytest.raises(TypeError, match=message):
        stats.log_request(*arguments)
    assert stats.num_requests == 0


class Verb(str, enum.Enum):  # noqa: UP042 (older code has these)
    GET = "GET"


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("method", "name", "expected"),
    [
        (None, "/", ("/", "")),
        ("GET", None, ("None", "GET")),
        (Verb.GET, 5, ("5", "GET")),
        ("GET", PurePosixPath("/x"), ("/x", "GET")),
    ],
)
def test_keys_that_are_no_text_are_known_by_their_text(
    method: Any, name: Any, expected: tuple[str, str], stats: RequestStats
) -> None:
    for _ in range(2):
        stats.log_request(method, name, 1, 1)
        stats.log_error(method, name, "lost")
    assert [(type(part), part) for key in stats.entries for part in key] == [(str, part) for part in expected]
    assert stats.get(name, method).num_requests == 2
    (error,) = stats.errors.values()
    assert (error.name, error.method, error.occurrences) == (*expected, 2)


def test_a_key_without_a_text_is_refused(stats: RequestStats) -> None:
    with pytest.raises(RuntimeError, match="no text"):
        stats.log_request("GET", Unprintable(), 1, 1)  # type: ignore[arg-type]
    assert (stats.num_requests, len(stats.entries)) == (0, 0)


@pytest.mark.parametrize("response_time", [float("inf"), float("-inf")])
def test_infinite_times_are_refused(response_time: float, stats: RequestStats) -> None:
    with pytest.raises(ValueError, match="response_time must be finite"):
        stats.log_request("GET", "/", response_time, 1)
    assert (stats.num_requests, stats.total.histogram_count) == (0, 0)


def test_not_a_number_counts_as_a_request_without_a_time(stats: RequestStats) -> None:
    stats.log_request("GET", "/", float("nan"), 1)
    assert (stats.num_requests, stats.num_none_requests, stats.total.min_response_time) == (1, 1, None)


@pytest.mark.parametrize("no_failure", [None, ""])
def test_an_empty_exception_is_no_failure(no_failure: Any, stats: RequestStats) -> None:
    stats.table.record("GET", "/", 1, 1, no_failure)
    assert (stats.num_failures, stats.errors) == (0, {})


def test_errors_are_told_apart_by_method_name_and_text(
    stats: RequestStats, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch, 1000.5)
    for error in (ValueError("1"), ValueError(1), "plain", ValueError("1")):
        stats.log_error("GET", "/", error)
        clock.now += 1
    stats.log_error("POST", "/", "plain")
    rows = [(e.method, e.name, e.parse_error(e.error), e.occurrences) for e in stats.errors.values()]
    assert rows == [
        ("GET", "/", "ValueError('1')", 2),
        ("GET", "/", "ValueError(1)", 1),
        ("GET", "/", "plain", 1),
        ("POST", "/", "plain", 1),
    ]
    first = next(iter(stats.errors.values()))
    assert (first.first_seen, first.last_seen) == (1000.5, 1003.5)
    assert stats.get("/", "GET").num_failures == 4
    assert stats.total.num_failures == 5


def test_objects_in_errors_are_told_apart_without_their_address(stats: RequestStats) -> None:
    class Reason:
        pass

    for reason in (Reason(), Reason()):
        stats.log_error("GET", "/", CatchResponseError(reason))
    (error,) = stats.errors.values()
    assert error.occurrences == 2
    assert StatsError.parse_error(error.error).endswith("object at 0x....>)")


def test_the_key_of_an_error_is_the_one_that_locust_workers_send() -> None:
    # Taken from stock Locust 2.47.
    assert (
        StatsError.create_key("GET", "/a", CatchResponseError("bad"))
        == "5c329793df48848b4ba9d0e86fe43ac7fe6e0a90f5e65aec2dbb20e87acaff5a"
    )
    assert (
        StatsError.create_key("GET", "/a", "text")
        == "aebfe54c56b98db914f8fd3e3f76a872320979b755b6e7bbfe377759165918db"
    )


@pytest.mark.parametrize(
    ("error", "line"),
    [
        ("text", "GET /a: text"),
        (CatchResponseError("bad body"), "GET /a: bad body"),
        ("CatchResponseError('bad body')", "GET /a: 'bad body'"),
        (KeyError("k"), "GET /a: KeyError('k')"),
        (None, "GET /a: None"),
    ],
)
def test_the_error_report_unwraps_what_failure_was_called_with(error: Any, line: str) -> None:
    assert StatsError("GET", "/a", error).to_name() == line


def test_an_error_survives_being_sent() -> None:
    error = StatsError("GET", "/a", ValueError("x"), 3, 10.0, 12.0)
    data = error.serialize()
    assert data == {
        "name": "/a",
        "method": "GET",
        "error": "ValueError('x')",
        "occurrences": 3,
        "first_seen": 10.0,
        "last_seen": 12.0,
    }
    assert StatsError.unserialize(data).serialize() == data == error.to_dict()


def test_an_exception_that_cannot_be_shown_is_counted_by_its_type(stats: RequestStats) -> None:
    class Shy(Exception):
        def __repr__(self) -> str:
            raise RuntimeError("no repr")

    stats.table.record("GET", "/", 1, 1, Shy())
    stats.table.record("GET", "/", 1, 1, Shy())
    assert [error.occurrences for error in stats.errors.values()] == [2]
    assert stats.num_failures == 2


def test_errors_that_were_taken_out_are_found_anew(stats: RequestStats) -> None:
    error = ValueError("x")
    stats.table.record("GET", "/", 1, 1, error)
    stats.errors.clear()
    stats.table.record("GET", "/", 1, 1, error)
    assert [e.occurrences for e in stats.errors.values()] == [1]
    stats.errors = {}
    stats.table.record("GET", "/", 1, 1, error)
    assert [e.occurrences for e in stats.errors.values()] == [1]


def test_entries_that_were_taken_out_are_made_anew(stats: RequestStats) -> None:
    stats.log_request("GET", "/", 1, 1)
    gone = stats.entries.pop(("/", "GET"))
    stats.log_request("GET", "/", 1, 1)
    assert stats.get("/", "GET") is not gone
    assert (gone.num_requests, stats.get("/", "GET").num_requests, stats.num_requests) == (1, 1, 2)
    made = StatsEntry(stats, "/", "GET")
    stats.entries["/", "GET"] = made
    stats.log_request("GET", "/", 1, 1)
    assert made.num_requests == 1


def test_names_beyond_the_limit_share_one_row_with_one_warning(
    stats: RequestStats, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stats_module, "MAX_NAMES", 3)
    with caplog.at_level(logging.WARNING, logger="locust.stats_logger"):
        for i in range(50):
            stats.log_request("GET", f"/item/{i}", 1, 1)
        stats.table.record("GET", "/item/49", 1, 1, "broken")
    names = [name for name, _ in stats.entries]
    assert names == ["/item/0", "/item/1", "/item/2", "(other names)"]
    assert stats.get("(other names)", "").num_requests == 48
    assert stats.num_requests == 51
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    stats.log_request("GET", "/item/1", 1, 1)
    assert stats.get("/item/1", "GET").num_requests == 2


def test_errors_beyond_the_limit_share_one_row(stats: RequestStats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats_module, "MAX_ERRORS", 3)
    for i in range(20):
        stats.table.record("GET", "/", 1, 1, f"error {i}")
    assert [(e.error, e.occurrences) for e in stats.errors.values()] == [
        *[(f"error {i}", 1) for i in range(3)],
        ("(other errors)", 17),
    ]
    assert stats.num_failures == 20


class Answered(Exception):
    """An error that refers to its response, as those of requests do."""

    response: Any = None


def test_of_many_kinds_of_errors_the_responses_are_not_kept(
    stats: RequestStats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("locust_c.stats_errors.EXCEPTIONS_KEPT", 2)
    bodies = []
    for number in range(4):
        error = Answered(f"status {number}")
        error.response = type("Body", (), {})()
        bodies.append(weakref.ref(error.response))
        stats.table.record("GET", f"/{number}", 1, 1, error)
    stats.log_error("GET", "/4", CatchResponseError("not what we wanted"))
    stats.table.forget()
    del error
    gc.collect()
    assert [body() is not None for body in bodies] == [True, True, False, False]
    errors = list(stats.errors.values())
    assert [type(row.error).__name__ for row in errors] == [
        *("Answered", "Answered", "str", "str", "CatchResponseError")
    ]
    assert [row.to_dict()["error"] for row in errors[:4]] == [f"Answered('status {n}')" for n in range(4)]
    assert [row.to_name() for row in errors[3:]] == [
        "GET /3: Answered('status 3')",
        "GET /4: not what we wanted",
    ]


def test_of_many_long_texts_of_errors_the_beginnings_are_kept(
    stats: RequestStats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("locust_c.stats_errors.EXCEPTIONS_KEPT", 1)
    for _ in range(2):
        for first in "abc":
            stats.table.record("GET", f"/{first}", 1, 1, first * 20_000)
            stats.log_error("GET", f"/{first}", CatchResponseError(first * 20_000))
    errors = [row for row in stats.errors.values() if row.name != "/a"]
    assert [row.occurrences for row in errors] == [2] * 4
    for row in errors:
        assert "(10,000 more characters)" in row.to_name()
        assert len(row.to_name()) < 10_100
    assert stats._error_of_text == {}


def test_requests_sent_again_are_counted(stats: RequestStats) -> None:
    stats.table.record_resent("GET", "/")
    stats.table.record_resent("GET", "/")
    assert (stats.get("/", "GET").num_resent, stats.total.num_resent, stats.num_requests) == (2, 2, 0)
    stats.reset_all()
    assert stats.total.num_resent == 0


def test_resetting_keeps_the_entries_and_clearing_does_not(
    stats: RequestStats, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch, 1000.5)
    table = stats.table
    stats.log_request("GET", "/", 1, 1)
    stats.log_error("GET", "/", "x")
    entry, total, entries = stats.get("/", "GET"), stats.total, stats.entries
    stats.history.append({})
    clock.now = 1005.5
    stats.reset_all()
    assert stats.get("/", "GET") is entry
    assert (stats.total is total, stats.entries is entries, stats.errors) == (True, True, {})
    assert (entry.num_requests, total.num_failures, stats.start_time) == (0, 0, 1005.5)
    stats.log_request("GET", "/", 1, 1)
    stats.clear_all()
    assert (stats.entries, stats.errors, stats.history, stats.num_requests) == ({}, {}, [], 0)
    assert stats.table is table
    table.record("GET", "/", 1, 1)
    assert (stats.num_requests, entry.num_requests) == (1, 1)


def test_serializing_for_the_master_leaves_nothing_to_report(stats: RequestStats) -> None:
    stats.log_request("GET", "/", 1, 1)
    stats.get("/idle", "GET")
    stats.log_error("GET", "/failed", "x")
    assert [report["name"] for report in stats.serialize_stats()] == ["/", "/failed"]
    assert stats.serialize_stats() == []
    assert stats.num_requests == 1
    (error,) = stats.serialize_errors().values()
    assert error["occurrences"] == 1


def test_only_entries_can_be_recorded_into() -> None:
    class Wrong(dict[Any, Any]):
        def __missing__(self, key: Any) -> Any:
            return "no entry"

    table = _core.StatsTable(Wrong(), _core.StatsCounters(), lambda *error: _core.StatsErrorCount())
    with pytest.raises(TypeError, match="must be a StatsEntry"):
        table.record("GET", "/", 1, 1)
    with pytest.raises(TypeError, match="entries must be a dict"):
        _core.StatsTable([], _core.StatsCounters(), print)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be a StatsEntry"):
        table.total = 5


def test_statistics_that_nobody_holds_are_collected() -> None:
    stats = RequestStats()
    stats.table.record("GET", "/", 1, 1, ValueError("x"))
    references = [weakref.ref(stats), weakref.ref(stats.total), weakref.ref(stats.get("/", "GET"))]
    del stats
    gc.collect()
    assert [reference() for reference in references] == [None, None, None]
