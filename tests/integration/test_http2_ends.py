"""HTTP/2 as nginx speaks it, and how its connections and streams end: orderly, refused, reset."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from servers import steps
from servers.certificates import Certificates
from servers.control import OpenScripted
from servers.real import LARGE, RealServer, nginx
from servers.steps import Step

from locust_c.clients import HttpSession
from locust_c.contrib.fasthttp import FastHttpSession
from locust_c.event import EventHook
from locust_c.hub import get_engine

# What libcurl sends up to its first request: preface, SETTINGS with three entries, WINDOW_UPDATE, and of the
# HEADERS the part that all frames have.
BEFORE_REQUEST = 24 + (9 + 18) + (9 + 4) + 9
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4


@pytest.fixture(scope="module", autouse=True)
def server(certificates: Certificates) -> Iterator[RealServer]:
    with nginx(certificates, http2=True) as server:
        # The lane keeps some of what it made, for the next requests; that is no test's leftover.
        with open_session(HttpSession, server.tls_url, str(certificates.ca)) as session:
            gevent.joinall([gevent.spawn(session.get, "/plain.txt") for _ in range(30)], raise_error=True)
        yield server


@pytest.fixture(params=[HttpSession, FastHttpSession])
def kind(request: pytest.FixtureRequest) -> Any:
    """Each class of session."""
    return request.param


@contextlib.contextmanager
def open_session(kind: Any, url: str, ca: str | None = None) -> Iterator[Any]:
    session = kind(url, EventHook(), None, http_version="2")
    session.verify = ca or session.verify
    with contextlib.closing(session):
        yield session


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload) << 8 | kind) + struct.pack(">BI", flags, stream) + payload


def answer(stream: int, body: bytes) -> bytes:
    """Status 200 (index 8 of HPACK's static table) and that body."""
    head = frame(HEADERS, END_HEADERS, stream, b"\x88")
    return head + frame(DATA, END_STREAM, stream, body)


def reset(stream: int, code: int) -> bytes:
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def goaway(last_stream: int, code: int = 0) -> bytes:
    return frame(GOAWAY, 0, 0, struct.pack(">II", last_stream, code))


def says(*frames: bytes) -> list[Step]:
    """A server that greets, and says this when a request has begun."""
    greeting = frame(SETTINGS, 0, 0) + frame(SETTINGS, ACK, 0)
    return [
        steps.send(greeting),
        steps.take(BEFORE_REQUEST),
        steps.send(b"".join(frames)),
        steps.wait_eof(),
    ]


def test_nginx_is_spoken_to_over_http_2(kind: Any, server: RealServer, certificates: Certificates) -> None:
    before = get_engine().counts()["opened"]
    with open_session(kind, server.tls_url, str(certificates.ca)) as session:
        waiting = [gevent.spawn(session.get, f"/plain.txt?{number}") for number in range(10)]
        gevent.joinall(waiting, raise_error=True, timeout=10)
        assert {greenlet.value.text for greenlet in waiting} == {"a plain text\n"}
        assert all(greenlet.value._status_line.startswith("HTTP/2") for greenlet in waiting)
        assert session.get("/large.bin").content == LARGE
    assert get_engine().counts()["opened"] - before == 1


def test_redirects_and_cookies(kind: Any, server: RealServer, certificates: Certificates) -> None:
    with open_session(kind, server.tls_url, str(certificates.ca)) as session:
        response = session.get("/redirect")
        assert (response.status_code, response.text) == (200, "a plain text\n")
        assert session.get("/redirect", allow_redirects=False).status_code == 302
        assert session.get("/login").status_code == 200
        cookies = getattr(session, "cookies", None) or session.cookiejar
        assert {cookie.name: cookie.value for cookie in cookies} == {"a": "1", "b": "2"}


def test_an_upload_of_a_mebibyte(kind: Any, server: RealServer, certificates: Certificates) -> None:
    with open_session(kind, server.tls_url, str(certificates.ca)) as session:
        assert session.post("/upload", data=b"x" * (1 << 20)).text == str(1 << 20)


def test_a_connection_that_takes_three_requests_fails_none(kind: Any, server: RealServer) -> None:
    """It ends with GOAWAY, and the next request goes to a new one."""
    before = get_engine().counts()["opened"]
    with open_session(kind, server.brief_url) as session:
        for _ in range(10):
            response = session.get("/plain.txt")
            assert (response.status_code, response.text) == (200, "a plain text\n")
    assert get_engine().counts()["opened"] - before >= 4


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ([reset(1, 2)], "INTERNAL_ERROR"),
        ([reset(1, 11)], "ENHANCE_YOUR_CALM"),
        ([reset(1, 7)], "REFUSED_STREAM"),
        ([goaway(0)], "GOAWAY"),
        ([frame(HEADERS, END_HEADERS, 1, b"\x88"), reset(1, 8)], "CANCEL"),
    ],
    ids=["reset", "calm", "refused", "goaway", "reset behind the head"],
)
def test_how_a_stream_ended_is_named_and_the_next_request_works(
    kind: Any, scripted: OpenScripted, frames: list[bytes], words: str
) -> None:
    server = scripted(says(*frames), says(answer(1, b"next")))
    with open_session(kind, server.url) as session:
        failed = session.get("/")
        assert failed.status_code == 0
        assert words in str(failed.error)
    with open_session(kind, server.url) as session:
        assert session.get("/").text == "next"
