"""Types of arguments on the command line: they turn its text into a value, or say what is wrong with it."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from .util.timespan import parse_timespan
from .util.user_settings import read_user_settings


def timespan(text: str) -> int:
    """Argument type: a time span such as ``90``, ``20m`` or ``1h30m``, in seconds."""
    try:
        return parse_timespan(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid int value: '{text}'") from None


def positive_integer(text: str) -> int:
    """Argument type: a whole number of at least 1."""
    value = _integer(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be an integer >= 1, not {value}")
    return value


def not_negative(text: str) -> int:
    """Argument type: a whole number of at least 0."""
    value = _integer(text)
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
    value = _integer(text)
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


def origins(text: str) -> list[str]:
    """Argument type: origins of web pages such as ``https://board.example``, separated by commas or spaces.

    They are returned as browsers write them (RFC 6454): lower case, without a port that is the scheme's own.
    """
    return [_origin(word) for word in text.replace(",", " ").split()]


def _origin(text: str) -> str:
    if text == "*":
        raise argparse.ArgumentTypeError("'*' would let every web site start tests: name the sites")
    wrong = argparse.ArgumentTypeError(
        f"'{text}' is no origin: write http:// or https://, the host, and a port if there is one, no more"
    )
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:
        raise wrong from None
    own_port = {"http": 80, "https": 443}.get(parts.scheme)
    if own_port is None or not host or "@" in parts.netloc or parts.path not in ("", "/"):
        raise wrong
    # Nothing that could end the header which the origin becomes part of.
    if parts.query or parts.fragment or not re.fullmatch(r"[\w.-]+|[\da-fA-F:.]+", host, re.ASCII):
        raise wrong
    host = f"[{host}]" if ":" in host else host.lower()
    return f"{parts.scheme}://{host}" + ("" if port in (None, own_port) else f":{port}")


def user_name(text: str) -> str:
    """Argument type: a name to sign in with; programs send it before a colon (RFC 7617)."""
    if ":" in text or not text.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r} has a colon or a control character")
    return text
