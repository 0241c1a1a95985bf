"""Keys pressed in the terminal of a running test."""

from __future__ import annotations

import os
import pty
import termios
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import gevent
import pytest

from locust_c import input_events
from locust_c.input_events import Keyboard, input_listener


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The other end of a terminal that is stdin of this process and that it owns."""
    ours, theirs = pty.openpty()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(fileno=lambda: theirs))
    monkeypatch.setattr(os, "tcgetpgrp", lambda fd: os.getpgrp())
    monkeypatch.setattr(input_events, "POLL_INTERVAL_S", 0.001)
    yield ours
    os.close(ours)
    os.close(theirs)


def until(condition: Callable[[], bool]) -> None:
    with gevent.Timeout(5):
        while not condition():
            gevent.sleep(0.001)


def test_each_key_calls_its_function_and_others_are_ignored(terminal: int) -> None:
    pressed: list[str] = []
    keys = {key: lambda key=key: pressed.append(key) for key in ("w", "S", "\r")}
    listening = gevent.spawn(input_listener(keys))
    os.write(terminal, b"wxS\n")
    until(lambda: len(pressed) == 3)
    assert pressed == ["w", "S", "\r"]
    listening.kill()


def test_the_terminal_is_put_back(terminal: int) -> None:
    import sys

    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    keyboard = Keyboard()
    assert keyboard.open() is True
    assert termios.tcgetattr(fd)[3] & termios.ICANON == 0
    assert termios.tcgetattr(fd)[3] & termios.ISIG != 0
    keyboard.close()
    assert termios.tcgetattr(fd) == before
    keyboard.close()


def test_a_background_process_leaves_the_terminal_alone(
    terminal: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "tcgetpgrp", lambda fd: os.getpgrp() + 1)
    assert Keyboard().open() is False


def test_without_a_terminal_nothing_is_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(fileno=lambda: read))
    try:
        greenlet = gevent.spawn(input_listener({}))
        greenlet.join(timeout=5)
        assert greenlet.successful()
    finally:
        os.close(read)
        os.close(write)


def test_a_closed_stdin_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert Keyboard().open() is False
