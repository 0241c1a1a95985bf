"""The engine's error codes as the exceptions that users of requests know.

Texts are those of requests over urllib3 (tested against the installed versions), so that rules and
dashboards that match them keep working.
"""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

import requests
from requests import exceptions
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)
from urllib3.exceptions import SSLError as Urllib3SSLError

from locust_c import _core

__all__ = ["innermost", "refused_cause", "requests_error", "resolve_cause"]

HTTP_EXCEPTIONS = (exceptions.MissingSchema, exceptions.InvalidSchema, exceptions.InvalidURL)


class _Where:
    """Stands where urllib3's pool and connection stand in its messages."""

    def __init__(self, https: bool, host: str, port: int) -> None:
        self.kind = "HTTPS" if https else "HTTP"
        self.host = host
        self.port = port

    @property
    def pool(self) -> str:
        return f"{self.kind}ConnectionPool(host={self.host!r}, port={self.port})"

    @property
    def connection(self) -> str:
        return f"{self.kind}Connection(host={self.host!r}, port={self.port})"


class _Text:
    """An object whose text is given, for urllib3's exceptions, which format a pool."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def resolve_cause(host: str) -> OSError:
    """What getaddrinfo raises for a name that does not exist."""
    return socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def refused_cause(os_errno: int) -> OSError:
    """What connect() raises for an errno; ECONNREFUSED if it is not known."""
    code = os_errno or errno.ECONNREFUSED
    return OSError(code, os.strerror(code))


def chained(outer: Exception, inner: BaseException) -> Exception:
    outer.__context__ = inner
    return outer


def innermost(error: BaseException) -> BaseException:
    """The end of an exception's chain of contexts: what the statistics show (Locust's behaviour)."""
    while error.__context__ is not None:
        error = error.__context__
    return error


def _aborted(cause: Exception) -> Exception:
    error = ProtocolError("Connection aborted.", cause)
    return chained(exceptions.ConnectionError(error), chained(error, cause))


def _retries_exceeded(where: _Where, target: str, cause: Exception) -> MaxRetryError:
    return MaxRetryError(_Text(where.pool), target, cause)  # type: ignore[arg-type]


def _connect_error(where: _Where, target: str, cause: Exception, kind: Any) -> Exception:
    retries = _retries_exceeded(where, target, cause)
    return chained(kind(retries), chained(retries, cause))


def _closed(where: _Where, target: str, reason: str, **_: Any) -> Exception:
    from http.client import RemoteDisconnected

    return _aborted(RemoteDisconnected("Remote end closed connection without response"))


def _reset(where: _Where, target: str, reason: str, **_: Any) -> Exception:
    return _aborted(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)))


def _bad_protocol(where: _Where, target: str, reason: str, **_: Any) -> Exception:
    from http.client import BadStatusLine, HTTPException

    _, is_status_line, line = reason.partition("status line: ")
    return _aborted(BadStatusLine(line) if is_status_line else HTTPException(reason))


def _truncated(where: _Where, target: str, reason: str, received: int, **_: Any) -> Exception:
    from urllib3.exceptions import IncompleteRead

    expected = int(reason) if reason.isdigit() else 0
    partial = IncompleteRead(received, max(expected - received, 0))
    error = ProtocolError(f"Connection broken: {partial!r}", partial)
    return exceptions.ChunkedEncodingError(error)


def _unresolved(where: _Where, target: str, reason: str, **_: Any) -> Exception:
    cause = resolve_cause(where.host)
    error = NameResolutionError(where.host, _Text(where.connection), cause)  # type: ignore[arg-type]
    return _connect_error(where, target, chained(error, cause), exceptions.ConnectionError)


def _not_connected(where: _Where, target: str, reason: str, os_errno: int, **_: Any) -> Exception:
    if not os_errno and reason and "roxy" in reason:
        return exceptions.ProxyError(reason)
    cause = refused_cause(os_errno)
    text = f"Failed to establish a new connection: {cause}"
    error = NewConnectionError(_Text(where.connection), text)  # type: ignore[arg-type]
    return _connect_error(where, target, chained(error, cause), exceptions.ConnectionError)


def _connect_timeout(where: _Where, target: str, reason: str, timeout: Any, **_: Any) -> Exception:
    text = f"Connection to {where.host} timed out. (connect timeout={timeout})"
    error = ConnectTimeoutError(_Text(where.connection), text)
    return _connect_error(where, target, error, exceptions.ConnectTimeout)


def _read_timeout(where: _Where, target: str, reason: str, timeout: Any, **_: Any) -> Exception:
    text = f"Read timed out. (read timeout={timeout})"
    return exceptions.ReadTimeout(ReadTimeoutError(_Text(where.pool), target, text))  # type: ignore[arg-type]


def _tls(where: _Where, target: str, reason: str, **_: Any) -> Exception:
    import ssl

    cause: Exception = ssl.SSLError(1, reason)
    return _connect_error(where, target, chained(Urllib3SSLError(cause), cause), exceptions.SSLError)


def _tls_verify(where: _Where, target: str, reason: str, **_: Any) -> Exception:
    import ssl

    cause: Exception = ssl.SSLCertVerificationError(1, f"[SSL: CERTIFICATE_VERIFY_FAILED] {reason}")
    return _connect_error(where, target, chained(Urllib3SSLError(cause), cause), exceptions.SSLError)


def _undecodable(where: _Where, target: str, reason: str, coding: str, **_: Any) -> Exception:
    import zlib

    text = f"Received response with content-encoding: {coding}, but failed to decode it."
    cause = zlib.error("Error -3 while decompressing data: incorrect header check")
    return exceptions.ContentDecodingError(DecodeError(text, cause))


def _other(where: _Where, target: str, reason: str, **_: Any) -> Exception:
    return exceptions.ConnectionError(reason)


_MAKERS = {
    _core.ECLOSED: _closed,
    _core.ERESET: _reset,
    _core.EPROTO: _bad_protocol,
    _core.ETRUNCATED: _truncated,
    _core.ERESOLVE: _unresolved,
    _core.ECONNECT: _not_connected,
    _core.ECONNTIMEOUT: _connect_timeout,
    _core.EREADTIMEOUT: _read_timeout,
    _core.ETLS: _tls,
    _core.ETLSVERIFY: _tls_verify,
    _core.EDECODE: _undecodable,
}


def requests_error(
    code: int,
    url: str,
    reason: str,
    os_errno: int = 0,
    received: int = 0,
    timeout: Any = None,
    coding: str = "gzip",
) -> Exception:
    """The exception of requests for one of the engine's codes.

    `url`: of the request. `reason`: the engine's words. `os_errno`: of a failed connect. `received`:
    bytes of the body that had come. `timeout`: the time-out that passed, in seconds.
    """
    from urllib3.util import parse_url

    parts = parse_url(url)
    https = parts.scheme == "https"
    where = _Where(https, (parts.host or "").strip("[]"), parts.port or (443 if https else 80))
    make = _MAKERS.get(code, _other)
    return make(
        where,
        parts.request_uri,
        reason,
        os_errno=os_errno,
        received=received,
        timeout=timeout,
        coding=coding,
    )


def status_error(response: requests.Response, name: str) -> requests.HTTPError | None:
    """What raise_for_status() raises for a status of 400 and above, with the sample's name as URL."""
    status = response.status_code
    if status < 400 or status >= 600:
        return None
    side = "Client" if status < 500 else "Server"
    return requests.HTTPError(f"{status} {side} Error: {response.reason} for url: {name}", response=response)
