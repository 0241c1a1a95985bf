"""Bodies that go piece by piece, at the level of `_core.Session._exchange`, for both kinds of session."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
import requests
from gevent.threadpool import ThreadPoolExecutor
from servers import steps
from servers.control import Echo, OpenScripted, Scripted

from locust_c.clients import HttpSession
from locust_c.contrib.fasthttp import FastHttpSession
from locust_c.hub import get_engine

CHUNKED = "Transfer-Encoding: chunked\r\n"
BLOCK = b"0123456789abcdef" * 4096


@pytest.fixture(params=[HttpSession, FastHttpSession])
def open_session(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A function that makes a session for a base URL."""
    with contextlib.ExitStack() as opened:

        def make(url: str) -> Any:
            session = request.param(url, None, None)
            opened.callback(session.close)
            return session

        yield make


def exchange(session: Any, method: str = "GET", head: str = "", **options: Any) -> Any:
    wire = f"{method} / HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode()
    return session._exchange(method, f"{session.base_url}/", wire, False, 5.0, None, None, None, **options)


def begin_stream(open_session: Any, server: Scripted) -> Any:
    return exchange(open_session(server.url), stream=True)


def test_the_response_is_there_with_its_head(open_session: Any, scripted: OpenScripted) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"
    server = scripted([steps.request(), steps.send(head + b"abc"), steps.stall("rest"), steps.send(b"def")])
    response = begin_stream(open_session, server)
    assert (response.status_code, response._content) == (200, False)
    assert response._stream.read(2) == b"ab"
    assert response._stream.read(100) == b"c"
    assert not response._stream.ended
    server.release("rest")
    assert response._stream.read() == b"def"
    assert response._stream.read(1) == response._stream.read() == b""
    assert response._stream.ended


def test_a_large_body_is_read_in_pieces(open_session: Any, scripted: OpenScripted) -> None:
    size = 100 * len(BLOCK)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    server = scripted([steps.request(), steps.send(head), *[steps.send(BLOCK)] * 100])
    stream = begin_stream(open_session, server)._stream
    pieces = list(iter(lambda: stream.read(10_000), b""))
    assert b"".join(pieces) == BLOCK * 100
    assert max(map(len, pieces)) <= 10_000


def test_other_greenlets_run_while_one_waits_for_a_piece(open_session: Any, scripted: OpenScripted) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
    server = scripted([steps.request(), steps.send(head), steps.stall("byte"), steps.send(b"x")])
    stream = begin_stream(open_session, server)._stream
    reader = gevent.spawn(stream.read)
    gevent.sleep(0)
    with pytest.raises(RuntimeError, match="another greenlet reads this response"):
        stream.read()
    server.release("byte")
    assert reader.get(timeout=5) == b"x"


@pytest.mark.parametrize("how", ["close", "drop"])
def test_a_response_that_is_not_read_to_its_end_closes_its_connection(
    open_session: Any, scripted: OpenScripted, how: str
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome"
    server = scripted([steps.request(), steps.send(head), steps.wait_eof()])
    response = begin_stream(open_session, server)
    if how == "close":
        response._stream.close()
        assert response._stream.closed
        assert response._stream.read() == b""
    else:
        del response
        gc.collect()
    server.wait_for("ended")
    assert server.connections()[0].end == "done"


def test_a_response_read_to_its_end_gives_its_connection_back(
    open_session: Any, scripted: OpenScripted
) -> None:
    server = scripted([steps.repeat(steps.request(), steps.reply(b"body"))])
    session = open_session(server.url)
    for _ in range(3):
        assert exchange(session, stream=True)._stream.read() == b"body"
    assert len(server.connections()) == 1


def test_a_greenlet_that_is_killed_while_it_reads_closes_the_connection(
    open_session: Any, scripted: OpenScripted
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    server = scripted([steps.request(), steps.send(head), steps.wait_eof()])
    stream = begin_stream(open_session, server)._stream
    reader = gevent.spawn(stream.read)
    gevent.sleep(0)
    reader.kill()
    assert stream.closed
    server.wait_for("ended")
    assert get_engine().counts()["operations"] == 0


def test_a_gevent_timeout_ends_reading(open_session: Any, scripted: OpenScripted) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    server = scripted([steps.request(), steps.send(head), steps.wait_eof()])
    stream = begin_stream(open_session, server)._stream
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.02):
        stream.read()
    server.wait_for("ended")


def test_a_body_that_breaks_off_raises(scripted: OpenScripted) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome"
    server = scripted([steps.request(), steps.send(head)])
    with HttpSession(server.url, None, None) as session:
        stream = exchange(session, stream=True)._stream
        assert stream.read(100) == b"some"
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match=r"4 bytes read, 96 more"):
            stream.read()


def test_a_body_is_sent_while_it_is_made(open_session: Any, scripted: OpenScripted) -> None:
    server = scripted([steps.head(), steps.stall("head read"), steps.body(), steps.reply(b"done")])

    def pieces() -> Iterator[bytes]:
        server.wait_for("stalled")  # the head is on its way before the first piece is asked for
        server.release("head read")
        yield b"first"
        gevent.sleep(0)
        yield bytearray(b"second")
        yield b""
        yield memoryview(b"third")

    session = open_session(server.url)
    response = exchange(session, "POST", CHUNKED, body=pieces(), chunked=True)
    assert response.content == b"done"
    assert server.requests()[0].endswith(b"\r\n\r\n5\r\nfirst\r\n6\r\nsecond\r\n5\r\nthird\r\n0\r\n\r\n")


def test_a_body_of_known_length_goes_out_as_it_is(open_session: Any, echo: Echo) -> None:
    session = open_session(echo.url)
    blocks = 64
    response = exchange(
        session,
        "POST",
        f"Content-Length: {blocks * len(BLOCK)}\r\n",
        body=(BLOCK for _ in range(blocks)),
    )
    assert response.status_code == 200
    assert len(response.json()["body"]) == blocks * len(BLOCK)


def test_what_a_generator_raises_reaches_the_caller(open_session: Any, scripted: OpenScripted) -> None:
    server = scripted([steps.request(), steps.reply()])

    def pieces() -> Iterator[bytes]:
        yield b"some"
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        exchange(open_session(server.url), "POST", CHUNKED, body=pieces(), chunked=True)
    server.wait_for("ended")
    assert get_engine().counts()["operations"] == 0


def test_a_piece_must_be_bytes(open_session: Any, scripted: OpenScripted) -> None:
    server = scripted([steps.request(), steps.reply()])
    with pytest.raises(TypeError, match="bytes-like"):
        exchange(open_session(server.url), "POST", CHUNKED, body=["text"], chunked=True)


def test_an_answer_before_the_end_of_the_body_is_taken(open_session: Any, scripted: OpenScripted) -> None:
    server = scripted([steps.head(), steps.reply(b"no", status=413, reason="Too Large"), steps.wait_eof()])
    made: list[int] = []

    def pieces() -> Iterator[bytes]:
        for number in range(1000):
            made.append(number)
            yield b"x"
            gevent.sleep(0.001)

    session = open_session(server.url)
    response = exchange(session, "POST", CHUNKED, body=pieces(), chunked=True)
    assert (response.status_code, response.content) == (413, b"no")
    assert len(made) < 1000


def test_both_ways_at_once(open_session: Any, echo: Echo) -> None:
    session = open_session(echo.url)
    response = exchange(session, "POST", CHUNKED, body=iter([b"a", b"b"]), chunked=True, stream=True)
    assert b'"POST"' in response._stream.read()


def test_the_engine_may_close_before_the_response(scripted: OpenScripted) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    server = scripted([steps.request(), steps.send(head), steps.wait_eof()])

    def run() -> bytes:
        from locust_c import hub

        session = HttpSession(server.url, None, None)
        stream = exchange(session, stream=True)._stream
        hub.get_engine().close()
        with pytest.raises(requests.exceptions.ConnectionError, match="cancelled"):
            stream.read()
        stream.close()
        return b"closed"

    with ThreadPoolExecutor(1) as thread:  # of its own: its engine stays closed
        assert thread.submit(run).result(timeout=5) == b"closed"
