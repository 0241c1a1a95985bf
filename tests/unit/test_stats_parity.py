"""The same samples give the figures, dicts, JSON and CSV of stock Locust, to the last digit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from stats_clock import Clock
from stats_sequence import account

from locust_c import stats as stats_module
from locust_c.env import Environment
from locust_c.exception import CatchResponseError

EXPECTED = Path(__file__).with_name("expected")


@pytest.mark.parametrize("kind", ["whole", "fractions"])
def test_the_account_is_that_of_stock_locust(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats_module, "STATS_NAME_WIDTH", 80)
    clock = Clock(monkeypatch, 1000.25)
    environment = Environment()
    runner = environment.create_local_runner()
    runner.log_exception("local", "lost", "a\nb")

    def set_clock(now: float) -> None:
        clock.now = now

    try:
        text = account(stats_module, environment, set_clock, kind == "whole", CatchResponseError)
    finally:
        runner.quit()
    expected = (EXPECTED / f"stats_numbers_{kind}.txt").read_text()
    # In tables a line end in a name is shown, in two characters, where stock's breaks the row.
    expected = re.sub(r'x,"y"\n ( +)', r'x,"y"\\n\1', expected)
    assert text.splitlines() == expected.splitlines()
