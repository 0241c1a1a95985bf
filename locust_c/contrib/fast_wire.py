"""Requests of the fast client's long way as they go on the wire: geventhttpclient's habits, where they show.

geventhttpclient itself makes the request object (headers, form and multipart bodies, parameters); what is
here does what its connection would do: check it, and write it out. The short way in C does the same for
plain calls.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from geventhttpclient.client import HTTPClient
from geventhttpclient.header import Headers
from geventhttpclient.useragent import CompatRequest

from locust_c.credentials import SECRET_HEADERS, without_userinfo

__all__ = ["Wire", "are_plain", "default_lines", "header_block", "host_line", "refuse_line_ends", "wire_of"]

Lines = tuple[tuple[str, Any], ...]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(r"[^\x00-\x20\x7f]*")
_LINE_END = re.compile(r"[\r\n\0]")
_FILE_BLOCK = 65536
_WITH_LENGTH = ("POST", "PUT", "PATCH")


def _pairs(items: Any) -> list[tuple[Any, Any]]:
    return list(items.items()) if hasattr(items, "items") else list(items)


def _heads_of_parts(files: Any, data: Any) -> Iterator[Any]:
    """What stands in the heads of a multipart body: names, types, headers."""
    yield from (name for name, _ in _pairs(data or {}))
    for name, file in _pairs(files):
        yield name
        if isinstance(file, (tuple, list)):
            yield from (file[0], *file[2:3])
            yield from (text for pair in _pairs(*file[3:4] or ({},)) for text in pair)


def refuse_line_ends(url: str, files: Any = None, data: Any = None) -> None:
    """Raises ValueError for CR, LF and NUL in a URL, where urllib would drop them silently, and in the heads
    of multipart parts, where geventhttpclient would not quote them.
    """
    if _LINE_END.search(url):
        raise ValueError(f"invalid request URI {without_userinfo(url)!r}")
    for text in _heads_of_parts(files, data) if files else ():
        if _LINE_END.search(text.decode("latin-1") if isinstance(text, bytes) else str(text)):
            raise ValueError(f"invalid name, type or header of a file: {text!r}")


def host_line(host: str, port: int | None) -> str:
    """The value of Host: without the ports that either scheme implies."""
    shown = f"[{host}]" if ":" in host else host
    return shown if port in (80, 443, None) else f"{shown}:{port}"


# --- default headers ---


@lru_cache(maxsize=1024)
def header_block(base_url: str, headers: Lines) -> bytes:
    """Host and default headers as they go on the wire; shared by all sessions of a base URL."""
    parts = urlsplit(base_url)
    try:
        host = host_line(parts.hostname or "", parts.port)
    except ValueError:
        host = ""
    lines = [f"{name}: {value}\r\n" for name, value in (("Host", host), *headers)]
    return "".join(lines).encode("latin-1", "replace")


@lru_cache(maxsize=64)
def _shared(headers: Lines) -> Lines:
    """One object for all sessions with these headers."""
    return headers


def default_lines(of_pool: Mapping[str, Any], keep_alive: bool, own: Mapping[str, Any]) -> Lines:
    """geventhttpclient's default headers, replaced by a pool's, and these by `own`."""
    headers = HTTPClient.DEFAULT_HEADERS.copy()
    headers.update(of_pool)
    if not keep_alive:
        headers["Connection"] = "close"
    headers.update(own)
    lines = ((name, value if isinstance(value, bytes) else str(value)) for name, value in headers.items())
    return _shared(tuple(lines))


@lru_cache(maxsize=64)
def are_plain(headers: Lines) -> bool:
    """Whether they may go out as they are: allowed lines, of names that differ."""
    if len(headers) != len({str(name).lower() for name, _ in headers}):
        return False
    try:
        return all(_line(name, value) for name, value in headers)
    except ValueError:
        return False


# --- requests ---


class Wire(NamedTuple):
    """A request as it goes out: `head`, and behind it the `pieces` of a body that is not in memory.

    `chunked`: the pieces are sent in the chunked transfer coding (RFC 9112, 7.1).
    """

    head: bytes
    pieces: Iterator[bytes] | None = None
    chunked: bool = False


def _pieces(body: Any, block_size: int) -> Iterator[bytes]:
    """The body in the pieces it is sent in."""
    if isinstance(body, (bytes, bytearray, memoryview)):
        body = io.BytesIO(body)
    if hasattr(body, "read"):
        while piece := body.read(block_size):
            yield _as_bytes(piece)
    else:
        yield from map(_as_bytes, body)


def _as_bytes(piece: Any) -> bytes:
    if isinstance(piece, str):
        return piece.encode()
    if isinstance(piece, (bytes, bytearray, memoryview)):
        return bytes(piece)
    raise TypeError(f"pieces of a body must be bytes or str, not {type(piece).__name__}")


def _length(body: Any) -> int | None:
    """How long the body is, None if it does not say."""
    if isinstance(body, (bytes, bytearray, memoryview)):
        return len(body)
    try:
        return os.fstat(body.fileno()).st_size - int(body.tell())
    except (AttributeError, OSError):
        return None


def _line(name: Any, value: Any) -> str:
    if not isinstance(name, str) or not _TOKEN.fullmatch(name):
        raise ValueError(f"invalid header field name {name!r}")
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    if not _VALUE.fullmatch(text):
        shown = "" if name.lower() in SECRET_HEADERS else f": {value!r}"
        raise ValueError(f"invalid value for header field {name!r}{shown}")
    return f"{name}: {text}\r\n"


def wire_of(
    request: CompatRequest, through_proxy: bool = False, proxy_authorization: str | None = None
) -> Wire:
    """The request to be sent; `through_proxy`: with the whole URL as target (RFC 9112, 3.2.2).

    Raises ValueError for a method, target or header that is not allowed to go out.
    """
    url, method = request.url_split, request.method
    target: str = url.quoted_uri
    if not _TOKEN.fullmatch(method):
        raise ValueError(f"invalid HTTP method {method!r}")
    if not _TARGET.fullmatch(target) or target.startswith("//"):
        raise ValueError(f"invalid request URI {target!r}")
    target = target if target.startswith("/") else f"/{target}"
    if through_proxy:
        target = f"http://{url.host}:{url.port}{target}"
    headers = Headers(HTTPClient.DEFAULT_HEADERS)
    headers.update(request.headers)
    if "Host" not in headers:
        headers["Host"] = host_line(url.host, url.port)
    if through_proxy and proxy_authorization is not None:
        headers.setdefault("Proxy-Authorization", proxy_authorization)
    body: Any = request.payload or b""
    if isinstance(body, str):
        body = body.encode()
    length = _length(body)
    chunked = length is None or "chunked" in str(headers.get("Transfer-Encoding", "")).lower()
    if chunked:
        headers.setdefault("Transfer-Encoding", "chunked")
        headers.discard("Content-Length")
    elif length or method in _WITH_LENGTH:
        headers.setdefault("Content-Length", str(length))
    lines = "".join(_line(name, value) for name, value in headers.items())
    head = f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")
    if chunked:
        return Wire(head, _pieces(body, HTTPClient.BLOCK_SIZE), chunked=True)
    if isinstance(body, (bytes, bytearray, memoryview)):
        return Wire(head + body)
    return Wire(head, _pieces(body, _FILE_BLOCK))
