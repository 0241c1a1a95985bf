"""The engine's error codes as the exceptions that users of requests know.

Texts are those of requests over urllib3 (tested against the installed versions), so that rules and
dashboards that match them keep working.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from http.client import BadStatusLine, HTTPException, RemoteDisconnected
from importlib import import_module
from typing import Any, cast

import brotli
import requests
from requests import exceptions
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    IncompleteRead,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    ResponseError,
)
from urllib3.exceptions import ProxyError as Urllib3ProxyError
from urllib3.exceptions import SSLError as Urllib3SSLError
from urllib3.util import Url, parse_url

from locust_c import _core

__all__ = [
    "Failure",
    "ResponseTooLarge",
    "connect_cause",
    "innermost",
    "requests_error",
    "resolve_cause",
    "response_too_large",
    "status_error",
]

# What says no more than what it was raised for.
_WRAPPERS = (exceptions.ConnectionError, MaxRetryError, NewConnectionError, ProtocolError)
_THROUGH_PROXY = re.compile(r"(SOCKS p|P)roxy (\S+):(\d+): ")
HTTP_EXCEPTIONS = (exceptions.MissingSchema, exceptions.InvalidSchema, exceptions.InvalidURL)


@dataclass(frozen=True)
class Failure:
    """What the engine says of a request that failed.

    `code`: one of `_core.E…`. `reason`: its words, or the ones of a library. `os_errno`: of a failed
    connect. `received`, `remaining`: bytes of the body. `timeout`: the one that passed, in seconds.
    `head_done`: whether a whole head had come; `head_lines`, `status_line`: it, or as much as there is.
    `max_body`: how many bytes of a body the session takes.
    """

    code: int
    url: str
    reason: str = ""
    os_errno: int = 0
    received: int = 0
    remaining: int = 0
    timeout: float = 0.0
    head_done: bool = False
    status_line: str = ""
    head_lines: Sequence[tuple[str, str]] = ()
    max_body: int = 0

    @cached_property
    def _url(self) -> Url:
        return parse_url(self.url)

    @property
    def host(self) -> str:
        return (self._url.host or "").strip("[]")

    @property
    def target(self) -> str:
        """Path and query."""
        return self._url.request_uri

    @property
    def pool(self) -> str:
        """How urllib3 writes its connection pool."""
        return self._of_urllib3("ConnectionPool")

    @property
    def connection(self) -> str:
        """How urllib3 writes its connection."""
        return self._of_urllib3("Connection")

    def header(self, name: str) -> str:
        """All values of a response header, in lower case."""
        return ", ".join(value for key, value in self.head_lines if key.lower() == name).lower()

    @property
    def secure(self) -> bool:
        return self._url.scheme == "https"

    @property
    def proxy(self) -> tuple[bool, str, int] | None:
        """Of a connection that failed on the way through a proxy: whether it is a SOCKS proxy, host, port."""
        match = _THROUGH_PROXY.match(self.reason)
        return (match[1] == "SOCKS p", match[2].strip("[]"), int(match[3])) if match else None

    @property
    def words(self) -> str:
        """The reason, without the proxy that it is about."""
        return _THROUGH_PROXY.sub("", self.reason)

    def _of_urllib3(self, what: str) -> str:
        port = self._url.port or (443 if self.secure else 80)
        return f"{'HTTPS' if self.secure else 'HTTP'}{what}(host={self.host!r}, port={port})"


class ResponseTooLarge(requests.RequestException):
    """The body of a response, as received or as decoded, is larger than the session's `max_body_size`."""


class _InvalidChunk(HTTPException):
    """Written as urllib3's InvalidChunkLength, which wants a response of its own."""

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.length = line.encode("utf-8", "surrogateescape")

    def __repr__(self) -> str:
        return f"InvalidChunkLength(got length {self.length!r}, 0 bytes read)"


class _Text:
    """An object whose text is given, for urllib3's exceptions, which format a pool."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def resolve_cause(code: int = 0, words: str = "") -> socket.gaierror:
    """What getaddrinfo raises; without a code, for a name that does not exist."""
    return socket.gaierror(code or socket.EAI_NONAME, words or "Name or service not known")


def connect_cause(failure: Failure) -> OSError:
    """What getaddrinfo or connect() raises for a connection that failed, or what a proxy said."""
    words = failure.words
    if failure.code == _core.ERESOLVE:
        return resolve_cause(failure.os_errno, words)
    if not failure.os_errno:
        return OSError(words)
    usual = os.strerror(failure.os_errno)
    # Ours name the source address, interface or Unix socket that it failed for.
    return OSError(failure.os_errno, words if words.startswith(usual) else usual)


def chained(outer: Exception, inner: BaseException) -> Exception:
    outer.__context__ = inner
    return outer


def innermost(error: BaseException) -> BaseException:
    """What the statistics show of a failed request: what a connection failed for (Locust's behaviour)."""
    while isinstance(error, _WRAPPERS) and error.__context__ is not None:
        error = error.__context__
    return error


def _aborted(cause: Exception) -> Exception:
    error = ProtocolError("Connection aborted.", cause)
    return chained(exceptions.ConnectionError(error), chained(error, cause))


def _connect_error(
    failure: Failure, cause: Exception, kind: type[Exception], pool: str = "", target: str = ""
) -> Exception:
    shown: Any = _Text(pool or failure.pool)
    retries = MaxRetryError(shown, target or failure.target, cause)
    return chained(kind(retries), chained(retries, cause))


def _broken(text: str, cause: Exception | None) -> Exception:
    """What requests makes of a body that ends or goes wrong in the middle."""
    if cause is None:
        return exceptions.ChunkedEncodingError(ProtocolError(text))
    error = ProtocolError(f"{text}: {cause!r}", cause)
    return chained(exceptions.ChunkedEncodingError(error), chained(error, cause))


def http2_words(failure: Failure, otherwise: str) -> str:
    """How a stream of HTTP/2 or its connection ended (reset, refused, GOAWAY); `otherwise` over HTTP/1."""
    return failure.reason if "HTTP/2" in failure.reason else otherwise


def _closed(failure: Failure) -> Exception:
    text = http2_words(failure, "Remote end closed connection without response")
    return _aborted(RemoteDisconnected(text))


def _reset(failure: Failure) -> Exception:
    cause = ConnectionResetError(errno.ECONNRESET, http2_words(failure, os.strerror(errno.ECONNRESET)))
    return _broken("Connection broken", cause) if failure.head_done else _aborted(cause)


def _bad_protocol(failure: Failure) -> Exception:
    words = http2_words(failure, "")
    if words:
        error = HTTPException(words)
        return _broken("Connection broken", error) if failure.head_done else _aborted(error)
    reason, _, shown = failure.reason.partition(": ")
    if failure.head_done:
        return _broken("Connection broken", _InvalidChunk(shown) if shown else HTTPException(reason))
    if not failure.status_line:
        return _aborted(HTTPException(failure.reason))  # over HTTP/2 there is none
    if "status" in reason or not failure.status_line.startswith("HTTP/1."):
        return _aborted(BadStatusLine(failure.status_line + "\r\n"))
    return _aborted(HTTPException(reason))


def _truncated(failure: Failure) -> Exception:
    if not failure.head_done:
        has_status = re.match(r"HTTP/1\.\d \d{3}(\s|$)", failure.status_line)
        return _aborted(HTTPException(failure.reason) if has_status else BadStatusLine(failure.status_line))
    if failure.remaining == 0:
        return _broken("Response ended prematurely", None)
    return _broken("Connection broken", IncompleteRead(failure.received, failure.remaining))


def _not_connected(failure: Failure) -> Exception:
    if failure.proxy is not None:
        return _no_way_through_proxy(failure, *failure.proxy)
    error = _new_connection_error(failure, failure.host, failure.connection)
    return _connect_error(failure, error, exceptions.ConnectionError)


def _new_connection_error(failure: Failure, host: str, connection: str) -> Exception:
    cause, shown = connect_cause(failure), cast(Any, _Text(connection))
    if failure.code == _core.ERESOLVE and not connection.startswith("SOCKS"):
        return chained(NameResolutionError(host, shown, cast(socket.gaierror, cause)), cause)
    error = NewConnectionError(shown, f"Failed to establish a new connection: {cause}")
    return chained(error, cause)


def _no_way_through_proxy(failure: Failure, socks: bool, host: str, port: int) -> Exception:
    secure = "S" if failure.secure else ""
    if socks:
        connection = failure.connection.replace(f"HTTP{secure}", f"SOCKS{secure and 'HTTPS'}", 1)
        error = _new_connection_error(failure, failure.host, connection)
        return _connect_error(failure, error, exceptions.ConnectionError, f"SOCKS{failure.pool}")
    if failure.words == "Proxy CONNECT aborted":
        return _closed(failure)
    inner: Exception = connect_cause(failure)
    if failure.os_errno:
        connection = f"HTTP{secure}Connection(host={host!r}, port={port})"
        inner = _new_connection_error(failure, host, connection)
    error = chained(Urllib3ProxyError("Unable to connect to proxy", inner), inner)
    if secure:
        return _connect_error(failure, error, exceptions.ProxyError)
    pool = f"HTTPConnectionPool(host={host!r}, port={port})"
    return _connect_error(failure, error, exceptions.ProxyError, pool, failure.url)


def _connect_timeout(failure: Failure) -> Exception:
    text = f"Connection to {failure.host} timed out. (connect timeout={_shown(failure.timeout)})"
    error = ConnectTimeoutError(_Text(f"<{failure.connection}>"), text)
    return _connect_error(failure, error, exceptions.ConnectTimeout)


def _read_timeout(failure: Failure) -> Exception:
    pool: Any = _Text(failure.pool)
    if failure.head_done:
        error = ReadTimeoutError(pool, None, "Read timed out.")
        return chained(exceptions.ConnectionError(error), error)
    text = f"Read timed out. (read timeout={_shown(failure.timeout)})"
    return exceptions.ReadTimeout(ReadTimeoutError(pool, failure.target, text))


def _shown(seconds: float) -> float:
    """1 rather than 1.0, as it was most likely given."""
    return int(seconds) if seconds == int(seconds) else seconds


def tls_error(reason: str) -> Exception:
    """What ssl raises where TLS fails; `reason` is OpenSSL's."""
    words = reason.removeprefix("TLS: ")
    if words == "unexpected eof while reading":
        text = "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol"
        return ssl.SSLEOFError(8, text)
    if words == "TLS" or words.startswith("unknown alert "):
        return ssl.SSLError(1, "[SSL] unknown error")
    return ssl.SSLError(1, f"[SSL: {words.upper().replace(' ', '_')}] {words}")


def tls_verify_error(reason: str, host: str) -> Exception:
    """What ssl raises for a certificate that is not accepted."""
    for kind, shown in (("hostname mismatch", "Hostname mismatch"), ("IP address mismatch",) * 2):
        reason = reason.replace(kind, f"{shown}, certificate is not valid for {host!r}.")
    return ssl.SSLCertVerificationError(1, f"[SSL: CERTIFICATE_VERIFY_FAILED] {reason}")


@lru_cache(maxsize=1)
def _zstd_error_type() -> type[Exception]:
    """What the standard library's zstd raises, or its backport, if one of them is there."""
    for name in ("compression.zstd", "backports.zstd"):
        with suppress(ImportError):
            return cast("type[Exception]", import_module(name).ZstdError)
    return type("ZstdError", (Exception,), {})


def decode_error(reason: str) -> Exception:
    """What zlib, brotli or zstd raises; `reason` is its words."""
    if reason.startswith("brotli"):
        return cast(Exception, brotli.error(reason))
    if "Zstandard" in reason:
        return _zstd_error_type()(reason)
    number = -5 if reason == "incomplete or truncated stream" else -3
    return zlib.error(f"Error {number} while decompressing data: {reason}")


def _tls(failure: Failure) -> Exception:
    cause = tls_error(failure.reason)
    return _connect_error(failure, chained(Urllib3SSLError(cause), cause), exceptions.SSLError)


def _tls_verify(failure: Failure) -> Exception:
    cause = tls_verify_error(failure.reason, failure.host)
    return _connect_error(failure, chained(Urllib3SSLError(cause), cause), exceptions.SSLError)


def _undecodable(failure: Failure) -> Exception:
    if failure.reason.startswith(("Zstandard data", "Too many content encodings")):
        return exceptions.ContentDecodingError(DecodeError(failure.reason))
    coding = failure.header("content-encoding")
    text = f"Received response with content-encoding: {coding}, but failed to decode it."
    return exceptions.ContentDecodingError(DecodeError(text, decode_error(failure.reason)))


def too_large(failure: Failure) -> ResponseTooLarge | None:
    """The error of a body that is larger than is taken; None if another limit was passed."""
    if "body" not in failure.reason:
        return None
    return response_too_large(failure.max_body)


def response_too_large(limit: int) -> ResponseTooLarge:
    return ResponseTooLarge(f"The response body is larger than max_body_size ({limit} bytes)")


def _over_limit(failure: Failure) -> Exception:
    return too_large(failure) or exceptions.ConnectionError(failure.reason)


_MAKERS: dict[int, Callable[[Failure], Exception]] = {
    _core.ECLOSED: _closed,
    _core.ERESET: _reset,
    _core.EPROTO: _bad_protocol,
    _core.ETRUNCATED: _truncated,
    _core.ERESOLVE: _not_connected,
    _core.ECONNECT: _not_connected,
    _core.ECONNTIMEOUT: _connect_timeout,
    _core.EREADTIMEOUT: _read_timeout,
    _core.ETLS: _tls,
    _core.ETLSVERIFY: _tls_verify,
    _core.EDECODE: _undecodable,
    _core.ELIMIT: _over_limit,
}


def requests_error(failure: Failure) -> Exception:
    """The exception that requests raises for such a failure."""
    make = _MAKERS.get(failure.code)
    return make(failure) if make is not None else exceptions.ConnectionError(failure.reason)


_TLS_SETUP = "TLS cannot be set up: "
# What ssl numbers these; OpenSSL's code of library and reason.
_X509_NUMBERS = {"no certificate or crl found": 136, "key values mismatch": 116}


def tls_setup_error(error: OSError, url: str) -> exceptions.SSLError | None:
    """What requests raises for files that TLS cannot be set up with; None: it is another error."""
    text = str(error)
    if not text.startswith(_TLS_SETUP):
        return None
    words = text.rpartition(": ")[2]
    if words in _X509_NUMBERS:
        cause = ssl.SSLError(_X509_NUMBERS[words], f"[X509: {words.upper().replace(' ', '_')}] {words}")
    elif words == "PEM lib":
        cause = ssl.SSLError(524297, "[SSL] PEM lib")
    else:
        cause = ssl.SSLError(1, f"[SSL] {text.removeprefix(_TLS_SETUP)}")
    raised = _connect_error(Failure(0, url), chained(Urllib3SSLError(cause), cause), exceptions.SSLError)
    return cast(exceptions.SSLError, raised)


def pool_of(url: str) -> object:
    """Stands for urllib3's connection pool of a URL in the texts of its exceptions."""
    return _Text(Failure(0, url).pool)


def cause_in_pool(error: Exception) -> HTTPError | None:
    """What urllib3's pool would have met where requests raises `error`; None: the head was there already."""
    cause = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        return cause.reason  # type: ignore[return-value]  # whatever is raised in a pool is one
    in_body = isinstance(error, (exceptions.ChunkedEncodingError, exceptions.ContentDecodingError))
    late = isinstance(cause, ReadTimeoutError) and not isinstance(error, exceptions.ReadTimeout)
    return cause if isinstance(cause, HTTPError) and not (in_body or late) else None


def as_raised_by_requests(
    error: HTTPError, request: requests.PreparedRequest
) -> requests.RequestException | HTTPError:
    """What an adapter of requests makes of an exception of urllib3."""
    reason = error.reason if isinstance(error, MaxRetryError) else None
    kind: type[requests.RequestException] = exceptions.ConnectionError
    if isinstance(reason, ConnectTimeoutError) and not isinstance(reason, NewConnectionError):
        kind = exceptions.ConnectTimeout
    elif isinstance(reason, ResponseError):
        kind = exceptions.RetryError
    elif isinstance(reason or error, Urllib3ProxyError):
        kind = exceptions.ProxyError
    elif isinstance(reason or error, Urllib3SSLError):
        kind = exceptions.SSLError
    elif isinstance(error, ReadTimeoutError):
        kind = exceptions.ReadTimeout
    elif not isinstance(error, (MaxRetryError, ProtocolError)):
        return error
    raised = kind(error, request=request)
    raised.__context__ = error
    return raised


def status_error(response: requests.Response, name: str) -> requests.HTTPError | None:
    """What raise_for_status() raises for a status of 400 and above, with the sample's name as URL."""
    status = response.status_code
    if status < 400 or status >= 600:
        return None
    side = "Client" if status < 500 else "Server"
    return requests.HTTPError(f"{status} {side} Error: {response.reason} for url: {name}", response=response)
