"""A clock that statistics tests set by hand."""

from __future__ import annotations

import pytest


class Clock:
    """Epoch seconds that `time.time` returns as long as the test runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, now: float) -> None:
        self.now = now
        monkeypatch.setattr("time.time", lambda: self.now)
