"""The engine as an adapter of requests: the long way of a request.

Calls that use what the short way in C does not know (files, per-request cookies, hooks, proxies,
authentication classes, redirects) are prepared by requests itself; this adapter writes the prepared
request out and lets the engine exchange it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import BaseAdapter
from requests.utils import select_proxy
from urllib3.util import parse_url

if TYPE_CHECKING:
    from locust_c.clients import HttpSession, ResponseContextManager

__all__ = ["EngineAdapter", "wire_of"]


def _body_bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if hasattr(body, "read"):
        content = body.read()
        return content.encode() if isinstance(content, str) else content
    if isinstance(body, Iterable):
        return b"".join(piece.encode() if isinstance(piece, str) else bytes(piece) for piece in body)
    raise TypeError(f"data must be bytes, str, a file object or an iterable, not {type(body).__name__}")


def _chunked(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"


def _header_bytes(part: str | bytes) -> bytes:
    return part if isinstance(part, bytes) else part.encode("latin-1")


def wire_of(request: requests.PreparedRequest, absolute: bool = False) -> bytes:
    """The request as it goes on the wire: Host first, then the prepared headers in their order.

    `absolute`: the whole URL as target, for an HTTP proxy (RFC 9112, 3.2.2).
    """
    assert request.url is not None and request.method is not None
    parts = parse_url(request.url)
    target = request.url if absolute else request.path_url
    lines = [f"{request.method} {target} HTTP/1.1".encode("latin-1")]
    if "Host" not in request.headers:
        host = parts.host or ""
        default = 443 if parts.scheme == "https" else 80
        port = "" if parts.port in (None, default) else f":{parts.port}"
        lines.append(f"Host: {host}{port}".encode("latin-1"))
    body = _body_bytes(request.body)
    if "chunked" in str(request.headers.get("Transfer-Encoding", "")).lower():
        body = _chunked(body)
    lines.extend(
        _header_bytes(name) + b": " + _header_bytes(value) for name, value in request.headers.items()
    )
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
        )
        if response.error is not None:
            response.error.request = request
            raise response.error
        response.request = request
        response.connection = self
        return response

    def close(self) -> None:
        self.session._close_connections()
