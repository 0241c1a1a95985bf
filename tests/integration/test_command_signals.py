"""Ctrl-C and SIGTERM at every stage of the command."""

from __future__ import annotations

import os
import pty
import signal
import time
from pathlib import Path

import pytest
from command_process import QUIET, REQUESTS, command, write

SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
NOTE = {signal.SIGINT: "Exiting due to CTRL+C interruption", signal.SIGTERM: "Got SIGTERM signal"}
ENDED = ["event test_stopping ", "on_stop", "event test_stop ", "event quit 0"]


def in_order(lines: list[str], text: str) -> bool:
    rest = iter(text.splitlines())
    return all(line in rest for line in lines)


SLOW_IMPORT = """
import sys, time

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "configargparse":
            print("importing")
            time.sleep(60)

sys.meta_path.insert(0, Slow())
"""


@SIGNALS
def test_while_our_own_modules_are_imported(tmp_path: Path, number: signal.Signals) -> None:
    write(tmp_path, SLOW_IMPORT, "sitecustomize.py")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    with command("--headless", folder=tmp_path, env={"PYTHONPATH": path}) as subject:
        subject.wait_for("importing")
        subject.send(number)
        assert subject.wait() == -number
        assert subject.err == ""


@SIGNALS
def test_while_the_locustfile_is_imported(tmp_path: Path, number: signal.Signals) -> None:
    write(tmp_path, "import time\nprint('importing')\ntime.sleep(60)\n")
    with command("--headless", folder=tmp_path) as subject:
        subject.wait_for("importing")
        subject.send(number)
        assert subject.wait() == 128 + number
        assert subject.err == "Interrupted before there was a test.\n"


@SIGNALS
def test_while_users_are_being_started(tmp_path: Path, number: signal.Signals) -> None:
    write(tmp_path, QUIET)
    with command("--headless", "-u", "1000", "-r", "2", "--only-summary", folder=tmp_path) as subject:
        subject.wait_for("Ramping to 1000 users")
        subject.send(number)
        assert subject.wait() == 0
        assert NOTE[number] in subject.err
        assert "All users spawned" not in subject.err
        assert "Aggregated" in subject.err
        assert in_order(ENDED, subject.out)
        assert "event quitting" in subject.out


@SIGNALS
def test_while_the_test_runs(tmp_path: Path, refused_url: str, number: signal.Signals) -> None:
    write(tmp_path, REQUESTS)
    args = ("--headless", "--only-summary", "-H", refused_url)
    with command(*args, folder=tmp_path) as subject:
        subject.wait_for("All users spawned")
        time.sleep(0.05)
        start = time.monotonic()
        subject.send(number)
        assert subject.wait() == 1
        assert time.monotonic() - start < 3
        assert "Shutting down (exit code 1)" in subject.err
        assert "Error report" in subject.err
        assert "Traceback" not in subject.err


@SIGNALS
def test_while_the_page_waits_for_a_start(tmp_path: Path, number: signal.Signals) -> None:
    write(tmp_path, QUIET)
    with command("-P", "0", "--web-host", "127.0.0.1", folder=tmp_path) as subject:
        assert subject.port > 0
        subject.wait_for("event init")
        subject.send(number)
        assert subject.wait() == 0
        assert in_order(["event init ", "event quitting ", "event quit 0"], subject.out)
        assert "Aggregated" in subject.err


@pytest.mark.parametrize("event", ["init", "test_start"])
def test_while_a_listener_holds_up_the_start(tmp_path: Path, event: str) -> None:
    slow = f"""
import time
@events.{event}.add_listener
def slow(**kwargs):
    print("slow")
    time.sleep(60)
"""
    write(tmp_path, QUIET + slow)
    with command("--headless", "--only-summary", folder=tmp_path) as subject:
        subject.wait_for("slow")
        subject.send(signal.SIGINT)
        assert subject.wait() == 0
        assert in_order(["event quitting ", "event quit 0"], subject.out)
        assert "Aggregated" in subject.err
        assert "Traceback" not in subject.err


def test_while_a_load_shape_runs(tmp_path: Path) -> None:
    shape = "from locust import LoadTestShape\nclass S(LoadTestShape):\n    def tick(self): return 1, 1\n"
    write(tmp_path, QUIET + shape)
    with command("--headless", "--only-summary", folder=tmp_path) as subject:
        subject.wait_for("All users spawned")
        subject.send(signal.SIGTERM)
        assert subject.wait() == 0
        assert in_order(ENDED, subject.out)
        assert "Aggregated" in subject.err


SLOW_STOP = QUIET.replace('print("on_stop")', 'print("on_stop"); time.sleep(60)').replace(
    "from locust", "import time\nfrom locust", 1
)


def test_a_first_ctrl_c_while_the_test_ends_by_itself_is_only_noted(tmp_path: Path) -> None:
    write(tmp_path, SLOW_STOP.replace("time.sleep(60)", "time.sleep(1)"))
    with command("--headless", "--only-summary", "-t", "1", folder=tmp_path) as subject:
        subject.wait_for("on_stop")
        subject.send(signal.SIGINT)
        assert subject.wait() == 0
        assert in_order(ENDED, subject.out)


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    write(tmp_path, SLOW_STOP)
    with command("--headless", "--only-summary", folder=tmp_path) as subject:
        subject.wait_for("All users spawned")
        subject.send(signal.SIGINT)
        subject.wait_for("on_stop")
        start = time.monotonic()
        subject.send(signal.SIGINT)
        assert subject.wait() == 130
        assert time.monotonic() - start < 2
        assert subject.err.endswith("Ctrl-C again: ended at once, without the last statistics and reports.\n")


def test_a_second_ctrl_c_ends_a_task_that_never_yields(tmp_path: Path) -> None:
    busy = QUIET.replace("        pass\n", '        print("busy")\n        while True: pass\n', 1)
    write(tmp_path, busy)
    with command("--headless", "--only-summary", folder=tmp_path) as subject:
        subject.wait_for("busy")
        subject.send(signal.SIGINT)
        time.sleep(0.05)
        subject.send(signal.SIGINT)
        assert subject.wait() == 130


def test_running_tasks_get_their_time_to_finish(tmp_path: Path) -> None:
    slow = QUIET.replace(
        "        pass\n", '        print("begin")\n        time.sleep(1)\n        print("done")\n', 1
    )
    write(tmp_path, slow.replace("from locust", "import time\nfrom locust", 1))
    with command("--headless", "--only-summary", "-s", "10", folder=tmp_path) as subject:
        subject.wait_for("begin")
        subject.send(signal.SIGTERM)
        assert subject.wait() == 0
        assert in_order(["begin", "done", "on_stop", "event quit 0"], subject.out)
        assert "Waiting up to 10 s for running tasks (--stop-timeout); Ctrl-C ends at once" in subject.err


def test_keys_change_the_number_of_users_and_the_terminal_is_put_back(tmp_path: Path) -> None:
    write(
        tmp_path,
        QUIET + "import os\n@events.init.add_listener\ndef _(**k): os.tcgetpgrp = lambda fd: os.getpgrp()\n",
    )
    ours, theirs = pty.openpty()
    try:
        with command("--headless", "--only-summary", folder=tmp_path, stdin=theirs) as subject:
            subject.wait_for('{"Quiet": 1} (1 total users)')
            os.write(ours, b"W")
            subject.wait_for('{"Quiet": 11} (11 total users)')
            os.write(ours, b"s")
            subject.wait_for('{"Quiet": 10} (10 total users)')
            subject.send(signal.SIGINT)
            assert subject.wait() == 0
    finally:
        os.close(ours)
        os.close(theirs)


@SIGNALS
def test_a_signal_while_the_interpreter_ends_changes_nothing(tmp_path: Path, number: signal.Signals) -> None:
    last = (
        f"import os\nclass Last:\n    def __del__(self): os.kill(os.getpid(), {int(number)})\nkeep = Last()\n"
    )
    write(tmp_path, QUIET + last)
    with command("--headless", "--only-summary", "-i", "1", folder=tmp_path) as subject:
        assert subject.wait() == 0
