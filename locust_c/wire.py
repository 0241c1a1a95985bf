"""A prepared request of requests as the bytes that urllib3 and http.client would send for it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.metadata import version
from typing import Any, NamedTuple

import requests
from requests.utils import urldefragauth
from urllib3.util import parse_url
from urllib3.util.url import _encode_target

from locust_c.credentials import SECRET_HEADERS, without_userinfo

__all__ = ["Message", "message_of", "refuse_line_ends"]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LINE_END = re.compile(rb"[\r\n\0]")
# Methods that say nothing of a body they have not (urllib3).
_WITHOUT_LENGTH = frozenset({"GET", "HEAD", "DELETE", "TRACE", "OPTIONS", "CONNECT"})
_BLOCK = 16384


@lru_cache(maxsize=1)
def _default_agent() -> str:
    return f"python-urllib3/{version('urllib3')}"


def _bytes_of(piece: Any) -> bytes:
    return piece.encode() if isinstance(piece, str) else bytes(piece)


def _blocks(file: Any) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block.encode() if isinstance(file, io.TextIOBase) else block


def _body_pieces(body: Any) -> Iterable[bytes]:
    """The body as the pieces it comes in: one for bytes, blocks of a file, the items of an iterator."""
    if body is None:
        return ()
    if isinstance(body, (str, bytes, bytearray, memoryview)):
        return (_bytes_of(body),)
    if hasattr(body, "read"):
        return _blocks(body)
    if isinstance(body, Iterable):
        return (data for piece in body if (data := _bytes_of(piece)))
    raise TypeError(f"data must be bytes, str, a file object or an iterable, not {type(body).__name__}")


def _header_bytes(part: str | bytes) -> bytes:
    return part if isinstance(part, bytes) else part.encode("latin-1")


def _checked(line: bytes, part: str | bytes, what: str) -> bytes:
    """The line, if it is one; ValueError, as http.client raises it, if it would end in its middle."""
    if _LINE_END.search(line):
        raise ValueError(f"Invalid {what} {part!r}")
    return line


def _checked_value(name: bytes, value: str | bytes) -> bytes:
    secret = name.decode("latin-1").lower() in SECRET_HEADERS
    return _checked(_header_bytes(value), "of a secret" if secret else value, "header value")


def refuse_line_ends(url: str) -> None:
    """Raises InvalidURL, a ValueError, for CR, LF and NUL; requests would quote those of path and query."""
    if _LINE_END.search(url.encode("utf-8", "surrogatepass")):
        raise requests.exceptions.InvalidURL(
            f"Invalid URL {without_userinfo(url)!r}: it has a line end or a NUL"
        )


def _header_line(name: str | bytes, value: str | bytes) -> bytes:
    return (
        _checked(_header_bytes(name), name, "header name")
        + b": "
        + _checked_value(_header_bytes(name), value)
    )


def _framing(request: requests.PreparedRequest) -> tuple[bool, list[bytes]]:
    """Whether the body goes in chunks, and what urllib3 adds to the head to say so."""
    headers = request.headers
    if "Content-Length" in headers:
        return False, []
    if "Transfer-Encoding" in headers:
        return True, []
    if request.body is not None:
        return True, [b"Transfer-Encoding: chunked"]
    return False, [] if (request.method or "").upper() in _WITHOUT_LENGTH else [b"Content-Length: 0"]


def _host_line(url: str, absolute: bool) -> bytes:
    parts = parse_url(url)
    default = 443 if parts.scheme == "https" else 80
    # An absolute target names the port that the URL names, http.client leaves the default one out.
    port = "" if parts.port is None or (parts.port == default and not absolute) else f":{parts.port}"
    return f"Host: {parts.host or ''}{port}".encode("latin-1")


class Message(NamedTuple):
    """A request to be sent: `head`, and the body behind it where it is at hand.

    `body`: None, or the pieces of a body that is made while it is sent, in chunks if `chunked`.
    """

    head: bytes
    body: Iterable[bytes] | None
    chunked: bool


def message_of(
    request: requests.PreparedRequest, absolute: bool = False, more: Mapping[str, str] | None = None
) -> Message:
    """The request as it goes on the wire: Host first, then the prepared headers in their order.

    `absolute`: the whole URL as target, for an HTTP proxy (RFC 9112, 3.2.2). `more`: headers that only this
    proxy is to see. Raises ValueError for a method that is no token and for a header with a line end.
    """
    assert request.url is not None and request.method is not None
    target = parse_url(urldefragauth(request.url)).url if absolute else _encode_target(request.path_url)
    if not _TOKEN.fullmatch(request.method):
        raise ValueError(f"Method cannot contain non-token characters {request.method!r}")
    headers = request.headers
    if more:
        headers = headers.copy()
        headers.update(more)
    lines = [_checked(f"{request.method} {target} HTTP/1.1".encode("latin-1"), target, "target")]
    if "Host" not in headers:
        lines.append(_host_line(request.url, absolute))
    # What urllib3 and http.client put where a request has none, or had its default removed by None.
    if "Accept-Encoding" not in headers:
        lines.append(b"Accept-Encoding: identity")
    chunked, framing = _framing(request)
    lines.extend(framing)
    if "User-Agent" not in headers:
        lines.append(f"User-Agent: {_default_agent()}".encode())
    lines.extend(_header_line(name, value) for name, value in headers.items())
    head = b"\r\n".join(lines) + b"\r\n\r\n"
    body = request.body
    if not chunked and (body is None or isinstance(body, (str, bytes, bytearray, memoryview))):
        return Message(head + b"".join(_body_pieces(body)), None, False)
    return Message(head, _body_pieces(body), chunked)
