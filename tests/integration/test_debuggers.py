"""pdb, debugpy and coverage in tasks, which run in greenlets that C switches."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import coverage
from command_process import write
from dap import PATIENCE_S, Debugger
from servers.control import Echo

LOCUSTFILE = """
from locust import FastHttpUser, HttpUser, task

finished = set()


def length_of(answer):
    text = answer.text
    return len(text)


def finish(user):
    finished.add(type(user))
    if len(finished) == 2:
        user.environment.runner.quit()


class Fast(FastHttpUser):
    visits = 0

    @task
    def visit(self):
        answer = self.client.get("/anything")
        assert length_of(answer) > 2
        self.visits += 1
        self.wait()
        if self.visits == 3:
            finish(self)


class Plain(HttpUser):
    @task
    def page(self):
        with self.client.get("/redirect/1", catch_response=True) as answer:
            size = length_of(answer)
            if size == 0:
                answer.failure("never")
        finish(self)
"""
COMMAND = ["-m", "locust_c", "-f", "locustfile.py", "--headless", "--only-summary", "-u", "2", "-r", "2"]


def line_of(text: str) -> int:
    return LOCUSTFILE[: LOCUSTFILE.index(text)].count("\n") + 1


@contextmanager
def running(folder: Path, *args: str, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """Python in a process of its own, which is gone afterwards."""
    with subprocess.Popen(
        [sys.executable, *args],
        cwd=folder,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_coverage_sees_all_of_a_task(echo: Echo, tmp_path: Path) -> None:
    write(tmp_path, LOCUSTFILE)
    # Without being told of gevent coverage mixes up greenlets, also with stock Locust.
    measure = ["-m", "coverage", "run", "--concurrency=gevent", "--data-file=data"]
    with running(tmp_path, *measure, *COMMAND, "--host", echo.url) as process:
        shown, _ = process.communicate(timeout=30)
    assert process.returncode == 0, shown
    data = coverage.CoverageData(str(tmp_path / "data"))
    data.read()
    seen = set(data.lines(str(tmp_path / "locustfile.py")) or ())
    expected = [number for number, line in enumerate(LOCUSTFILE.splitlines(), 1) if line.strip()]
    assert [number for number in expected if number not in seen] == [line_of('answer.failure("never")')]


LISTENING = f"""
import sys
import debugpy
print(debugpy.listen(("127.0.0.1", 0))[1], flush=True)
debugpy.wait_for_client()
sys.argv = ["locust-c", *{COMMAND[2:]}, "--host", sys.argv[1]]
from locust_c.main import main
main()
"""
# What editors set when they are told that the program uses gevent.
GEVENT = {"GEVENT_SUPPORT": "True", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


def test_debugpy_stops_in_a_task_and_goes_on(echo: Echo, tmp_path: Path) -> None:
    write(tmp_path, LOCUSTFILE)
    path = str(tmp_path / "locustfile.py")
    with running(tmp_path, "-c", LISTENING, echo.url, env=GEVENT) as process:
        assert process.stdout is not None
        with Debugger(int(process.stdout.readline())) as debugger:
            debugger.ask("initialize", adapterID="tests", pathFormat="path", linesStartAt1=True)
            debugger.send("attach", justMyCode=True)
            debugger.event("initialized")
            debugger.break_at(path, line_of("return len(text)"))
            debugger.ask("configurationDone")
            thread, frames = debugger.stopped()
            assert [frame["name"] for frame in frames[:2]] in (["length_of", "visit"], ["length_of", "page"])
            status = debugger.ask("evaluate", expression="answer.status_code", frameId=frames[0]["id"])
            assert status["result"] == "200"
            debugger.break_at(path, line_of("self.visits += 1"))
            debugger.ask("continue", threadId=thread)
            thread, frames = debugger.stopped()
            assert (frames[0]["name"], frames[0]["line"]) == ("visit", line_of("self.visits += 1"))
            # Over a line in which the greenlet waits and others run.
            debugger.break_at(path)
            for line in ("self.wait()", "if self.visits == 3"):
                debugger.ask("next", threadId=thread)
                thread, frames = debugger.stopped()
                assert (frames[0]["name"], frames[0]["line"]) == ("visit", line_of(line))
            debugger.ask("continue", threadId=thread)
            debugger.event("terminated")
        shown, _ = process.communicate(timeout=30)
    assert process.returncode == 0, shown


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, folder: Path, *args: str) -> None:
        self._file, theirs = pty.openpty()
        self.shown = ""
        try:
            self.process = subprocess.Popen(
                [sys.executable, *args],
                cwd=folder,
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                start_new_session=True,
            )
        finally:
            os.close(theirs)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._file)

    def until(self, pattern: str) -> str:
        """Waits until the pattern is shown; what was shown up to that."""
        while (found := re.search(pattern, self.shown)) is None:
            ready, _, _ = select.select([self._file], [], [], PATIENCE_S)
            assert ready, f"no {pattern!r} in {self.shown!r}"
            self.shown += os.read(self._file, 65536).decode()
        before, self.shown = self.shown[: found.end()], self.shown[found.end() :]
        return before

    def answer(self, text: str) -> str:
        """Types a line at the debugger's prompt; what it shows."""
        self.until(r"\(Pdb\) $")
        os.write(self._file, text.encode() + b"\n")
        return self.until(r"(?=\(Pdb\) $|Shutting down)")


PAUSING = """
from locust import FastHttpUser, run_single_user, task


class Visitor(FastHttpUser):
    host = "HOST"

    @task
    def visit(self):
        answer = self.client.get("/status/201")
        breakpoint()
        later = self.client.get("/status/404")
        self.environment.runner.quit()


if __name__ == "__main__":
    run_single_user(Visitor)
"""


def test_pdb_in_a_task_of_a_test_in_a_terminal(echo: Echo, tmp_path: Path) -> None:
    write(tmp_path, PAUSING.replace("HOST", echo.url))
    with Terminal(tmp_path, *COMMAND[:-4], "-u", "1") as terminal:
        assert "201" in terminal.answer("p answer.status_code")
        assert "later = self.client.get" in terminal.answer("l 12, 12")
        # The request of the next line is made while the debugger watches.
        assert "self.environment.runner.quit()" in terminal.answer("n")
        assert "404" in terminal.answer("p later.status_code")
        terminal.answer("c")
        assert terminal.process.wait(timeout=PATIENCE_S) == 1  # one request failed


def test_pdb_with_a_single_user(echo: Echo, tmp_path: Path) -> None:
    write(tmp_path, PAUSING.replace("HOST", echo.url), "single.py")
    with Terminal(tmp_path, "single.py") as terminal:
        assert "201" in terminal.answer("p answer.status_code")
        assert "single.py(12)visit()" in terminal.answer("w")
        assert "self.client.get" in terminal.answer("l 12, 12")
