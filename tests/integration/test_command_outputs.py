"""What a test leaves behind: CSV files, JSON and the log, also after a crash and on a full disk."""

from __future__ import annotations

import csv
import json
import re
import signal
from pathlib import Path

from command_process import command, run, write

#: Counts ten requests, one of which fails if FAIL is set; ends the test unless STAY is set.
COUNTING = """
import os
from locust import User, constant, task

class Counting(User):
    wait_time = constant(1000)

    @task
    def count(self):
        for number in range(10):
            failed = ValueError("a, b") if number == 9 and os.environ.get("FAIL") else None
            self.environment.events.request.fire(
                request_type="GET", name="/", response_time=number + 0.5, response_length=1, exception=failed
            )
        print("counted")
        if not os.environ.get("STAY"):
            self.environment.runner.quit()
"""


def rows(folder: Path, name: str) -> list[list[str]]:
    with (folder / f"p_{name}.csv").open(newline="") as file:
        return list(csv.reader(file))


def test_all_outputs_of_one_run_are_complete(tmp_path: Path) -> None:
    write(tmp_path, COUNTING)
    args = ("--headless", "--only-summary", "--csv", "made/csv/p", "--json", "--json-file", "made/json/x")
    code, out, err = run(*args, folder=tmp_path, env={"FAIL": "1"})
    assert code == 1
    (entry,) = json.loads((tmp_path / "made" / "json" / "x.json").read_text())
    assert [entry[key] for key in ("name", "num_requests", "num_failures")] == ["/", 10, 1]
    assert json.loads(out.removeprefix("counted\n")) == [entry]
    assert re.search(r"^GET      /  +10 +1\(10\.00%\) \|", err.partition("Shutting down")[2], re.MULTILINE)
    folder = tmp_path / "made" / "csv"
    assert sorted(path.name for path in folder.iterdir()) == [
        f"p_{name}.csv" for name in ("exceptions", "failures", "stats", "stats_history")
    ]
    assert [row[:4] for row in rows(folder, "stats")[1:]] == [
        ["GET", "/", "10", "1"],
        ["", "Aggregated", "10", "1"],
    ]
    assert [row[2] for row in rows(folder, "failures")] == ["Error", "ValueError('a, b')"]
    history = rows(folder, "stats_history")
    total = history[0].index("Total Request Count")
    assert (history[-1][3], history[-1][total]) == ("Aggregated", "10")


def test_what_cannot_be_written_costs_a_line_each_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, COUNTING)
    (tmp_path / "x.json").mkdir()
    for name in ("p_stats.csv", "full.log"):
        (tmp_path / name).symlink_to("/dev/full")
    args = ("--headless", "--csv", "p", "--json", "--json-file", "x", "--logfile", "full.log")
    code, out, err = run(*args, folder=tmp_path)
    assert code == 0
    assert re.findall(r"/ERROR/(.*)", err) == [
        "locust.main: --logfile: cannot write to 'full.log': No space left on device; the log goes to stderr",
        "locust.stats: --csv: cannot write to 'p_stats.csv': No space left on device",
        "locust.main: --json-file: cannot write to 'x.json': Is a directory",
    ]
    assert "Shutting down (exit code 0)" in err
    assert "Traceback" not in err
    assert json.loads(out.removeprefix("counted\n"))[0]["num_requests"] == 10
    assert rows(tmp_path, "stats_history")[-1][3] == "Aggregated"


def test_the_json_file_stands_for_the_final_tables(tmp_path: Path) -> None:
    write(tmp_path, COUNTING)
    code, _, err = run("--headless", "--only-summary", "--json-file", "x", folder=tmp_path)
    assert code == 0
    assert (tmp_path / "x.json").exists()
    assert "Aggregated" not in err


def test_folders_that_cannot_be_made_cost_a_line_each(tmp_path: Path) -> None:
    write(tmp_path, COUNTING)
    (tmp_path / "file").touch()
    args = ("--headless", "--only-summary", "--csv", "file/p", "--json-file", "file/x", "--logfile", "file/y")
    code, _, err = run(*args, folder=tmp_path)
    assert code == 0
    assert [line.partition(": ")[0] for line in re.findall(r"/ERROR/locust\.main: (.*)", err)] == [
        "--logfile",
        "--csv",
        "--json-file",
    ]
    # The JSON file would stand for the final tables: they are all that is left.
    assert err.count("Aggregated") == 2


def test_a_crash_leaves_the_statistics_up_to_the_last_second(tmp_path: Path) -> None:
    write(tmp_path, COUNTING)
    args = ("--headless", "--csv", "p", "--json-file", "x")
    with command(*args, folder=tmp_path, env={"STAY": "1"}) as subject:
        subject.wait_for("counted")
        subject.wait_until(lambda: (tmp_path / "p_stats.csv").read_text().count(",10,0,") == 2, "no rows")
        subject.wait_until((tmp_path / "x.json").exists, "no JSON")
        subject.wait_until(
            lambda: '"num_requests": 10' in (tmp_path / "x.json").read_text(), "no requests in the JSON"
        )
        subject.send(signal.SIGKILL)
        assert subject.wait() == -signal.SIGKILL
    assert [row[2] for row in rows(tmp_path, "stats")[1:]] == ["10", "10"]
    assert json.loads((tmp_path / "x.json").read_text())[0]["num_requests"] == 10
    assert {len(row) for row in rows(tmp_path, "stats_history")} == {24}


def test_the_full_history_needs_the_files(tmp_path: Path) -> None:
    write(tmp_path, COUNTING)
    code, out, err = run("--headless", "--csv-full-history", folder=tmp_path)
    assert (code, out, err) == (2, "", "locust: error: '--csv-full-history' requires '--csv'.\n")
