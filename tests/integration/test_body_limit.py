"""A body that is larger than the session takes is a failure with a name, whatever made it large."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import brotli
import pytest
import requests
from reported import Reports
from servers import steps
from servers.control import OpenScripted

from locust_c import FastHttpUser, HttpUser
from locust_c.contrib.fasthttp import FAILURE_EXCEPTIONS
from locust_c.failures import ResponseTooLarge

LIMIT = 20_000
FITS, LONGER = b"x" * LIMIT, b"x" * (LIMIT + 1)


def zstd_run(data: bytes) -> bytes:
    """A zstd frame of one block that repeats one byte (RFC 8878, 3.1.1.2.2)."""
    assert len(set(data)) == 1
    block = (len(data) << 3 | 0b011).to_bytes(3, "little") + data[:1]
    return b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little") + block


CODED = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd_run,
    "br, gzip": lambda data: gzip.compress(brotli.compress(data)),
}


def coded(coding: str, data: bytes) -> bytes:
    return steps.response(CODED[coding](data), headers=[("Content-Encoding", coding)])


def plain(data: bytes) -> bytes:
    return steps.response(data)


def chunked(data: bytes) -> bytes:
    return steps.chunked_response([data[:9_000], data[9_000:]])


def until_closed(data: bytes) -> bytes:
    return steps.head_bytes() + data


@pytest.fixture(params=["http", "fast"])
def open_client(request: pytest.FixtureRequest, reports: Reports) -> Any:
    return getattr(reports, request.param)


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.mark.parametrize(
    "answer",
    [
        *(pytest.param(lambda data, coding=coding: coded(coding, data), id=coding) for coding in CODED),
        plain,
        chunked,
        until_closed,
    ],
)
def test_the_limit_is_exact_and_named(
    open_client: Any, reports: Reports, scripted: OpenScripted, answer: Any
) -> None:
    def get(data: bytes) -> Any:
        client = open_client(scripted([steps.request(), steps.send(answer(data))]).url)
        client.max_body_size = LIMIT
        return client.get("/x")

    assert get(FITS).content == FITS
    response = get(LONGER)
    assert response.status_code == 0 and not response.content
    assert isinstance(response.error, ResponseTooLarge)
    text = f"The response body is larger than max_body_size ({LIMIT} bytes)"
    assert reports.exceptions == ["", f"ResponseTooLarge({text!r})"]
    assert isinstance(reports.last["exception"], requests.RequestException)
    assert isinstance(reports.last["exception"], FAILURE_EXCEPTIONS)


def test_a_bomb_fails_and_the_next_request_works(
    open_client: Any, reports: Reports, scripted: OpenScripted
) -> None:
    bomb = gzip.compress(gzip.compress(bytes(50_000_000)))
    answer = steps.response(bomb, headers=[("Content-Encoding", "gzip, gzip")])
    server = scripted([steps.request(), steps.send(answer), steps.request(), steps.reply(b"fine")])
    client = open_client(server.url)
    client.max_body_size = 1_000_000
    with client.get("/x", catch_response=True) as response:
        assert isinstance(response.error, ResponseTooLarge)
    assert client.get("/x").content == b"fine"
    assert [text != "" for text in reports.exceptions] == [True, False]
    assert len(server.connections()) == 1


def test_the_limit_is_an_attribute_of_the_session(open_client: Any) -> None:
    client = open_client("http://127.0.0.1")
    assert client.max_body_size == 256 * 1024 * 1024
    client.max_body_size = 1 << 100  # as much as there may be
    assert client.max_body_size > 1 << 40
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="max_body_size must be positive"):
            client.max_body_size = wrong
    for wrong in (1.5, None, "1"):
        with pytest.raises(TypeError, match=f"max_body_size must be a whole number of bytes, not {wrong!r}"):
            client.max_body_size = wrong
    with pytest.raises(AttributeError):
        del client.max_body_size


def test_the_class_may_say_it(reports: Reports, scripted: OpenScripted) -> None:
    for flavour in ("http", "fast"):
        server = scripted([steps.request(), steps.reply(LONGER)])
        client = getattr(reports, flavour)(server.url, max_body_size=LIMIT)
        assert client.max_body_size == LIMIT
        assert isinstance(client.get("/x").error, ResponseTooLarge)


@pytest.mark.parametrize("base", [HttpUser, FastHttpUser])
def test_a_class_with_a_wrong_limit_is_refused(base: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"Visitor\.max_body_size"):
        type("Visitor", (base,), {"max_body_size": "1M"})
