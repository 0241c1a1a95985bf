"""Keeps credentials out of texts that end in logs and statistics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["SECRET_HEADERS", "hide_headers", "hide_userinfo", "without_userinfo"]

SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
# What stands before the @ of a URL, and the same where the scheme was forgotten.
_USERINFO = re.compile(r"(?<=//)[^\s/?#'\"]*@|(?<=['\"\s])[^\s/?#'\":]+:[^\s/?#'\"]*@")


def without_userinfo(text: str) -> str:
    """A text for people without the `user:password@` of URLs in it (RFC 3986, 3.2.1)."""
    return _USERINFO.sub("", text) if "@" in text else text


def hide_userinfo(error: BaseException | None) -> None:
    """Takes `user:password@` out of what the exception, and what it was raised for, say."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        error = waiting.pop()
        if error is not None and id(error) not in seen:
            seen.add(id(error))
            waiting += (part for part in error.args if isinstance(part, BaseException))
            waiting += (error.__cause__, error.__context__)
            error.args = tuple(without_userinfo(one) if isinstance(one, str) else one for one in error.args)


def hide_headers(error: BaseException, *headers: Mapping[Any, Any] | None) -> None:
    """Takes the values of those of the headers that hold credentials out of what the exception says."""
    for name, value in (pair for given in headers if given for pair in given.items()):
        text = name.decode("latin-1") if isinstance(name, bytes) else str(name)
        if text.lower() in SECRET_HEADERS:
            shown = repr(value)
            error.args = tuple(
                part.replace(shown, "a secret") if isinstance(part, str) else part for part in error.args
            )
