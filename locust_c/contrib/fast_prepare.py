"""Requests of the fast client as they go on the wire: geventhttpclient's habits, where they show.

The short way in C does the same for plain calls; this is for the others (files, redirects, URLs that have
to be quoted, ...).
"""

from __future__ import annotations

import json as json_module
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import requests
from requests.models import RequestEncodingMixin
from requests.structures import CaseInsensitiveDict

__all__ = ["Call", "encode_form", "encode_json", "encode_params", "point_to", "prepare"]

# Dots, brackets and what is escaped already stay as they are given.
_SAFE_IN_URL = "!#$%&'()*+,/:;=?@[]~"
_WITH_LENGTH = ("POST", "PUT", "PATCH")

encode_form = urlencode
encode_params = RequestEncodingMixin._encode_params  # type: ignore[attr-defined]


def encode_json(value: Any) -> bytes:
    """The body of a request with ``json=value``; raises TypeError for what JSON cannot hold."""
    return json_module.dumps(value).encode()


@dataclass
class Call:
    """What a request is made of, as it was given to ``FastHttpSession.request()``; `url` is absolute."""

    method: str
    url: str
    headers: Mapping[str, Any] | None = None
    params: Any = None
    more_params: Mapping[str, Any] = field(default_factory=dict)
    data: Any = None
    json: Any = None
    files: Any = None
    auth: Any = None


def _body(call: Call, headers: CaseInsensitiveDict[str]) -> Any:
    """The body; adds the headers that describe it unless they are there."""
    data = call.data
    if call.files:
        return data
    if not data and call.json is not None:
        headers.setdefault("Content-Type", "application/json")
        headers.setdefault("Accept", "application/json")
        return encode_json(call.json)
    if isinstance(data, Mapping) and data:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
        return encode_form(data)
    if isinstance(data, str) and data:
        headers.setdefault("Content-Type", "text/plain; charset=utf-8")
    elif isinstance(data, bytes) and data:
        headers.setdefault("Content-Type", "application/octet-stream")
    return data


def _quoted(prepared_url: str, call: Call) -> str:
    """The URL with the path and query that were given: requests would normalise them."""
    netloc = urlsplit(prepared_url).netloc
    parts = urlsplit(call.url)
    queries = (parts.query, encode_params(call.params) if call.params else "", urlencode(call.more_params))
    query = "&".join(_text(query) for query in queries if query)
    path, query = quote(parts.path, _SAFE_IN_URL), quote(query, _SAFE_IN_URL)
    return urlunsplit((parts.scheme.lower(), netloc, path, query, ""))


def _text(query: str | bytes) -> str:
    return query.decode("latin-1") if isinstance(query, bytes) else query


def prepare(call: Call, defaults: Iterable[tuple[str, str]], cookies: Any) -> requests.PreparedRequest:
    """The request with its default headers and the session's cookies.

    Raises requests.exceptions.InvalidURL or InvalidHeader, which are ValueErrors, for what cannot be sent.
    """
    headers: CaseInsensitiveDict[Any] = CaseInsensitiveDict(defaults)
    for name, value in (call.headers or {}).items():
        if value is not None:
            headers[name] = value if isinstance(value, (str, bytes)) else str(value)
    parts = urlsplit(call.url)
    prepared = requests.PreparedRequest()
    prepared.prepare(
        method=call.method,
        # Without credentials: geventhttpclient sends none that stand in the URL of a call.
        url=urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="")),
        files=call.files,
        data=_body(call, headers),
        headers=headers,
        auth=call.auth,
        cookies=cookies,
    )
    if not prepared.body and prepared.method not in _WITH_LENGTH:
        prepared.headers.pop("Content-Length", None)
    prepared.url = _quoted(cast(str, prepared.url), call)
    return prepared


def point_to(prepared: requests.PreparedRequest, status: int, url: str, cookies: Any) -> None:
    """Turns the prepared request into the one that a redirect asks for (RFC 9110, 15.4)."""
    old, new = urlsplit(cast(str, prepared.url)), urlsplit(url)
    prepared.url = quote(urlunsplit(new._replace(fragment="")), _SAFE_IN_URL)
    if status in (301, 302, 303) and prepared.method != "HEAD":
        prepared.method = "GET"
        prepared.body = None
        for name in ("Content-Length", "Content-Type", "Transfer-Encoding"):
            prepared.headers.pop(name, None)
    if (old.scheme, old.netloc) != (new.scheme, new.netloc):
        prepared.headers.pop("Authorization", None)
        prepared.headers.pop("Host", None)
    prepared.headers.pop("Cookie", None)
    prepared.prepare_cookies(cookies)
