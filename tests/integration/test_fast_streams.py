"""Bodies of FastHttpSession that are not in memory at once: read as they arrive, sent as they are made."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest
from geventhttpclient.response import HTTPParseError
from geventhttpclient.useragent import ConnectionError as FastConnectionError
from reported import Reports, in_block
from servers import steps
from servers.control import Echo, OpenScripted

from locust_c.contrib.fasthttp import ErrorResponse, FastHttpSession, FastResponse, LocustBadStatusCode
from locust_c.failures import ResponseTooLarge


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def client(reports: Reports, echo: Echo) -> FastHttpSession:
    return reports.fast(echo.url)


HALVES = [
    *(steps.request(), steps.send(steps.head_bytes(headers=[("Content-Length", "6")]) + b"abc")),
    *(steps.stall("rest"), steps.send(b"def"), steps.request(), steps.reply(b"next")),
]
CUT = [steps.request(), steps.send(steps.head_bytes(headers=[("Content-Length", "6")]) + b"abc")]


def test_a_streamed_response_is_there_before_its_body(reports: Reports, scripted: OpenScripted) -> None:
    server = scripted(HALVES)
    client = reports.fast(server.url)
    response = client.get("/x", stream=True)
    assert (type(response), response.status_code, response.isclosed()) == (FastResponse, 200, False)
    # Its sample is made with the head, which says how long it will be (Locust's behaviour).
    assert (reports.last["response"], reports.last["response_length"]) == (response, 6)
    assert response.read(2) == b"ab"
    server.release("rest")
    assert response._response.read(1) == b"c"  # geventhttpclient's response, which plug-ins read
    assert (response.read(1), response.read(), response.read(), response.content) == (b"d", b"ef", b"", b"")
    assert (response.isclosed(), client.get("/y").text) == (True, "next")
    assert len(server.connections()) == 1


def test_the_rest_of_a_body_is_its_content(client: FastHttpSession) -> None:
    response = client.get("/bytes/10", stream=True)
    assert (response.read(3), response.content, response.text) == (
        b"\0\1\2",
        bytes(range(3, 10)),
        "\3\4\5\6\7\x08\t",
    )
    assert client.get("/chunked", stream=True).json()["target"] == "/chunked"


def test_a_body_is_read_by_lines_and_pieces(reports: Reports, scripted: OpenScripted) -> None:
    body = b"one\r\ntwo\nthree\r\nf\xc3\xbcnf\r\nend"
    server = scripted(
        [steps.repeat(steps.request(), steps.send(steps.chunked_response([body[:7], body[7:]])))]
    )
    client = reports.fast(server.url)
    for stream in (True, False):
        response = client.get("/x", stream=stream)
        assert [response.readline(), response.readline()] == [b"one\r\n", b"two\nthree\r\n"]
        assert list(response.iter_content(3)) == ["f\u00fc", "nf\r", "\nen", "d"]
        # Where a piece is not UTF-8 it stays bytes (Locust's behaviour).
        assert list(client.get("/x", stream=stream).iter_content(18)) == [body[:18], body[18:]]
        assert next(client.get("/x", stream=stream).iter_content(18, decode_content=False)) == body[:18]
        assert b"".join(client.get("/x", stream=stream)) == body
        assert (client.get("/x", stream=stream).readline(), response.readline()) == (b"one\r\n", b"")


@pytest.mark.parametrize("path", ["/gzip", "/deflate", "/raw-deflate", "/br"])
def test_codings_of_a_streamed_body_are_undone(client: FastHttpSession, path: str) -> None:
    assert client.get(path, stream=True).json()["target"] == path
    assert "".join(client.get(path, stream=True).iter_content(7)) == client.get(path, stream=True).text
    assert [line[:9] for line in client.iter_lines(path)] == ['{"method"']
    # As it came from the connection.
    assert client.get(path, stream=True).read(1) != b"{"


def test_what_is_not_in_its_coding_is_raised_when_it_is_read(
    reports: Reports, scripted: OpenScripted
) -> None:
    packed = gzip.compress(bytes(10_000))
    bodies = [b"plain", packed[:-9], packed]
    replies = [steps.reply(body, headers=[("Content-Encoding", "gzip")]) for body in bodies]
    client = reports.fast(scripted(*[[steps.request(), reply] for reply in replies]).url)
    for limit, error in ((10_000, zlib.error), (10_000, zlib.error), (9_999, ResponseTooLarge)):
        client.max_body_size = limit
        response = client.get("/x", stream=True)
        with pytest.raises(error):
            _ = response.content
    assert reports.exceptions == [""] * 3


def test_lines_are_given_as_they_arrive(reports: Reports, scripted: OpenScripted) -> None:
    head = steps.head_bytes(headers=[("Content-Type", "text/event-stream")])
    script = [
        steps.request(),
        steps.send(head + b"one\ntw"),
        steps.stall("more"),
        steps.send("o\r\n\nü".encode()),
    ]
    server = scripted(script)
    lines = reports.fast(server.url).iter_lines("/events", name="events")
    assert reports.events == []
    assert next(lines) == "one"
    server.wait_for("stalled")
    server.release("more")
    assert list(lines) == ["two\r", "", "ü"]
    assert [(event["name"], event["response_length"]) for event in reports.events] == [("events", 0)]


def test_lines_of_a_failed_response_raise(client: FastHttpSession, reports: Reports) -> None:
    with pytest.raises(LocustBadStatusCode):
        list(client.iter_lines("/status/404", "POST", data="x"))
    assert reports.exceptions == ["LocustBadStatusCode(code=404)"]


def test_a_body_that_breaks_off_raises_when_it_is_read(reports: Reports, scripted: OpenScripted) -> None:
    client = reports.fast(scripted(CUT, CUT, [*CUT, steps.reset()], HALVES).url, network_timeout=0.1)
    response = client.get("/x", stream=True)
    assert response.read(3) == b"abc"
    with pytest.raises(HTTPParseError, match="Incomplete response"):
        response.read()
    with pytest.raises(HTTPParseError), client.get("/x", stream=True, catch_response=True) as caught:
        caught.read()
    with pytest.raises((ConnectionResetError, HTTPParseError)):
        client.get("/x", stream=True).read()
    with pytest.raises(TimeoutError):
        client.get("/x", stream=True).read()
    assert reports.exceptions == [""] * 3  # with their heads; nothing of a block that raised


def test_a_response_that_is_released_early_does_not_keep_others_waiting(
    reports: Reports, scripted: OpenScripted
) -> None:
    server = scripted([*CUT, steps.wait_eof()], [steps.request(), steps.reply(b"two"), steps.wait_eof()])
    client = reports.fast(server.url)
    with client.get("/x", stream=True) as response:
        assert response.read(1) == b"a"
    assert (response.read(), client.get("/y").text) == (b"", "two")
    server.wait_for("ended")
    assert [bool(seen.end) for seen in server.connections()] == [True, False]


def test_a_streamed_response_is_judged_by_its_status(client: FastHttpSession, reports: Reports) -> None:
    assert client.get("/status/500", stream=True).json()["target"] == "/status/500"
    in_block(client.get("/status/500", stream=True, catch_response=True), lambda response: response.success())
    assert reports.exceptions == ["LocustBadStatusCode(code=500)", ""]


def test_redirects_of_streamed_responses_are_followed(client: FastHttpSession, reports: Reports) -> None:
    response = client.get("/redirect/2", stream=True)
    assert [step.content for step in response.history] == [b"moved", b"moved"]
    assert response.json()["target"] == "/anything"
    assert reports.names == [("GET", "/redirect/2")]


def test_the_body_of_a_redirect_does_not_matter(reports: Reports, scripted: OpenScripted) -> None:
    head = steps.head_bytes(302, headers=[("Location", "/there"), ("Content-Length", "6")])
    server = scripted([steps.request(), steps.send(head + b"abc")], [steps.request(), steps.reply(b"there")])
    response = reports.fast(server.url).get("/here")
    assert (response.text, [step.content for step in response.history]) == ("there", [b"abc"])
    assert reports.exceptions == [""]


def test_a_streamed_response_without_one(reports: Reports, refused_url: str) -> None:
    response = reports.fast(refused_url).get("/x", stream=True)
    assert (type(response), response.content, response.read()) == (ErrorResponse, None, b"")
    assert (bool(response), list(response.iter_content())) == (False, [])


def test_the_length_of_a_response_is_its_truth(client: FastHttpSession) -> None:
    full, empty, chunked = (client.get(path) for path in ("/bytes/3", "/bytes/0", "/chunked"))
    assert (len(full), bool(full), len(empty), bool(empty)) == (3, True, 0, False)
    assert len(chunked) == len(chunked.content)
    streamed = client.get("/chunked", stream=True)
    assert bool(streamed)
    with pytest.raises(TypeError):
        len(streamed)
    assert len(client.get("/bytes/3", stream=True)) == 3


# --- what is sent ---


class Slow(io.RawIOBase):
    """A file without a length that says how often it was read from."""

    def __init__(self) -> None:
        self.reads = 0

    def read(self, size: int = -1) -> bytes:
        self.reads += 1
        return b"x" * size if self.reads < 3 else b""


def test_bodies_of_unknown_length_are_chunked(client: FastHttpSession) -> None:
    sent = client.post("/anything", data=(piece for piece in (b"ab", b"", "ü"))).json()
    assert sent["raw"].endswith("Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\n\u00c3\u00bc\r\n0\r\n\r\n")
    assert ["content-type", "application/octet-stream"] in sent["headers"]
    source = Slow()
    assert len(client.post("/anything", data=source).json()["body"]) == 2 * 4096
    assert (source.reads, client.post("/anything", data=io.BytesIO(b"x")).json()["body"]) == (3, "x")


def test_files_are_sent_with_their_length(client: FastHttpSession, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(100_000))
    with path.open("rb") as file:
        file.seek(10)
        sent = client.put("/anything", data=file).json()
    assert dict(sent["headers"])["Content-Length"] == str(len(sent["body"])) == "99990"


def test_a_transfer_coding_of_the_call_is_kept_to(client: FastHttpSession) -> None:
    sent = client.post("/anything", data="abc", headers={"Transfer-Encoding": "chunked"}).json()
    assert sent["raw"].endswith("\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    assert "Content-Length" not in dict(sent["headers"])


def test_a_body_is_sent_while_it_is_made(reports: Reports, scripted: OpenScripted) -> None:
    server = scripted([steps.head(), steps.stall("rest"), steps.body(), steps.reply(b"done")])
    client = reports.fast(server.url)

    def pieces() -> Iterator[bytes]:
        yield b"first"
        server.wait_for("requests")
        server.release("rest")
        yield b"second"

    assert gevent.spawn(client.post, "/x", data=pieces()).get(timeout=5).text == "done"


def test_a_body_that_raises_ends_the_call(client: FastHttpSession, reports: Reports) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"first"
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        client.post("/anything", data=pieces())
    with pytest.raises(TypeError, match="pieces of a body"):
        client.post("/anything", data=[1, 2])
    assert reports.events == []
    assert client.get("/anything").status_code == 200


def test_a_body_is_sent_again_after_a_redirect_if_it_can_be(
    client: FastHttpSession, reports: Reports
) -> None:
    assert client.post("/redirect/1?status=307", data=io.BytesIO(b"again")).json()["body"] == "again"
    client.post("/redirect/1?status=307", data=iter([b"once"]))
    assert "cannot be rewound" in reports.exceptions[1]
    assert isinstance(reports.last["exception"], FastConnectionError)
