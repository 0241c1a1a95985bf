"""One call made with requests.Session and with HttpSession, and everything that can be seen of it."""

from __future__ import annotations

import datetime
import http.cookiejar
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from locust_c.clients import HttpSession
from locust_c.event import EventHook

Call = Callable[[requests.Session, str], requests.Response]
Seen = dict[str, Any]


@contextmanager
def stock_session() -> Iterator[requests.Session]:
    """A requests.Session as Locust's own session sets it up."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@contextmanager
def our_session(base_url: str = "") -> Iterator[requests.Session]:
    """An HttpSession outside of any test run."""
    session = HttpSession(base_url=base_url, request_event=EventHook(), user=None)
    try:
        yield session
    finally:
        session.close()


def observe(session: requests.Session, call: Call, base: str) -> Seen:
    """Makes the call; returns what a locustfile can see of its outcome, without what must differ."""
    try:
        response = call(session, base)
    except requests.RequestException as error:
        return {"error": error_seen(error), "cookies kept": cookies_seen(session.cookies)}
    except Exception as error:
        # A mistake in the call: what kind is the contract, each side has words of its own.
        return {"raised": type(error).__name__}
    if getattr(response, "error", None) is not None:
        return {"error": error_seen(response.error), "cookies kept": cookies_seen(session.cookies)}
    return {**response_seen(response), "cookies kept": cookies_seen(session.cookies)}


def response_seen(response: requests.Response) -> Seen:
    """All that requests documents of a response."""
    assert isinstance(response, requests.Response)
    return {
        "status": (response.status_code, response.reason, response.ok, bool(response)),
        "url": response.url,
        "headers": list(response.headers.items()),
        "header look-up": response.headers.get("content-TYPE"),
        "encoding": response.encoding,
        "content": response.content,
        "text": response.text,
        "json": json_seen(response),
        "history": [(step.status_code, step.url, step.content) for step in response.history],
        "redirects": (response.is_redirect, response.is_permanent_redirect, response.next is None),
        "cookies": cookies_seen(response.cookies),
        "links": response.links,
        "elapsed": type(response.elapsed) is datetime.timedelta and response.elapsed.total_seconds() > 0,
        "status error": status_error_seen(response),
        "request": request_seen(response.request),
        "lines": list(response.iter_lines()),
        "pieces": b"".join(response.iter_content(7)),
    }


def request_seen(request: requests.PreparedRequest) -> Seen:
    """The prepared request that a response came from."""
    body = request.body
    return {
        "method": request.method,
        "url": request.url,
        "headers": list(request.headers.items()),
        "body": body if isinstance(body, (str, bytes)) else None,
    }


def json_seen(response: requests.Response) -> object:
    """The body as JSON, or the exception that it is none."""
    try:
        return response.json()
    except requests.exceptions.JSONDecodeError as error:
        return f"JSONDecodeError: {error}"


def status_error_seen(response: requests.Response) -> str:
    """What raise_for_status() does."""
    try:
        response.raise_for_status()
    except requests.HTTPError as error:
        return str(error)
    return ""


def cookies_seen(jar: http.cookiejar.CookieJar) -> list[tuple[object, ...]]:
    """Every cookie of a jar, in an order that does not depend on the jar."""
    return sorted((cookie_seen(cookie) for cookie in jar), key=repr)


def cookie_seen(cookie: http.cookiejar.Cookie) -> tuple[object, ...]:
    """One cookie with all its attributes."""
    return (
        *(
            cookie.domain,
            cookie.path,
            cookie.name,
            cookie.value,
            cookie.secure,
            cookie.expires,
            cookie.discard,
        ),
        *(cookie.domain_specified, cookie.domain_initial_dot, cookie.path_specified),
        cookie.has_nonstandard_attr("HttpOnly"),
    )


def error_seen(error: BaseException) -> tuple[str, str]:
    """Type and text of a failure."""
    return type(error).__name__, str(error)


def neutral(value: Any, port: int) -> Any:
    """`value` without what differs from run to run: ports, addresses of objects, lines in C, boundaries."""
    if isinstance(value, dict):
        return {neutral(key, port): neutral(item, port) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(neutral(item, port) for item in value)
    if isinstance(value, bytes):
        return neutral(value.decode("latin-1"), port).encode("latin-1")
    if isinstance(value, str):
        value = re.sub(r" at 0x[0-9a-f]+| \(_ssl\.c:\d+\)", "", value)
        value = re.sub(r"\b[0-9a-f]{32}\b", "boundary", value)
        return value.replace(f":{port}", ":PORT").replace(f"port={port}", "port=PORT")
    return value


def marked(names: Iterable[str], different: dict[str, str]) -> list[object]:
    """The names as parameters; those known to differ are expected to fail, and must."""
    unknown = different.keys() - set(names)
    assert not unknown, f"no such cases: {unknown}"
    return [
        pytest.param(name, marks=pytest.mark.xfail(reason=different[name], strict=True))
        if name in different
        else name
        for name in names
    ]
