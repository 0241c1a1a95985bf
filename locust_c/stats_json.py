"""The entries as JSON, on standard output or in a file."""

from __future__ import annotations

import errno
import json
import os
import stat
from typing import TYPE_CHECKING

from .stats_turns import in_turns

if TYPE_CHECKING:
    from .stats import RequestStats

__all__ = ["is_stream", "json_of", "print_stats_json", "replace_file", "save_stats_json"]

_INDENT = 4
# The folder, or what is mounted there, lets the file be written but not replaced.
_NOT_REPLACEABLE = (errno.EACCES, errno.EPERM, errno.EBUSY)


def json_of(stats: RequestStats, share: float = 1.0) -> str:
    """All entries that counted something, as an indented array; it may take a ``share`` (0..1) of the time.

    Entries are left as they are, unlike with Locust, whose JSON resets them.
    """
    texts = [
        json.dumps(entry.serialize(), indent=_INDENT).replace("\n", "\n" + " " * _INDENT)
        for entry in in_turns(list(stats.entries.values()), share)
        if entry.num_requests or entry.num_failures
    ]
    if not texts:
        return "[]"
    return "[\n" + ",\n".join(" " * _INDENT + text for text in texts) + "\n]"


def print_stats_json(stats: RequestStats) -> None:
    """Print all entries as JSON on standard output."""
    print(json_of(stats))


def save_stats_json(stats: RequestStats, filename: str) -> None:
    """Write all entries as JSON to ``filename`` with ``.json`` appended; missing folders are made.

    A reader, and whoever comes after a crash, finds the file whole. Raises OSError.
    """
    replace_file(f"{filename}.json", json_of(stats))


def is_stream(path: str) -> bool:
    """True for a pipe, a terminal or the like, whose content cannot be replaced."""
    if not os.path.exists(path):
        return False
    mode = os.stat(path).st_mode
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def replace_file(path: str, text: str) -> None:
    """Have ``text`` as the content of a file, in UTF-8; after an OSError the old content is still there."""
    path = os.path.realpath(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        if not is_stream(path):
            _replace_whole(path, text)
            return
    except OSError as error:
        if error.errno not in _NOT_REPLACEABLE or not os.access(path, os.W_OK):
            raise
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def _replace_whole(path: str, text: str) -> None:
    beside = f"{path}.{os.getpid()}.tmp"
    try:
        with open(beside, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        if os.path.exists(path):
            os.chmod(beside, stat.S_IMODE(os.stat(path).st_mode))
        os.replace(beside, path)
    except BaseException:
        if os.path.exists(beside):
            os.unlink(beside)
        raise
