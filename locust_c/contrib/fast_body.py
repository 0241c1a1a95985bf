"""The body of a fast client's response as a file: from the connection while it arrives, or as it came."""

from __future__ import annotations

import io
from collections.abc import Iterator

from locust_c import _core
from locust_c.failures import ResponseTooLarge, decode_error

__all__ = ["Body", "decoded"]

_BLOCK = 4096


class Body:
    """Reads a body once, from its beginning to its end: geventhttpclient's way of doing that.

    `source`: a `_core.Stream`, or a file. What is read raises what the request breaks off with.
    """

    def __init__(self, source: _core.Stream | io.BytesIO) -> None:
        self.source = source
        self._ahead = b""

    def read(self, length: int | None = None) -> bytes:
        """The next `length` bytes, fewer only at the end; None: all that are left."""
        if length is None:
            ahead, self._ahead = self._ahead, b""
            return ahead + self.source.read(-1)
        while len(self._ahead) < length and (piece := self.source.read(length - len(self._ahead))):
            self._ahead += piece
        taken, self._ahead = self._ahead[:length], self._ahead[length:]
        return taken

    def readline(self, sep: bytes = b"\r\n") -> bytes:
        """The next line with the `sep` that ends it; empty if there is no whole one."""
        while sep not in self._ahead:
            piece = self.source.read(_BLOCK)
            if not piece:
                return b""
            self._ahead += piece
        line, _, self._ahead = self._ahead.partition(sep)
        return line + sep

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(_BLOCK), b"")

    def arriving(self) -> Iterator[bytes]:
        """What is left, in the pieces it arrives in."""
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            yield ahead
        while piece := self.source.read(_BLOCK):
            yield piece


def decoded(pieces: Iterator[bytes], coding: str, limit: int) -> Iterator[bytes]:
    """The pieces with their content coding undone, `limit` bytes at most; a coding nobody knows stays.

    Raises what zlib (or the library of the coding) raises for bytes that are not in it, ResponseTooLarge.
    """
    try:
        decoder = _core.Decoder(coding, limit)
    except ValueError:
        yield from pieces
        return
    try:
        for piece in pieces:
            if out := decoder.feed(piece):
                yield out
        if out := decoder.finish():
            yield out
    except ValueError as error:
        raise decode_error(str(error)) from None
    except OverflowError:
        text = f"The response body is larger than max_body_size ({limit} bytes)"
        raise ResponseTooLarge(text) from None
