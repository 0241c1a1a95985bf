"""Responses with `stream=True` beside those of requests.Session: every way to read them, whole and broken."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from typing import Any

import brotli
import pytest
import requests
import urllib3
from parity import Seen, error_seen, neutral, our_session, stock_session
from reported import Reports, in_block
from servers import steps
from servers.control import Echo, OpenScripted, Scripted
from servers.steps import Step

from locust_c.clients import HttpSession
from locust_c.failures import ResponseTooLarge

# Line ends of one byte: how requests splits others depends on how the body happens to arrive.
TEXT = "".join(
    f"line {number} über\n" if number % 3 else f"line {number}\n\n" for number in range(400)
).encode()
LENGTH = [("Content-Length", str(len(TEXT)))]


def pieces_of(text: bytes, size: int = 100) -> list[bytes]:
    return [text[at : at + size] for at in range(0, len(text), size)]


BODIES: dict[str, bytes] = {
    "length": steps.response(TEXT, headers=[("Content-Type", "text/plain; charset=utf-8")]),
    "chunked": steps.chunked_response(pieces_of(TEXT)),
    "until closed": steps.head_bytes() + TEXT,
    "gzip": steps.response(gzip.compress(TEXT), headers=[("Content-Encoding", "gzip")]),
    "gzip in chunks": steps.chunked_response(
        pieces_of(gzip.compress(TEXT)), headers=[("Content-Encoding", "gzip")]
    ),
    "deflate": steps.response(steps.deflated(TEXT), headers=[("Content-Encoding", "deflate")]),
    "br": steps.response(brotli.compress(TEXT), headers=[("Content-Encoding", "br")]),
    "two codings": steps.response(
        gzip.compress(steps.deflated(TEXT)), headers=[("Content-Encoding", "deflate, gzip")]
    ),
    "a coding nobody knows": steps.response(TEXT, headers=[("Content-Encoding", "rot13")]),
    "nothing": steps.response(b""),
    "no body": steps.head_bytes(204, "No Content"),
    "no chunk": steps.chunked_response([]),
}
BROKEN: dict[str, list[Step]] = {
    "length cut": [steps.send(steps.head_bytes(headers=LENGTH) + TEXT[:100])],
    "chunks cut": [steps.send(steps.chunked_response([TEXT]).removesuffix(b"0\r\n\r\n"))],
    "inside a chunk": [steps.send(steps.chunked_response([TEXT])[:-3000])],
    "bad chunk": [steps.send(steps.chunked_response([TEXT[:100]]).replace(b"\r\n0\r\n", b"\r\nzz\r\n"))],
    "reset": [steps.send(steps.head_bytes(headers=LENGTH) + TEXT[:100]), steps.pause(20), steps.reset()],
    "late": [steps.send(steps.head_bytes(headers=LENGTH) + TEXT[:100]), steps.stall("never")],
    "no gzip": [steps.send(steps.response(b"no gzip at all", headers=[("Content-Encoding", "gzip")]))],
}


def raw_in_pieces(response: requests.Response) -> object:
    pieces = []
    while piece := response.raw.read(7):
        pieces.append(piece)
    return pieces


def two_ways(response: requests.Response) -> object:
    return next(response.iter_content(10), b""), b"".join(response.iter_content(10))


def as_text(response: requests.Response) -> object:
    pieces: list[Any] = list(response.iter_content(77, decode_unicode=True))
    return type(pieces[0])().join(pieces) if pieces else None


def content_after_stream(response: requests.Response) -> object:
    return b"".join(response.iter_content(10)), response.content


def stream_after_stream(response: requests.Response) -> object:
    return b"".join(response.iter_content(10)), list(response.iter_content(10))


def stream_after_content(response: requests.Response) -> object:
    return response.content, list(response.iter_content(1000)), response.content


def closed_early(response: requests.Response) -> object:
    with closing(response):
        next(response.iter_content(10), None)
    return response.raw.closed


def shown(response: requests.Response) -> object:
    raw = response.raw
    return (
        *(raw.status, raw.reason, raw.version, raw.version_string, list(raw.headers.items())),
        *(raw.getheader("content-length"), raw.chunked, raw.length_remaining, raw.readable()),
        *(isinstance(raw, urllib3.HTTPResponse), raw._original_response.msg.get_all("Content-Length")),
    )


READERS: dict[str, Callable[[requests.Response], object]] = {
    "content": lambda r: (r.content, r.text, r.content),
    "iter_content": lambda r: b"".join(r.iter_content(77)),
    "iter_content of one": lambda r: b"".join(list(r.iter_content())),
    "iter_content of none": lambda r: b"".join(r.iter_content(None)),
    "iter_content of text": as_text,
    "iter_content of a str": lambda r: list(r.iter_content("77")),  # type: ignore[arg-type]
    "iter_lines": lambda r: list(r.iter_lines()),
    "iter_lines of text": lambda r: list(r.iter_lines(decode_unicode=True)),
    "iter_lines with delimiter": lambda r: list(r.iter_lines(50, delimiter=b"9")),
    "iteration": lambda r: b"".join(r),
    "raw.read": lambda r: (r.raw.read(), r.raw.read(), r.raw.closed),
    "raw.read decoded": lambda r: r.raw.read(decode_content=True),
    "raw.read in pieces": raw_in_pieces,
    "raw.stream": lambda r: b"".join(r.raw.stream(50, decode_content=True)),
    "raw.stream undecoded": lambda r: b"".join(r.raw.stream(50)),
    "raw.data": lambda r: r.raw.data,
    "raw.read1": lambda r: len(r.raw.read1(3)),
    "raw.readinto": lambda r: r.raw.readinto(bytearray(5)),
    "two ways": two_ways,
    "content after stream": content_after_stream,
    "stream after stream": stream_after_stream,
    "stream after content": stream_after_content,
    "closed early": closed_early,
    "shown": shown,
}


def outcome(
    session: AbstractContextManager[requests.Session],
    server: Scripted,
    read: Callable[[requests.Response], object],
) -> Seen:
    """What reading a streamed response in that way brings."""
    with session as client:
        response = client.get(f"{server.url}/x", stream=True, timeout=0.2)
        assert isinstance(response, requests.Response)
        with closing(response):
            try:
                seen: object = read(response)
            except Exception as error:
                seen = error_seen(error)
    result = neutral({"seen": seen}, server.port)
    assert isinstance(result, dict)
    return result


# requests loses the rest of a body in chunks when it is read by two iterators, and its lines are not the same
# for every way a body may arrive.
NOT_WITH_CHUNKS = ("two ways", "iter_lines with delimiter")
CASES = [
    (body, reader)
    for body in BODIES
    for reader in READERS
    if not (reader in NOT_WITH_CHUNKS and "chunk" in body)
]


@pytest.mark.parametrize(("body", "reader"), CASES)
def test_a_body_is_read_as_with_requests(scripted: OpenScripted, body: str, reader: str) -> None:
    server = scripted([steps.request(), steps.send(BODIES[body]), steps.close()])
    expected = outcome(stock_session(), server, READERS[reader])
    assert outcome(our_session(), server, READERS[reader]) == expected


BREAKING = [
    "content",
    "iter_content",
    "iter_content of one",
    "iter_lines",
    "raw.read",
    "raw.stream",
    "raw.data",
]
# Of a chunk that is cut urllib3 counts the bytes of the piece it was reading, and http.client, which reads
# for raw.read() and raw.data, says of bad chunks what it says of a body that is cut.
BROKEN_CASES = [
    (body, reader)
    for body in BROKEN
    for reader in BREAKING
    if not (body == "inside a chunk" and reader != "content")
    and not ("chunk" in body and reader in ("raw.read", "raw.data"))
]


@pytest.mark.parametrize(("body", "reader"), BROKEN_CASES)
def test_a_body_breaks_off_as_with_requests(scripted: OpenScripted, body: str, reader: str) -> None:
    server = scripted([steps.request(), *BROKEN[body]])
    expected = outcome(stock_session(), server, READERS[reader])
    assert outcome(our_session(), server, READERS[reader]) == expected


# --- what only Locust's session has ---


@pytest.fixture
def reports() -> Reports:
    return Reports()


def test_the_sample_ends_with_the_head(reports: Reports, scripted: OpenScripted) -> None:
    server = scripted(
        [
            steps.request(),
            steps.send(steps.head_bytes(headers=[("Content-Length", "6")]) + b"abc"),
            steps.stall("go"),
            steps.send(b"def"),
            steps.wait_eof(),
        ]
    )
    response = reports.http(server.url).get("/x", stream=True)
    assert (reports.names, reports.last["response_length"]) == ([("GET", "/x")], 6)
    server.release("go")
    assert response.content == b"abcdef"
    assert len(reports.events) == 1


@pytest.mark.parametrize("head", [[], [("Transfer-Encoding", "chunked")], [("Content-Length", "")]])
def test_an_unknown_length_counts_as_none(
    reports: Reports, scripted: OpenScripted, head: list[tuple[str, str]]
) -> None:
    server = scripted([steps.request(), steps.send(steps.head_bytes(headers=head) + b"0\r\n\r\n")])
    response = reports.http(server.url).get("/x", stream=True)
    response.close()
    assert reports.last["response_length"] == 0


def test_a_block_decides_over_a_streamed_response(reports: Reports, echo: Echo) -> None:
    client = reports.http(echo.url)
    with client.get("/bytes/1000", stream=True, catch_response=True) as response:
        if len(response.content) == 1000:
            response.failure("too long")
    response = in_block(client.get("/status/500", stream=True, catch_response=True))
    assert b"status/500" in response.content
    assert reports.exceptions[0] == "CatchResponseError('too long')"
    assert "500 Server Error" in reports.exceptions[1]


@pytest.mark.parametrize("path", ["/bytes/10", "/chunked", "/bytes/100000"])
def test_a_response_that_was_read_gives_its_connection_back(echo: Echo, path: str) -> None:
    client = HttpSession(echo.url, None, None)
    for _ in range(3):
        assert sum(map(len, client.get(path, stream=True).iter_content(1000))) > 0
    assert client.get("/bytes/10").status_code == 200


def test_one_that_was_not_read_leaves_the_next_request_alone(
    reports: Reports, scripted: OpenScripted
) -> None:
    half = steps.send(steps.head_bytes(headers=[("Content-Length", "6")]) + b"abc")
    server = scripted([steps.request(), half, steps.wait_eof()], [steps.request(), steps.reply(b"two")])
    client = reports.http(server.url)
    response = client.get("/x", stream=True)
    assert client.get("/y").content == b"two"
    assert next(response.iter_content(2)) == b"ab"
    response.close()
    server.wait_for("ended")
    assert (len(server.connections()), reports.exceptions) == (2, ["", ""])


def test_lines_come_as_they_arrive(scripted: OpenScripted) -> None:
    chunk = b"6\r\nline\n\n\r\n"
    server = scripted(
        [
            steps.request(),
            steps.send(steps.head_bytes(headers=[("Transfer-Encoding", "chunked")]) + chunk),
            steps.stall("more"),
            steps.send(chunk + b"0\r\n\r\n"),
            steps.wait_eof(),
        ]
    )
    lines = HttpSession(server.url, None, None).get("/x", stream=True).iter_lines()
    assert next(lines) == b"line"
    server.release("more")
    assert list(lines) == [b"", b"line", b""]


def test_zstd_is_decoded_without_a_package_for_it(scripted: OpenScripted) -> None:
    # A frame of one raw block (RFC 8878, 3.1.1).
    frame = b"\x28\xb5\x2f\xfd\x20\x05" + (5 << 3 | 1).to_bytes(3, "little") + b"zstd!"
    data = steps.response(frame, headers=[("Content-Encoding", "zstd")])
    server = scripted(
        [steps.request(), steps.send(data), steps.request(), steps.send(data[:-1]), steps.close()]
    )
    client = HttpSession(server.url, None, None)
    assert b"".join(client.get("/x", stream=True).iter_content(3)) == b"zstd!"
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        _ = client.get("/x", stream=True).content


def test_the_body_in_memory_is_bounded(reports: Reports, echo: Echo) -> None:
    client = reports.http(echo.url)
    client.max_body_size = 1000
    assert len(client.get("/bytes/1000", stream=True).content) == 1000
    with pytest.raises(ResponseTooLarge, match="max_body_size"):
        _ = client.get("/bytes/1001", stream=True).content
    assert sum(map(len, client.get("/bytes/5000", stream=True).iter_content(100))) == 5000


def test_a_session_may_stream_by_default(reports: Reports, echo: Echo) -> None:
    client = reports.http(echo.url)
    client.stream = True
    response: Any = client.get("/bytes/10")
    assert response._content is False
    assert len(response.content) == 10
    assert client.get("/bytes/10", stream=False)._content is not False
