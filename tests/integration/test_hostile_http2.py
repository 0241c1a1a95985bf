"""HTTP/2 servers that misbehave: a failure with a name, under its request's name, and the next request works.

The frames are written out by hand (RFC 9113, 4.1 and 6); 0x88 is ":status: 200" in HPACK.
"""

from __future__ import annotations

import fnmatch
import struct
import time
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from reported import Reports
from servers.certificates import Certificates
from servers.control import OpenScripted
from servers.real import nghttpd
from servers.steps import Step, close, flood, reset, send, stall, until, wait_eof

DATA, HEADERS, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    *(0, 1, 3, 4, 5),
    *(6, 7, 8, 9),
)
END_STREAM, END_HEADERS = 1, 4
OK = b"\x88"
FIELD = b"\x00\x01a\x01b"
TIMEOUT_S, PATIENCE_S = 0.1, 5.0


def frame(
    kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"", length: int | None = None
) -> bytes:
    """One frame; `length`: what it says of its payload, if that is not true."""
    size = len(payload) if length is None else length
    return struct.pack(">I", size)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def goaway(last_stream: int, error: int) -> bytes:
    return frame(GOAWAY, payload=struct.pack(">II", last_stream, error))


def broken_off(stream: int, error: int) -> bytes:
    return frame(RST_STREAM, stream=stream, payload=struct.pack(">I", error))


def asked(stream: int) -> Step:
    """Waits for the head of a request on this stream, with or without a priority, with or without a body."""
    ids = struct.pack(">I", stream)
    return until(*(bytes([HEADERS, flags]) + ids for flags in (0x04, 0x05, 0x24, 0x25)))


def answer(stream: int, content: bytes = b"next") -> bytes:
    return frame(HEADERS, END_HEADERS, stream, OK) + frame(DATA, END_STREAM, stream, content)


START = send(frame(SETTINGS))
BROKEN = "*the server broke the HTTP/2 protocol*"
PREFACE = until(b"SM\r\n\r\n")
HTTP_1 = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
HEAD = frame(HEADERS, END_HEADERS, 1, OK)
FINE = [START, asked(1), send(answer(1)), asked(3), send(answer(3)), wait_eof()]
LATE = "late"


def after_request(data: bytes, *then: Step) -> list[Step]:
    """The first request gets these frames; those that follow on the same connection are answered."""
    return [START, asked(1), send(data), *(then or (asked(3), send(answer(3)), wait_eof()))]


# What the first connection does, and words of what the statistics show.
CASES: dict[str, tuple[list[Step], str]] = {
    **{
        f"stream reset, {name}": (after_request(broken_off(1, error)), "*HTTP/2 stream*")
        for error, name in {
            0: "no error",
            1: "protocol error",
            2: "internal error",
            5: "stream closed",
            8: "cancel",
            11: "enhance your calm",
        }.items()
    },
    "stream refused": (after_request(broken_off(1, 7)), "*REFUSED_STREAM*"),
    "going away before the request": (after_request(goaway(0, 0), wait_eof()), "*GOAWAY*"),
    "stream reset in the body": (
        after_request(HEAD + frame(DATA, 0, 1, b"abc") + broken_off(1, 2)),
        "*HTTP/2 stream*",
    ),
    "going away with an error": (after_request(goaway(1, 2), wait_eof()), LATE),
    "going away, and closed": (after_request(goaway(1, 2), close()), "*"),
    "going away in the body": (after_request(HEAD + frame(DATA, 0, 1, b"abc") + goaway(1, 2), close()), "*"),
    "closed before the settings": ([PREFACE, close()], "*"),
    "closed before the head": (after_request(b"", close()), "*"),
    "closed in the head": (after_request(frame(HEADERS, 0, 1, OK), close()), "*"),
    "closed in the body": (after_request(HEAD + frame(DATA, 0, 1, b"abc"), close()), "*"),
    "closed in a frame": (after_request(HEAD + frame(DATA, 0, 1, b"abc", length=9), close()), "*"),
    "connection reset": (after_request(HEAD, reset()), "*"),
    "silence before the settings": ([wait_eof()], LATE),
    "silence before the head": (after_request(b"", stall("never")), LATE),
    "silence in the body": (after_request(HEAD + frame(DATA, 0, 1, b"abc"), stall("never")), LATE),
    "HTTP/1.1": (
        [PREFACE, send(HTTP_1), wait_eof()],
        BROKEN,
    ),
    "garbage": ([PREFACE, send(b"garbage " * 10), wait_eof()], BROKEN),
    "a frame of 16 MB": (after_request(frame(DATA, 0, 1, b"abc", length=0xFFFFFF), wait_eof()), BROKEN),
    "data before the head": (after_request(frame(DATA, 0, 1, b"abc"), wait_eof()), BROKEN),
    "data on stream 0": (after_request(frame(DATA, 0, 0, b"abc"), wait_eof()), BROKEN),
    "head that is no HPACK": (
        after_request(frame(HEADERS, END_HEADERS, 1, b"\xff" * 20), wait_eof()),
        BROKEN,
    ),
    "head without a status": (
        after_request(frame(HEADERS, END_HEADERS | END_STREAM, 1, FIELD)),
        "*HTTP/2 stream was not closed cleanly: PROTOCOL_ERROR*",
    ),
    "a push that nobody wants": (
        after_request(frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">I", 2) + b"\x82"), wait_eof()),
        LATE,
    ),
    "a part of a frame": (after_request(HEAD + b"\xff" * 5, stall("never")), LATE),
    "a window that overflows": (
        after_request(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0x7FFFFFFF)) * 2, wait_eof()),
        BROKEN,
    ),
    "settings of a wrong size": (after_request(frame(SETTINGS, payload=b"abc"), wait_eof()), BROKEN),
    "endless continuations": (
        [
            START,
            asked(1),
            send(frame(HEADERS, 0, 1, OK)),
            flood(frame(CONTINUATION, 0, 1, FIELD * 1000)),
        ],
        "*",
    ),
    "a body that is longer than it says": (
        after_request(
            frame(HEADERS, END_HEADERS, 1, OK + b"\x0f\x0d\x013") + frame(DATA, END_STREAM, 1, b"abcdef")
        ),
        "*HTTP/2 stream was not closed cleanly: PROTOCOL_ERROR*",
    ),
    "a body that is shorter than it says": (
        after_request(
            frame(HEADERS, END_HEADERS, 1, OK + b"\x0f\x0d\x019") + frame(DATA, END_STREAM, 1, b"abc")
        ),
        "*HTTP/2 stream was not closed cleanly: PROTOCOL_ERROR*",
    ),
}


@pytest.fixture(scope="module", autouse=True)
def warm(certificates: Certificates) -> None:
    """The lane keeps some of what it made, for the next requests; that is no test's leftover."""
    with nghttpd(certificates) as server:
        session = Reports().http(server.url, http_version="2")
        gevent.joinall([gevent.spawn(session.get, "/plain.txt") for _ in range(30)], raise_error=True)
        session.close()


@pytest.fixture
def reports() -> Iterator[Reports]:
    return Reports()


@pytest.mark.parametrize("flavour", ["http", "fast"])
@pytest.mark.parametrize("name", CASES)
def test_a_failure_has_a_name_and_the_next_request_works(
    reports: Reports, scripted: OpenScripted, flavour: str, name: str
) -> None:
    script, words = CASES[name]
    server = scripted(script, FINE)
    timeout = TIMEOUT_S if words == LATE else PATIENCE_S
    attributes: dict[str, Any] = {"http_version": "2"}
    if flavour == "fast":
        attributes |= {"network_timeout": timeout, "connection_timeout": timeout}
    client = getattr(reports, flavour)(server.url, **attributes)
    options = {"timeout": timeout} if flavour == "http" else {}
    began = time.monotonic()
    client.post("/broken", data=b"", name="a name", **options)
    assert time.monotonic() - began < timeout + PATIENCE_S
    if words == LATE:
        assert "timed out" in reports.exceptions[0].lower()
    else:
        assert reports.exceptions[0] and fnmatch.fnmatchcase(reports.exceptions[0], words)
    assert "stream 1" not in reports.exceptions[0], "each stream would be a row of its own"
    entry = reports.environment.stats.get("a name", "POST")
    assert (entry.num_requests, entry.num_failures) == (1, 1)
    response = client.get("/next", **options)
    assert (response.status_code, response.content) == (200, b"next")


@pytest.mark.parametrize("flavour", ["http", "fast"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "refusal", [broken_off(3, 7), goaway(1, 0)], ids=["a refused stream", "going away before it"]
)
def test_what_the_server_of_a_kept_connection_did_not_look_at_is_sent_again(
    reports: Reports, scripted: OpenScripted, flavour: str, refusal: bytes, method: str
) -> None:
    """On a new connection, as it is safe with every method (RFC 9113, 8.7)."""
    server = scripted([START, asked(1), send(answer(1, b"first")), asked(3), send(refusal), wait_eof()], FINE)
    client = getattr(reports, flavour)(server.url, http_version="2")
    assert client.get("/x").content == b"first"
    response = client.request(method, "/x", data=b"body" if method == "POST" else None)
    assert (response.status_code, response.content) == (200, b"next"), reports.exceptions
    assert reports.exceptions == ["", ""]
    assert len(server.connections()) == 2


def test_sending_again_does_not_come_to_an_end(reports: Reports, scripted: OpenScripted) -> None:
    """A server may end each connection after some requests, for as long as the run takes."""
    last = [START, asked(1), send(answer(1)), asked(3), send(broken_off(3, 7) + goaway(1, 0)), wait_eof()]
    server = scripted(last)
    client = reports.http(server.url, http_version="2")
    for _ in range(30):
        assert client.post("/x", data=b"body").content == b"next", reports.exceptions
    assert reports.environment.stats.total.num_failures == 0
