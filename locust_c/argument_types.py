"""Types of arguments on the command line: they turn its text into a value, or say what is wrong with it."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

from .util.timespan import parse_timespan
from .util.user_settings import read_user_settings


def timespan(text: str) -> int:
    """Argument type: a time span such as ``90``, ``20m`` or ``1h30m``, in seconds."""
    try:
        return parse_timespan(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def positive_integer(text: str) -> int:
    """Argument type: a whole number of at least 1."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid int value: '{text}'") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be an integer >= 1, not {value}")
    return value


def not_negative(text: str) -> int:
    """Argument type: a whole number of at least 0."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid int value: '{text}'") from None
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be >= 0, not {value}")
    return value


def port_number(text: str) -> int:
    """Argument type: a TCP port, 0 to 65535 (0: the system picks a free one)."""
    value = not_negative(text)
    if value > 65535:
        raise argparse.ArgumentTypeError(f"must be between 0 and 65535, not {value}")
    return value


def exit_code_number(text: str) -> int:
    """Argument type: an exit code; a larger one would lose its upper bits, and 256 mean success."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid int value: '{text}'") from None
    if abs(value) > 255:
        raise argparse.ArgumentTypeError(f"must be between 0 and 255, not {value}")
    return value


def gt_zero(value_type: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return the argument type of finite numbers above zero, converted with ``value_type``."""

    def convert(text: str) -> Any:
        try:
            value = value_type(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"invalid {value_type.__name__} value: '{text}'") from None
        if not math.isfinite(value):
            raise argparse.ArgumentTypeError("must be a finite number")
        if value <= 0:
            raise argparse.ArgumentTypeError("must be > 0")
        return value

    return convert


def json_user_config(text: str) -> list[dict[str, Any]]:
    """Argument type: settings of user classes, as JSON or as the name of a file with JSON in it."""
    try:
        return read_user_settings(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def base_path(text: str) -> str:
    """Argument type: the path under which the web page lives, without a slash at its end."""
    return text.rstrip("/")
