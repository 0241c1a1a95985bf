"""A CSV file that is kept whole, also when the process crashes or the disk is full."""

from __future__ import annotations

import errno
import logging
import os
from contextlib import suppress
from typing import Self

__all__ = ["Sheet"]

logger = logging.getLogger("locust.stats")

_CANNOT_RESERVE = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENODEV, errno.ESPIPE)


def _bytes(text: str) -> bytes:
    # Names may hold lone surrogates: those of a URL that is no UTF-8, say.
    return text.encode(errors="backslashreplace")


class Sheet:
    """The file at ``path``, emptied; ``owner`` is whose it is in the log. OSError if it cannot be opened.

    Text goes to the system in one piece when it is complete, never by way of :attr:`file`, whose buffer
    would be lost with the process. What cannot be written is logged once as an error; the file keeps its last
    state.
    """

    def __init__(self, path: str, owner: str = "--csv") -> None:
        self.path = path
        self.owner = owner
        #: For those who write to the file themselves.
        self.file = open(path, "w", encoding="utf-8", errors="backslashreplace", newline="")  # noqa: SIM115
        self._seekable = self.file.seekable()
        self._end = 0
        self._last_rows = 0
        self._failed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def replace(self, text: str) -> None:
        """Have ``text`` as the whole content."""
        self._write(0, text)

    def append(self, titles: str, rows: str, instead_of_last: bool) -> bool:
        """Add rows, in place of those of the last call if asked for; the first time behind the titles.

        False if they could not be written.
        """
        start = self._last_rows if instead_of_last and self._last_rows else self._end
        if not self._write(start, rows if start else titles + rows):
            return False
        self._last_rows = start or len(_bytes(titles))
        return True

    def flush(self) -> None:
        """Write out what somebody wrote to :attr:`file`."""
        try:
            self.file.flush()
        except OSError as error:
            self._complain(error)

    def close(self) -> None:
        """Close the file."""
        try:
            self.file.close()
        except OSError as error:
            self._complain(error)

    def _write(self, start: int, text: str) -> bool:
        """Have ``text`` from an offset to the end; false, and the old content, if it could not be written."""
        if self.file.closed:
            return False
        data = _bytes(text)
        try:
            if start < self._end < start + len(data):
                self._reserve(start + len(data))
            self._write_all(start, data)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self.file.fileno(), self._end)
            self._complain(error)
            return False
        self._end = start + len(data)
        if self._failed:
            self._failed = False
            logger.info("'%s' (%s) can be written again", self.path, self.owner)
        return True

    def _reserve(self, end: int) -> None:
        """Find out that the disk is full before the old content is overwritten."""
        if not hasattr(os, "posix_fallocate"):
            return
        try:
            os.posix_fallocate(self.file.fileno(), self._end, end - self._end)
        except OSError as error:
            if error.errno not in _CANNOT_RESERVE:
                raise

    def _write_all(self, start: int, data: bytes) -> None:
        view, at, descriptor = memoryview(data), start, self.file.fileno()
        while view:
            # A pipe or a terminal takes one text after the other.
            count = os.pwrite(descriptor, view, at) if self._seekable else os.write(descriptor, view)
            view, at = view[count:], at + count
        if at < self._end and self._seekable:
            os.ftruncate(descriptor, at)

    def _complain(self, error: OSError) -> None:
        if not self._failed:
            self._failed = True
            logger.error("%s: cannot write to '%s': %s", self.owner, self.path, error.strerror or error)
