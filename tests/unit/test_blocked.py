"""What blocks the interpreter is named, with file and line."""

from __future__ import annotations

import logging
import os
import pdb
import re
import signal
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.monkey import get_original

from locust_c import blocked, main, stacks
from locust_c.blocked import BlockedWatch
from locust_c.stacks import Place, Stacks, place_of

blocking_sleep = get_original("time", "sleep")
BLOCKED_S = 0.02
NEVER_S = 3600.0
# Without an end of its own for a long time; the interpreter's lock is kept.
SLOW = "a" * 21


def line_of(text: str) -> int:
    return Path(__file__).read_text().partition(f"    {text}\n")[0].count("\n") + 1


def sleep_in_c() -> None:
    blocking_sleep(0.1)


def loop() -> None:
    for _ in range(2_000_000):
        pass


def keep_the_lock() -> None:
    re.match("(a|a)*b", SLOW)


def multiply() -> None:
    _ = 7**500_000 % 3


@pytest.fixture
def watch() -> Iterator[BlockedWatch]:
    subject = BlockedWatch(BLOCKED_S, NEVER_S)
    yield subject
    subject.stop()


def until(condition: Callable[[], object], block: Callable[[], object]) -> None:
    """Blocks until that is noticed: a busy machine may miss one."""
    with gevent.Timeout(20):
        while not condition():
            block()
            gevent.sleep(2 * BLOCKED_S)


@pytest.mark.parametrize(
    ("block", "line"),
    [
        (sleep_in_c, "blocking_sleep(0.1)"),
        (keep_the_lock, 're.match("(a|a)*b", SLOW)'),
        (multiply, "_ = 7**500_000 % 3"),
    ],
)
def test_the_line_is_named_in_the_log(
    watch: BlockedWatch, caplog: pytest.LogCaptureFixture, block: Callable[[], object], line: str
) -> None:
    expected = (
        f"{block.__name__}() at {__file__.removeprefix(f'{Path.cwd()}{os.sep}')}:{line_of(line)} ({line})"
    )
    watch.start()
    until(lambda: expected in caplog.text, block)
    record = next(record for record in caplog.records if expected in record.message)
    assert (record.name, record.levelno) == ("locust.runners", logging.WARNING)
    assert re.match(r"The interpreter was blocked for \d+\.\d s by ", record.message)


def test_a_loop_is_named(watch: BlockedWatch, caplog: pytest.LogCaptureFixture) -> None:
    watch.start()
    until(lambda: "by loop() at " in caplog.text, loop)


def test_a_place_is_told_once_and_then_counted(watch: BlockedWatch, caplog: pytest.LogCaptureFixture) -> None:
    watch.start()
    until(lambda: [count for count, _ in watch._totals.values() if count > 1], sleep_in_c)
    assert caplog.text.count("blocking_sleep(0.1)") == 1
    watch.stop()
    assert re.search(r"blocked \d+ times, for \d+\.\d s in all, by sleep_in_c\(\) at ", caplog.text)


def test_a_stack_that_comes_late_is_not_taken_for_the_next_block(
    watch: BlockedWatch, caplog: pytest.LogCaptureFixture
) -> None:
    watch.start()

    def block() -> None:
        sleep_in_c()
        os.kill(os.getpid(), watch._stacks.signal)

    until(lambda: "by sleep_in_c() at " in caplog.text, block)
    assert watch._stacks.take() == []


@pytest.mark.parametrize("block", [sleep_in_c, keep_the_lock])
def test_what_lasts_is_written_while_it_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: Callable[[], object]
) -> None:
    shown = tmp_path / "shown.txt"

    def is_told() -> bool:
        text = shown.read_text()
        return f"by {block.__name__}() at" in text or f"in {block.__name__}\n" in text

    def block_for_a_while() -> None:
        watch = BlockedWatch(BLOCKED_S, 2 * BLOCKED_S)
        watch.start()
        try:
            for _ in range(5):  # nothing else runs
                if not is_told():
                    block()
        finally:
            watch.stop()

    with shown.open("w") as file:
        monkeypatch.setattr(sys, "__stderr__", file)
        for _ in range(20):  # a busy machine may look too late to tell the place
            if not is_told():
                block_for_a_while()
    assert is_told()
    assert re.match(r"The interpreter has been blocked for \d+\.\d s by ", shown.read_text())


def test_nothing_is_said_while_a_debugger_watches(
    watch: BlockedWatch, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocked, "_is_traced", lambda: True)
    watch.start()
    for _ in range(3):
        gevent.sleep(BLOCKED_S)
        sleep_in_c()
    watch.stop()
    assert caplog.text == ""


def test_a_thread_that_is_traced_is_noticed() -> None:
    before = sys.gettrace()
    sys.settrace(lambda *_: None)
    traced = blocked._is_traced()
    sys.settrace(before)
    assert traced


class Prompt(StringIO):
    """Where pdb reads its commands from: it looks at the stack while the user thinks."""

    def __init__(self, stack: Callable[[], Any]) -> None:
        super().__init__()
        self.stack = stack
        self.seen: list[Any] = []

    def readline(self, *_: object) -> str:
        self.seen.append(self.stack())
        return "continue\n"


def test_the_prompt_of_a_debugger_is_nobodys_place() -> None:
    prompt = Prompt(lambda: place_of(blocked._frames(sys._getframe())))
    before = sys.gettrace()
    pdb.Pdb(stdin=prompt, stdout=StringIO(), nosigint=True).set_trace()
    sys.settrace(before)
    assert prompt.seen == [None]
    assert place_of(blocked._frames(sys._getframe())) is not None


LIBRARY = os.path.dirname(os.__file__)


@pytest.mark.parametrize(
    ("paths", "named"),
    [
        (["/w/helper.py", "/w/locustfile.py"], 0),
        ([f"{LIBRARY}/re.py", "/w/locustfile.py", blocked.__file__], 1),
        ([f"{LIBRARY}/site-packages/db.py", f"{LIBRARY}/ssl.py", "/w/.venv/locustfile.py"], 2),
        ([f"{LIBRARY}/socket.py", f"{LIBRARY}/site-packages/db.py"], 1),
        ([f"{LIBRARY}/socket.py", blocked.__file__], 0),
        (["<frozen importlib>", "<string>", "/w/locustfile.py"], 2),
        ([blocked.__file__], None),
        ([blocked.__file__, main.__file__, "/w/.venv/bin/locust-c"], None),
        (["/w/locustfile.py", blocked.__file__, main.__file__, "/w/.venv/bin/locust-c"], 0),
        ([blocked.__file__, "/w/program.py"], 1),
        (["/w/locustfile.py", f"{LIBRARY}/site-packages/debugpy/server.py"], None),
        (["/opt/pycharm/helpers/pydev/_pydevd_bundle/pydevd_frame.py", "/w/locustfile.py"], None),
        ([], None),
    ],
)
def test_the_users_line_is_preferred(paths: list[str], named: int | None) -> None:
    stack = [Place(path, line, "f") for line, path in enumerate(paths, 1)]
    assert place_of(stack) == (None if named is None else stack[named])


def test_a_stack_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "lücke.py"
    path.write_text("import os, signal\n\ndef hier(number):\n    os.kill(os.getpid(), number)\n")
    names: dict[str, Any] = {}
    exec(compile(path.read_text(), str(path), "exec"), names)
    subject = Stacks()
    names["hier"](subject.signal)
    number, stack = subject.signal, subject.take()
    assert (stack[0], stack[0].function) == (Place(str(path), 4, "hier"), "hier")
    assert subject.take() == []
    subject.close()
    assert signal.getsignal(number) == signal.SIG_DFL
    subject.close()


def test_without_a_signal_stacks_are_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(stacks.os, "memfd_create")
    subject = Stacks()
    assert (subject.signal, subject.take()) == (0, [])
    subject.close()


def test_without_a_file_stacks_are_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> int:
        raise OSError(f"no {name}")

    monkeypatch.setattr(stacks.os, "memfd_create", fail)
    assert (Stacks().signal, Stacks().take()) == (0, [])


def test_without_a_thread_nothing_is_watched(
    watch: BlockedWatch, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no thread")

    monkeypatch.setattr(blocked._core, "Watchdog", fail)
    watch.start()
    assert "Code that blocks the interpreter will not be named: no thread" in caplog.text
    assert watch._stacks.signal == 0


def test_stopping_what_was_not_started_is_fine() -> None:
    BlockedWatch().stop()
