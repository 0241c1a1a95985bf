"""Which exit code a test ends with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from locust_c import log
from locust_c.command.exit_code import exit_code


def environment(code: int | None = None, errors: bool = False, exceptions: bool = False) -> Any:
    runner = SimpleNamespace(errors={"k": 1} if errors else {}, exceptions={1: {}} if exceptions else {})
    return SimpleNamespace(process_exit_code=code, runner=runner)


@pytest.mark.parametrize(
    ("subject", "listener_failed", "code"),
    [
        (environment(), False, 0),
        (environment(errors=True), False, 7),
        (environment(exceptions=True), False, 7),
        (environment(), True, 2),
        (environment(errors=True), True, 7),
        (environment(code=0, errors=True), True, 0),
        (environment(code=3), False, 3),
    ],
)
def test_the_users_word_goes_first_then_failures_then_our_own(
    monkeypatch: pytest.MonkeyPatch, subject: Any, listener_failed: bool, code: int
) -> None:
    monkeypatch.setattr(log, "unhandled_greenlet_exception", listener_failed)
    assert exit_code(subject, code_on_error=7) == code


def test_without_a_runner_nothing_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "unhandled_greenlet_exception", False)
    assert exit_code(SimpleNamespace(process_exit_code=None, runner=None), code_on_error=1) == 0  # type: ignore[arg-type]
