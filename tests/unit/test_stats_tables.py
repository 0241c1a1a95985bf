"""The tables on the console: the expected lines were printed by stock Locust 2.47."""

from __future__ import annotations

import json
import logging
import os
import signal
from pathlib import Path

import pytest
from stats_clock import Clock

from locust_c import stats as stats_module
from locust_c.stats import RequestStats

EXPECTED = Path(__file__).with_name("expected")


def printed_by_locust(name_width: int) -> list[str]:
    """All three tables, one after the other, with an empty line behind each."""
    return (EXPECTED / f"stats_name_width_{name_width}.txt").read_text().split("\n")[:-1]


def tables(stats: RequestStats, current: bool) -> list[str]:
    """The same of ours."""
    return [
        *stats_module.get_stats_summary(stats, current),
        "",
        *stats_module.get_percentile_stats_summary(stats),
        "",
        *stats_module.get_error_report_summary(stats),
    ]


@pytest.fixture
def stats(monkeypatch: pytest.MonkeyPatch) -> RequestStats:
    """Thirty seconds of a run."""
    clock = Clock(monkeypatch, 1000.25)
    stats = RequestStats()
    for second in range(30):
        clock.now = 1000.25 + second
        for n in range(10 + second):
            stats.log_request("GET", "/a", n * 9.5, 1)
        if second < 22:
            stats.log_request("LONGMETHOD", "/b", second * 1000, 1)
            stats.log_error("LONGMETHOD", "/b", "x")
    return stats


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wide tables, wherever the tests run; what a test sets the width to is put back."""
    set_terminal(monkeypatch, None)
    monkeypatch.setattr(stats_module, "STATS_NAME_WIDTH", 80)
    monkeypatch.setattr(stats_module, "STATS_AUTORESIZE", True)


def set_terminal(monkeypatch: pytest.MonkeyPatch, columns: int | None) -> None:
    def get_terminal_size(descriptor: int = 1) -> os.terminal_size:
        if columns is None:
            raise OSError("no terminal")
        return os.terminal_size((columns, 24))

    monkeypatch.setattr(os, "get_terminal_size", get_terminal_size)
    if columns is not None:
        os.kill(os.getpid(), signal.SIGWINCH)


def test_wide_tables_are_locusts(stats: RequestStats) -> None:
    assert tables(stats, current=False) == printed_by_locust(80)


def test_a_narrower_terminal_takes_from_the_name(
    stats: RequestStats, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_terminal(monkeypatch, 100)
    shown, locusts = tables(stats, current=True), printed_by_locust(20)
    start, end = (
        locusts.index(line) for line in ("Response time percentiles (approximated)", "Error report")
    )
    assert shown[:start] == locusts[:start]
    assert shown[end:] == locusts[end:]
    # Locust's would wrap.
    assert {len(line) for line in shown[start + 1 : end - 1]} == {100}


@pytest.mark.parametrize(("columns", "width"), [(60, 0), (80, 0), (120, 40), (160, 80), (300, 80)])
def test_the_name_column_follows_the_terminal(
    columns: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_terminal(monkeypatch, columns)
    assert width == stats_module.STATS_NAME_WIDTH


def test_a_width_that_the_user_set_stays(stats: RequestStats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats_module, "STATS_AUTORESIZE", False)
    monkeypatch.setattr(stats_module, "STATS_NAME_WIDTH", 20)
    set_terminal(monkeypatch, 80)
    assert tables(stats, current=True) == printed_by_locust(20)


@pytest.mark.parametrize("columns", [60, 80, 99])
def test_no_line_of_a_table_is_wider_than_a_narrow_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stats = RequestStats()
    for i in range(100):
        stats.log_request(
            "OPTIONS", f"/a/name/that/does/not/fit/anywhere/however/wide/it/is/{i % 2}", i * 99, 1
        )
    stats.table.record_resent("OPTIONS", "/a/name/that/does/not/fit/anywhere/however/wide/it/is/1")
    set_terminal(monkeypatch, columns)
    shown = [
        stats_module.get_stats_summary(stats),
        stats_module.get_percentile_stats_summary(stats)[1:],
        stats_module.get_resent_summary(stats)[1:-1],
    ]
    for table in shown:
        assert {len(line) for line in table} == {len(table[0])}
        assert len(table[0]) <= columns
    assert "/0 " in "\n".join(shown[0])
    assert "/1 " in "\n".join(shown[0])
    if columns == 80:
        assert shown[1][0].split() == [
            "Type",
            "Name",
            "50%",
            "75%",
            "90%",
            "95%",
            "99%",
            "100%",
            "#",
            "reqs",
        ]


@pytest.mark.parametrize("columns", [120, 174])
def test_percentiles_do_not_wrap_in_a_terminal_of_medium_width(
    columns: int, stats: RequestStats, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_terminal(monkeypatch, columns)
    lines = stats_module.get_percentile_stats_summary(stats)
    assert max(len(line) for line in lines) <= columns
    assert "99.9% 99.99%" in lines[1]


def test_wide_characters_take_two_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    stats = RequestStats()
    for name in ("/日本語", "/" + "日本語" * 20, "/\U0001f600e\u0301"):
        stats.log_request("GET", name, 5, 1)
    set_terminal(monkeypatch, 80)
    rows = stats_module.get_stats_summary(stats)[2:-2]
    wide = [sum(char > "\u1fff" for char in row) for row in rows]
    combined = ["\u0301" in row for row in rows]
    assert [len(row) + n - c for row, n, c in zip(rows, wide, combined, strict=True)] == [80] * 3


def test_empty_statistics_give_empty_tables() -> None:
    stats = RequestStats()
    assert len(stats_module.get_stats_summary(stats)) == 4
    assert len(stats_module.get_percentile_stats_summary(stats)) == 4
    assert stats_module.get_resent_summary(stats) == []


def test_entries_without_response_times_have_no_percentiles() -> None:
    stats = RequestStats()
    stats.log_request("GET", "/timed", 5, 1)
    stats.log_request("GET", "/untimed", None, 1)
    names = [line.split()[1] for line in stats_module.get_percentile_stats_summary(stats)[3:-2]]
    assert names == ["/timed"]
    assert stats_module.get_stats_summary(stats)[3].split()[1] == "/untimed"


def test_tables_are_logged_with_an_empty_line_after_each(
    stats: RequestStats, caplog: pytest.LogCaptureFixture
) -> None:
    stats.table.record_resent("GET", "/a")
    with caplog.at_level(logging.INFO, logger="locust.stats_logger"):
        stats_module.print_stats(stats, current=False)
        stats_module.print_percentile_stats(stats)
        stats_module.print_error_report(stats)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[:-6] == printed_by_locust(80)
    resent = lines[-6:]
    assert resent[0] == "Requests sent again"
    assert resent[3].split() == ["GET", "/a", "1"]
    assert resent[5] == ""


@pytest.mark.parametrize("columns", [None, 80])
def test_names_are_no_orders_to_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int | None) -> None:
    monkeypatch.setattr(stats_module.stats_narrow, "narrow_columns", lambda *_: columns)
    stats = RequestStats()
    stats.log_request("G\t", "a\n\x1b[2J\U0001f600\xa0é", 5, 1)
    stats.log_error("G\t", "a\n\x1b[2J\U0001f600\xa0é", "two\nlines\x9b")
    *rows, _ = lines = tables(stats, current=False)
    assert sum(r"a\n\x1b[2J😀\xa0é".replace(r"\xa0", "\xa0") in row and r"G\t" in row for row in rows) == 2
    [error] = [line for line in lines if "two" in line]
    assert error.rstrip().endswith("two\nlines\\x9b")
    assert "\x1b" not in "".join(lines)


def test_without_errors_there_is_no_error_report(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="locust.stats_logger"):
        stats_module.print_error_report(RequestStats())
    assert caplog.records == []


def test_percentiles_to_report_are_read_when_used(
    stats: RequestStats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats_module, "PERCENTILES_TO_REPORT", [0.5, 0.123456, 1])
    assert stats_module.get_percentile_stats_summary(stats)[1].endswith("      50% 12.3456%   100% # reqs")
    assert stats.total.percentile().split() == ["Aggregated", "110", "28", "21000", "757"]
    with pytest.raises(ValueError, match="no requests"):
        stats.get("idle", "G").percentile()


def test_json_has_all_entries_and_leaves_the_statistics(
    stats: RequestStats, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stats.get("idle", "G")
    stats_module.save_stats_json(stats, str(tmp_path / "out"))
    saved = (tmp_path / "out.json").read_text()
    stats_module.print_stats_json(stats)
    assert capsys.readouterr().out == saved + "\n"
    entries = json.loads(saved)
    assert [(entry["name"], entry["num_requests"]) for entry in entries] == [("/a", 735), ("/b", 22)]
    assert sum(entries[0]["response_times"].values()) == 735
    assert list(entries[0]) == [
        *["name", "method", "last_request_timestamp", "start_time", "num_requests", "num_none_requests"],
        *["num_failures", "total_response_time", "max_response_time", "min_response_time"],
        *["total_content_length", "response_times", "num_reqs_per_sec", "num_fail_per_sec"],
    ]
