"""Multipart bodies whose files are read from the disk while they are sent.

requests reads all files and joins them. Here it encodes the request with a marker in the place of each file,
so that every other byte is its own, and the files come in between when the body goes out.
"""

from __future__ import annotations

import io
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import requests
from requests.auth import HTTPBasicAuth, HTTPDigestAuth, HTTPProxyAuth
from requests.utils import guess_filename

__all__ = ["MultipartBody", "is_large", "mark_files", "put_files"]

# Smaller bodies are made in memory, as requests does: what a response shows of its request stays the same.
STREAMED_FROM = 1 << 20
_BLOCK = 65536
# Authentication that does not look at the body; others get to see it whole.
_BLIND = (type(None), tuple, HTTPBasicAuth, HTTPDigestAuth, HTTPProxyAuth)

Files = Any


class FilePart(NamedTuple):
    """A file from where it stood to its end."""

    file: Any
    start: int
    size: int

    def blocks(self) -> Iterator[bytes]:
        """Its bytes, without moving it; OSError if it has become shorter."""
        at, end = self.start, self.start + self.size
        while at < end:
            block = os.pread(self.file.fileno(), min(_BLOCK, end - at), at)
            if not block:
                raise OSError(f"the file became shorter while it was sent: {self.file!r}")
            at += len(block)
            yield block


class MultipartBody:
    """The body of a request: bytes with files between them; each iteration begins at its start."""

    def __init__(self, pieces: list[bytes | FilePart]) -> None:
        self._pieces = pieces
        self._size = sum(piece.size if isinstance(piece, FilePart) else len(piece) for piece in pieces)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, FilePart):
                yield from piece.blocks()
            else:
                yield piece

    def __bytes__(self) -> bytes:
        return b"".join(self)


def _part_of(file: Any) -> FilePart | None:
    """The file as a part, if it is one on a disk that is read byte by byte as it lies there."""
    file = getattr(file, "file", file)  # of tempfile's wrappers
    raw = getattr(file, "raw", file)
    if not isinstance(file, (io.BufferedReader, io.BufferedRandom, io.FileIO)) or type(raw) is not io.FileIO:
        return None
    if not stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
        return None
    start = file.tell()
    return FilePart(file, start, max(file.seek(0, io.SEEK_END) - start, 0)) if file.seekable() else None


def _pairs(files: Files) -> list[tuple[Any, Any]]:
    return list(files.items() if isinstance(files, Mapping) else files)


def _file_in(value: Any) -> Any:
    return value[1] if isinstance(value, (tuple, list)) and len(value) > 1 else value


def is_large(files: Files, auth: Any) -> bool:
    """Whether the files should be read while they are sent."""
    if not files or type(auth) not in _BLIND or not isinstance(files, (Mapping, list, tuple)):
        return False
    size = 0
    for pair in _pairs(files):
        file = _file_in(pair[1]) if isinstance(pair, (tuple, list)) and len(pair) == 2 else None
        if hasattr(file, "seek") and (part := _part_of(file)) is not None:
            file.seek(part.start)
            size += part.size
    return size >= STREAMED_FROM


def mark_files(files: Files) -> tuple[list[tuple[Any, Any]], dict[bytes, FilePart]]:
    """The files with a marker for each that is on a disk, and what the markers stand for.

    Those files are at their end then, as if they had been read.
    """
    marked, parts = [], {}
    for key, value in _pairs(files):
        part = _part_of(_file_in(value))
        if part is not None:
            marker = secrets.token_hex(32).encode()
            parts[marker] = part
            if isinstance(value, (tuple, list)):
                value = (value[0], marker, *value[2:])
            else:
                value = (guess_filename(value) or key, marker)  # type: ignore[no-untyped-call]
        marked.append((key, value))
    return marked, parts


def put_files(request: requests.PreparedRequest, parts: dict[bytes, FilePart]) -> None:
    """Puts the files in the places of their markers in the request's body."""
    rest = bytes(request.body)  # type: ignore[arg-type]  # encoded by requests
    pieces: list[bytes | FilePart] = []
    for marker, part in parts.items():
        before, _, rest = rest.partition(marker)
        pieces += [before, part]
    body = MultipartBody([*pieces, rest])
    request.body = body  # type: ignore[assignment]
    request.headers["Content-Length"] = str(len(body))
