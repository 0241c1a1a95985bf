"""The file of --json-file: whole or as it was."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from test_stats_csv import full_disk

from locust_c import stats as stats_module
from locust_c.stats import RequestStats
from locust_c.stats_json import is_stream, json_of, replace_file


def test_entries_are_an_indented_array_in_the_order_in_which_they_came() -> None:
    stats = RequestStats()
    assert json_of(stats) == "[]"
    stats.log_request("GET", "/\n\udcff", 5, 1)
    stats.log_request("GET", "/", None, 1)
    stats.get("unused", "GET")
    expected = [stats.get(name, "GET").serialize() for name in ("/\n\udcff", "/")]
    assert json_of(stats) == json.dumps(expected, indent=4)
    assert stats.num_requests == 2


def test_missing_folders_are_made_and_the_old_file_is_replaced(tmp_path: Path) -> None:
    for _ in range(2):
        stats_module.save_stats_json(RequestStats(), f"{tmp_path}/made/x")
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["x.json"]
    assert (tmp_path / "made" / "x.json").read_text() == "[]"


def test_links_and_rights_stay(tmp_path: Path) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    replace_file(str(link), "new")
    assert link.is_symlink()
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("new", 0o640)


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    replace_file(str(path), "old")
    with full_disk(10), pytest.raises(OSError, match="File too large"):
        replace_file(str(path), "n" * 20)
    assert [other.name for other in tmp_path.iterdir()] == ["x.json"]
    assert path.read_text() == "old"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    path = str(tmp_path / "pipe.json")
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert is_stream(path)
        replace_file(path, "text")
        assert os.read(reader, 10) == b"text"
    finally:
        os.close(reader)
    assert is_stream(path)
    assert not is_stream(str(tmp_path))
    assert not is_stream(str(tmp_path / "missing"))
