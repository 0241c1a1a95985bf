"""Why requests of the fast client fail: the engine's codes as the exceptions its users know.

geventhttpclient is only imported to name its exceptions, and only when one of them is needed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import lru_cache
from typing import cast

from locust_c import _core
from locust_c.failures import (
    Failure,
    decode_error,
    refused_cause,
    resolve_cause,
    tls_error,
    tls_verify_error,
)

__all__ = ["LocustBadStatusCode", "failure_exceptions", "fast_error", "too_many_redirects"]


class LocustBadStatusCode(Exception):
    """The response has a status that counts as a failure."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code

    def __repr__(self) -> str:
        return f"LocustBadStatusCode(code={self.code})"

    __str__ = __repr__


@lru_cache(maxsize=1)
def failure_exceptions() -> tuple[type[BaseException], ...]:
    """What the fast client counts as failures (Locust's documented behaviour)."""
    import zlib
    from ssl import SSLError

    from gevent.timeout import Timeout
    from geventhttpclient._parser import HTTPParseError
    from geventhttpclient.response import HTTPConnectionClosed
    from geventhttpclient.useragent import ConnectionError as FastConnectionError

    return (
        FastConnectionError,
        ConnectionRefusedError,
        ConnectionResetError,
        OSError,
        SSLError,
        Timeout,
        HTTPConnectionClosed,
        HTTPParseError,
        zlib.error,
    )


def too_many_redirects(url: str) -> Exception:
    """What is reported when more redirects follow each other than the session allows."""
    from geventhttpclient.useragent import RetriesExceeded

    return cast(Exception, RetriesExceeded(url, "Redirection limit reached"))


def fast_error(failure: Failure) -> Exception:
    """The exception that geventhttpclient raises for such a failure."""
    make = _MAKERS.get(failure.code)
    return make(failure) if make is not None else ConnectionError(errno.EIO, failure.reason)


def _closed(failure: Failure) -> Exception:
    if failure.head_done:
        return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
    from geventhttpclient.response import HTTPConnectionClosed

    return cast(Exception, HTTPConnectionClosed("connection closed."))


def _timed_out(failure: Failure) -> Exception:
    cause = TimeoutError("timed out")
    if failure.head_done:
        return cause
    from geventhttpclient.useragent import RetriesExceeded

    return cast(Exception, RetriesExceeded(failure.url, 3, original=cause))


def _unreadable(failure: Failure) -> Exception:
    from geventhttpclient._parser import HTTPParseError

    # Without the bytes it is about: each text is a row of its own in the statistics.
    text = failure.reason.partition(": ")[0]
    if failure.code == _core.ETRUNCATED and failure.head_done:
        text = "Incomplete response."
    return cast(Exception, HTTPParseError(text))


_MAKERS: dict[int, Callable[[Failure], Exception]] = {
    _core.ECLOSED: _closed,
    _core.ERESET: _closed,
    _core.ECONNTIMEOUT: _timed_out,
    _core.EREADTIMEOUT: _timed_out,
    _core.EPROTO: _unreadable,
    _core.ETRUNCATED: _unreadable,
    _core.ERESOLVE: lambda failure: resolve_cause(),
    _core.ECONNECT: lambda failure: refused_cause(failure.os_errno),
    _core.ETLS: lambda failure: tls_error(failure.reason),
    _core.ETLSVERIFY: lambda failure: tls_verify_error(failure.reason, failure.host),
    _core.EDECODE: lambda failure: decode_error(failure.reason),
}
