"""The command in a process of its own, started, watched and ended by tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE_S = 30
POLL_S = 0.01


def _heed_ctrl_c() -> None:
    """As in a terminal: a shell has its background jobs ignore Ctrl-C, and their children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Command:
    """One run of ``python -m locust_c``; what it writes is read from files, so that it never waits for us.

    ``python`` is the interpreter, of another environment maybe.
    """

    def __init__(
        self,
        *args: str,
        folder: Path,
        env: dict[str, str] | None = None,
        stdin: Any = None,
        python: str | Path = sys.executable,
    ) -> None:
        self.folder = folder
        # The test server is reached directly, whatever the machine's settings say.
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("LOCUST_", "SSL_"))}
        environment |= {"PYTHONUNBUFFERED": "1", "HOME": str(folder), **(env or {})}
        with (folder / "out.txt").open("wb") as out, (folder / "err.txt").open("wb") as err:
            self.process = subprocess.Popen(
                [python, "-m", "locust_c", *args],
                cwd=folder,
                env=environment,
                stdin=stdin if stdin is not None else subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=_heed_ctrl_c,
            )

    @property
    def out(self) -> str:
        """What was written to stdout."""
        return (self.folder / "out.txt").read_text()

    @property
    def err(self) -> str:
        """What was written to stderr."""
        return (self.folder / "err.txt").read_text()

    def wait_for(self, text: str) -> None:
        """Wait until ``text`` was written to stdout or stderr."""
        self.wait_until(lambda: text in self.out or text in self.err, f"no {text!r}")

    def wait(self) -> int:
        """Wait for the end; the exit code."""
        self.wait_until(lambda: self.process.poll() is not None, "no end", may_end=True)
        return int(self.process.returncode)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self.process.send_signal(number)

    @property
    def address(self) -> str:
        """The address of the web page."""
        self.wait_for("press enter to open your default browser.")
        return self.err.partition("Starting web interface at ")[2].partition(",")[0]

    @property
    def port(self) -> int:
        """The port of the web page."""
        return int(self.address.rpartition(":")[2].partition("/")[0])

    def wait_until(self, condition: Callable[[], bool], what: str, may_end: bool = False) -> None:
        """Wait until ``condition`` holds; the test fails with ``what`` if it takes too long."""
        end = time.monotonic() + PATIENCE_S
        while not condition():
            ended = not may_end and self.process.poll() is not None
            if (ended and not condition()) or time.monotonic() > end:
                raise AssertionError(f"{what} from the command; stdout:\n{self.out}\nstderr:\n{self.err}")
            time.sleep(POLL_S)


@contextmanager
def command(
    *args: str,
    folder: Path,
    env: dict[str, str] | None = None,
    stdin: Any = None,
    python: str | Path = sys.executable,
) -> Iterator[Command]:
    """Start the command; it is gone afterwards, whatever happened."""
    subject = Command(*args, folder=folder, env=env, stdin=stdin, python=python)
    try:
        yield subject
    finally:
        if subject.process.poll() is None:
            subject.process.kill()
        subject.process.wait()


def run(*args: str, folder: Path, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Run the command to its end: exit code, stdout, stderr."""
    with command(*args, folder=folder, env=env) as subject:
        code = subject.wait()
        return code, subject.out, subject.err


def write(folder: Path, text: str, name: str = "locustfile.py") -> None:
    """Write a locustfile."""
    (folder / name).write_text(text)


#: Says what happens, requests nothing.
QUIET = """
from locust import User, constant, events, task

class Quiet(User):
    wait_time = constant(0.05)

    @task
    def nothing(self):
        pass

    def on_stop(self):
        print("on_stop")

def say(name):
    @getattr(events, name).add_listener
    def listener(**kwargs):
        print("event", name, kwargs.get("exit_code", ""))

for name in ("init", "test_start", "test_stopping", "test_stop", "quitting", "quit"):
    say(name)
"""

#: Requests two pages.
REQUESTS = """
from locust import HttpUser, constant, task

class Visitor(HttpUser):
    wait_time = constant(0.05)

    @task
    def look(self):
        self.client.get("/")
"""
