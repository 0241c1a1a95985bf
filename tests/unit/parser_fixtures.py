"""Parsing in surroundings that only the test decides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import locust_c
from locust_c import argument_parser, options
from locust_c.event import Events

__all__ = ["clean_surroundings", "parse", "refusal"]


@pytest.fixture(autouse=True)
def clean_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No configuration file, no variable and no listener but those of the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for group in options.GROUPS:
        for option in group.options:
            if option.env_var is not None:
                monkeypatch.delenv(option.env_var, raising=False)
    for variable in ("LOCUST_USER_CLASSES", "LOCUST_ITERATIONS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(locust_c, "events", Events())
    yield


def parse(*args: str) -> Any:
    return argument_parser.get_parser().parse_args(args=list(args))


def refusal(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    with pytest.raises(SystemExit) as end:
        parse(*args)
    assert end.value.code == 2
    return capsys.readouterr().err
