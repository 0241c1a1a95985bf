"""A crash in C in the middle of a test says where it was."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from command_process import run, write

CRASHING = """
import ctypes
import os
from locust import User, task

class Crashing(User):
    @task
    def crash(self):
        CRASH
"""
COMMAND = ["-f", "locustfile.py", "--headless", "--only-summary"]


@pytest.mark.parametrize(
    ("crash", "expected"), [("ctypes.string_at(0)", signal.SIGSEGV), ("os.abort()", signal.SIGABRT)]
)
def test_a_crash_leaves_the_stack(tmp_path: Path, crash: str, expected: signal.Signals) -> None:
    write(tmp_path, CRASHING.replace("CRASH", crash))
    code, _, err = run(*COMMAND, "--logfile", "run.log", folder=tmp_path)
    assert code == -expected
    assert err.startswith("Fatal Python error: ")
    line = CRASHING[: CRASHING.index("CRASH")].count("\n") + 1
    assert f'locustfile.py", line {line} in crash\n' in err


def test_stacks_go_where_the_user_wants_them(tmp_path: Path) -> None:
    elsewhere = "import faulthandler\nfaulthandler.enable(open('stacks.txt', 'w'))\n"
    write(tmp_path, elsewhere + CRASHING.replace("CRASH", "os.abort()"))
    code, _, err = run(*COMMAND, folder=tmp_path)
    assert code == -signal.SIGABRT
    assert "Fatal Python error" not in err
    assert "in crash\n" in (tmp_path / "stacks.txt").read_text()
