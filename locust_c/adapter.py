"""The engine as an adapter of requests: the long way of a request.

Calls that use what the short way in C does not know (files, per-request cookies, hooks, proxies,
authentication classes, redirects) are prepared by requests itself; this adapter writes the prepared
request out and lets the engine exchange it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import BaseAdapter
from requests.utils import select_proxy
from urllib3.util import parse_url

from locust_c.connections import request_http_version

if TYPE_CHECKING:
    from locust_c.clients import HttpSession, ResponseContextManager

__all__ = ["EngineAdapter", "wire_of"]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LINE_END = re.compile(rb"[\r\n\0]")


def _bytes_of(piece: Any) -> bytes:
    return piece.encode() if isinstance(piece, str) else bytes(piece)


def _body_pieces(body: Any) -> Iterable[bytes]:
    """The body as the pieces it comes in: one for bytes and files, one for each item of an iterator."""
    if body is None:
        return ()
    if isinstance(body, (str, bytes, bytearray, memoryview)):
        return (_bytes_of(body),)
    if hasattr(body, "read"):
        return (_bytes_of(body.read()),)
    if isinstance(body, Iterable):
        return (_bytes_of(piece) for piece in body)
    raise TypeError(f"data must be bytes, str, a file object or an iterable, not {type(body).__name__}")


def _chunked(pieces: Iterable[bytes]) -> bytes:
    """The pieces in the chunked transfer coding (RFC 9112, 7.1)."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece) + b"0\r\n\r\n"


def _header_bytes(part: str | bytes) -> bytes:
    return part if isinstance(part, bytes) else part.encode("latin-1")


def _checked(line: bytes, part: str | bytes, what: str) -> bytes:
    """The line, if it is one; ValueError, as http.client raises it, if it would end in its middle."""
    if _LINE_END.search(line):
        raise ValueError(f"Invalid {what} {part!r}")
    return line


def _header_line(name: str | bytes, value: str | bytes) -> bytes:
    return (
        _checked(_header_bytes(name), name, "header name")
        + b": "
        + _checked(_header_bytes(value), value, "header value")
    )


def wire_of(request: requests.PreparedRequest, absolute: bool = False) -> bytes:
    """The request as it goes on the wire: Host first, then the prepared headers in their order.

    `absolute`: the whole URL as target, for an HTTP proxy (RFC 9112, 3.2.2). Raises ValueError for a
    method that is no token and for a header with a line end.
    """
    assert request.url is not None and request.method is not None
    parts = parse_url(request.url)
    target = request.url if absolute else request.path_url
    if not _TOKEN.fullmatch(request.method):
        raise ValueError(f"Method cannot contain non-token characters {request.method!r}")
    lines = [_checked(f"{request.method} {target} HTTP/1.1".encode("latin-1"), target, "target")]
    if "Host" not in request.headers:
        host = parts.host or ""
        default = 443 if parts.scheme == "https" else 80
        port = "" if parts.port in (None, default) else f":{parts.port}"
        lines.append(f"Host: {host}{port}".encode("latin-1"))
    # What urllib3 and http.client put where a request has none, or had its default removed by None.
    if "Accept-Encoding" not in request.headers:
        lines.append(b"Accept-Encoding: identity")
    if "User-Agent" not in request.headers:
        lines.append(f"User-Agent: python-urllib3/{version('urllib3')}".encode())
    chunked = "chunked" in str(request.headers.get("Transfer-Encoding", "")).lower()
    pieces = _body_pieces(request.body)
    body = _chunked(pieces) if chunked else b"".join(pieces)
    lines.extend(_header_line(name, value) for name, value in request.headers.items())
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class EngineAdapter(BaseAdapter):
    """Sends prepared requests of one session through the engine."""

    def __init__(self, session: HttpSession) -> None:
        super().__init__()
        self.session = session

    def send(  # type: ignore[override]
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: dict[str, str] | None = None,
    ) -> ResponseContextManager:
        """One exchange, without following redirects; raises requests' exceptions."""
        assert request.url is not None and request.method is not None
        proxy = select_proxy(request.url, proxies)
        if proxy is not None and proxy.lower().startswith("https://"):
            raise requests.exceptions.InvalidProxyURL(f"proxies over TLS are not supported: {proxy}")
        plain_proxy = (
            proxy is not None
            and proxy.lower().startswith("http://")
            and request.url.lower().startswith("http://")
        )
        response: ResponseContextManager = self.session._exchange(
            request.method,
            request.url,
            wire_of(request, absolute=plain_proxy),
            False,
            timeout,
            verify,
            cert,
            proxy,
            http_version=request_http_version.get(),
        )
        if response.error is not None:
            response.error.request = request
            response.error._outcome = response._outcome
            raise response.error
        response.request = request
        response.connection = self
        return response

    def close(self) -> None:
        self.session._close_connections()
