"""Why requests of the fast client fail: the engine's codes as the exceptions its users know."""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Callable
from ssl import SSLError

import brotli
from gevent.timeout import Timeout
from geventhttpclient._parser import HTTPParseError
from geventhttpclient.response import HTTPConnectionClosed
from geventhttpclient.useragent import ConnectionError as FastConnectionError
from geventhttpclient.useragent import RetriesExceeded

from locust_c import _core
from locust_c.failures import (
    Failure,
    connect_cause,
    decode_error,
    http2_words,
    tls_error,
    tls_verify_error,
    too_large,
)

__all__ = [
    "FAILURE_EXCEPTIONS",
    "LocustBadStatusCode",
    "fast_error",
    "fast_timeout",
]

FAILURE_EXCEPTIONS = (
    FastConnectionError,
    ConnectionRefusedError,
    ConnectionResetError,
    OSError,
    SSLError,
    Timeout,
    HTTPConnectionClosed,
    HTTPParseError,
    zlib.error,
    brotli.error,
)
"""What the fast client counts as failures: Locust's documented ones, and brotli's."""


class LocustBadStatusCode(FastConnectionError):
    """The response has a status, ``code``, that counts as a failure."""

    code: int

    def __init__(self, url: str, code: int = 0) -> None:
        super().__init__(url, code=code)

    def __repr__(self) -> str:
        # Without the URL: requests of one name are one row in the table of errors.
        return f"{type(self).__name__}(code={self.code})"


def _of_geventhttpclient(kind: Callable[..., object], *args: object, **kwargs: object) -> Exception:
    error = kind(*args, **kwargs)
    assert isinstance(error, Exception)
    return error


def fast_error(failure: Failure, max_retries: int) -> Exception:
    """The exception that geventhttpclient raises for such a failure."""
    if failure.code in (_core.ECONNTIMEOUT, _core.EREADTIMEOUT):
        return _timed_out(failure, max_retries)
    make = _MAKERS.get(failure.code)
    return make(failure) if make is not None else ConnectionError(errno.EIO, failure.reason)


def _timed_out(failure: Failure, max_retries: int) -> Exception:
    cause = TimeoutError("timed out")
    if failure.head_done:
        return cause
    return fast_timeout(failure.url, max_retries, cause)


def fast_timeout(url: str, max_retries: int, cause: BaseException) -> Exception:
    """What geventhttpclient raises when there is no response in time."""
    return _of_geventhttpclient(RetriesExceeded, url, max_retries, original=cause)


def _closed(failure: Failure) -> Exception:
    if failure.head_done:
        return ConnectionResetError(errno.ECONNRESET, http2_words(failure, os.strerror(errno.ECONNRESET)))
    return _of_geventhttpclient(HTTPConnectionClosed, http2_words(failure, "connection closed."))


def _unreadable(failure: Failure) -> Exception:
    # Without the bytes it is about: each text is a row of its own in the table of errors.
    text = http2_words(failure, failure.reason.partition(": ")[0])
    if failure.code == _core.ETRUNCATED and failure.head_done:
        text = "Incomplete response."
    return _of_geventhttpclient(HTTPParseError, text)


_MAKERS: dict[int, Callable[[Failure], Exception]] = {
    _core.ECLOSED: _closed,
    _core.ERESET: _closed,
    _core.EPROTO: _unreadable,
    _core.ETRUNCATED: _unreadable,
    _core.ERESOLVE: connect_cause,
    _core.ECONNECT: connect_cause,
    _core.ETLS: lambda failure: tls_error(failure.reason),
    _core.ETLSVERIFY: lambda failure: tls_verify_error(failure.reason, failure.host),
    _core.EDECODE: lambda failure: decode_error(failure.reason),
    _core.ELIMIT: lambda failure: too_large(failure) or ConnectionError(errno.EIO, failure.reason),
}
