"""Whose Ctrl-C is changed while the package is imported: our commands' only."""

from __future__ import annotations

import signal
import sys

import pytest

from locust_c.early_signals import end_quietly_on_ctrl_c


@pytest.mark.parametrize(
    ("argv", "orig_argv", "ours"),
    [
        (["/env/bin/locust", "-u", "1"], ["python", "/env/bin/locust"], True),
        (["/env/bin/locust-c"], ["python", "/env/bin/locust-c"], True),
        (["-m", "-u", "1"], ["python", "-m", "locust_c", "-u", "1"], True),
        (["-m"], ["python", "-X", "dev", "-m", "locust.main"], True),
        (["-m"], ["python", "-m", "mytool"], False),
        (["script.py", "-m"], ["python", "script.py", "-m"], False),
        (["-c"], ["python", "-c", "import locust"], False),
        ([""], ["python"], False),
        ([], [], False),
    ],
)
def test_only_our_commands_end_quietly(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], orig_argv: list[str], ours: bool
) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        monkeypatch.setattr(sys, "argv", argv)
        monkeypatch.setattr(sys, "orig_argv", orig_argv)
        end_quietly_on_ctrl_c()
        after = signal.getsignal(signal.SIGINT)
        assert after == (signal.SIG_DFL if ours else signal.default_int_handler)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_signal_that_is_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        monkeypatch.setattr(sys, "argv", ["locust"])
        end_quietly_on_ctrl_c()
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
