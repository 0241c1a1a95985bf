"""What a session is set up with, and what single settings become on the wire."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
from requests.auth import HTTPBasicAuth, _basic_auth_str
from requests.models import RequestEncodingMixin
from requests.utils import DEFAULT_ACCEPT_ENCODING, default_user_agent

from locust_c.tls_context import Certificate, TlsSettings, settings_of_requests

__all__ = [
    "absolute_http_url_regexp",
    "auth_line",
    "context_source",
    "default_headers",
    "encode_form",
    "encode_json",
    "header_block",
    "tls_settings",
    "url_below",
    "without_credentials",
]

absolute_http_url_regexp = re.compile(r"^https?://", re.I)

# json.dumps makes an encoder for each call that does not take the defaults; requests refuses NaN.
_encode = json.JSONEncoder(allow_nan=False).encode


@lru_cache(maxsize=2)
def default_headers(keep_alive: bool = True) -> tuple[tuple[str, str], ...]:
    return (
        ("User-Agent", default_user_agent()),
        ("Accept-Encoding", DEFAULT_ACCEPT_ENCODING),
        ("Accept", "*/*"),
        ("Connection", "keep-alive" if keep_alive else "close"),
    )


@lru_cache(maxsize=1024)
def header_block(base_url: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    """Host and default headers as they go on the wire; shared by all sessions of a base URL."""
    parts = urlsplit(base_url)
    try:
        port = parts.port
    except ValueError:
        port = None
    host = parts.netloc.rpartition("@")[2]
    if port == {"http": 80, "https": 443}.get(parts.scheme.lower()):
        host = host.rpartition(":")[0]
    lines = [f"{name}: {value}\r\n" for name, value in (("Host", host.lower()), *headers)]
    return "".join(lines).encode("latin-1", "replace")


def url_below(base_url: str, path: str) -> str:
    """Locust's rule: an absolute URL as it is, everything else appended to the base URL."""
    if absolute_http_url_regexp.match(path):
        return path
    # A URL of another scheme is taken for a path, and paths are shown.
    return f"{base_url}{without_credentials(path)[0] if '://' in path else path}"


@lru_cache(maxsize=1024)
def without_credentials(base_url: str) -> tuple[str, tuple[str, str] | None]:
    """The URL without `user:password@`, and these, percent-decoded."""
    parts = urlsplit(base_url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return base_url, None
    user, _, password = userinfo.partition(":")
    return urlunsplit(parts._replace(netloc=host)), (unquote(user), unquote(password))


def context_source(user: Any) -> Callable[[], dict[str, Any]] | None:
    """The user's context method, if it has one of its own."""
    method = getattr(type(user), "context", None)
    if method is None or getattr(method, "__module__", None) == "locust_c.user.users":
        return None
    return cast("Callable[[], dict[str, Any]]", user.context)


def auth_line(auth: Any) -> bytes | None:
    """Basic credentials as a header line; None for every other kind of authentication."""
    if type(auth) is HTTPBasicAuth:
        auth = (auth.username, auth.password)
    if not isinstance(auth, tuple) or len(auth) != 2 or not all(isinstance(part, str) for part in auth):
        return None
    return f"Authorization: {_basic_auth_str(*auth)}\r\n".encode("latin-1")


def encode_form(data: Any) -> Any:
    """As requests encodes forms and params."""
    return RequestEncodingMixin._encode_params(data)  # type: ignore[attr-defined]


def encode_json(value: Any) -> bytes:
    """As requests encodes JSON; raises InvalidJSONError."""
    try:
        return _encode(value).encode()
    except ValueError as error:
        raise requests.exceptions.InvalidJSONError(error) from error


def tls_settings(verify: Any, cert: Certificate) -> TlsSettings:
    """What `verify` and `cert` mean: like requests takes them, so an empty text is no verification."""
    if isinstance(verify, os.PathLike):
        verify = os.fspath(verify)
    return settings_of_requests(verify if verify or verify is None else False, cert)
