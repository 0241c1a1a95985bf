"""Servers that misbehave in every way we could think of.

Each is a failure with a name, within its time-out, counted under the name of its request, and the next
request of the same user works. What requests says of many of these is compared in test_failures_parity.
"""

from __future__ import annotations

import fnmatch
import gzip
import time
from typing import Any

import pytest
from misbehaviour import CASES, PATIENCE_S, TIMEOUT_S
from reported import Reports
from servers import steps
from servers.certificates import Certificates
from servers.control import OpenScripted
from servers.steps import Step, chunked_response, repeat, reply, request, send, stall, wait_eof


@pytest.fixture
def reports() -> Reports:
    return Reports()


FLAVOURS = pytest.mark.parametrize("flavour", ["http", "fast"])


def client_of(flavour: str, reports: Reports, url: str, timeout: float = PATIENCE_S) -> Any:
    """A client that does not send again what failed, and trusts every certificate."""
    if flavour == "fast":
        return reports.fast(url, network_timeout=timeout, connection_timeout=timeout)
    client = reports.http(url)
    client.verify = False
    return client


def options_of(flavour: str, timeout: float) -> dict[str, float]:
    """How a call says its time-out, where the client does not."""
    return {"timeout": timeout} if flavour == "http" else {}


@FLAVOURS
@pytest.mark.parametrize("name", CASES)
def test_a_failure_has_a_name_and_the_next_request_works(
    reports: Reports, scripted: OpenScripted, certificates: Certificates, flavour: str, name: str
) -> None:
    case = CASES[name]
    fine = [repeat(request(), reply(b"next"))]
    server = scripted(case.script, fine, tls=case.tls, **case.options)
    timeout = TIMEOUT_S if case.is_late else PATIENCE_S
    url = server.url.replace("http:", "https:") if case.https else server.url
    client = client_of(flavour, reports, url, timeout)
    client.verify = str(certificates.ca) if case.verify else False

    began = time.monotonic()
    response = client.post("/broken", data=case.body, name="a name", **options_of(flavour, timeout))
    took = time.monotonic() - began

    words = case.words(flavour)
    assert fnmatch.fnmatchcase(reports.exceptions[0], f"*{words}*" if words else "")
    assert response.status_code == case.status[flavour == "fast"]
    assert took < timeout + PATIENCE_S
    assert took > timeout * 0.9 or not case.is_late
    entry = reports.environment.stats.get("a name", "POST")
    assert (entry.num_requests, entry.num_failures) == (1, bool(words))

    client.verify = False
    good = scripted(fine) if case.options else server
    response = client.get(f"{good.url}/next", **options_of(flavour, PATIENCE_S))
    assert (response.status_code, response.content) == (200, b"next")
    assert [name for _, name in reports.names] == ["a name", "/next"] or flavour == "fast"


RESPONSES = {
    "with a length": steps.response(b"0123456789", headers=[("X-A", "1")]),
    "in chunks": chunked_response([b"01234", b"56789"], trailers=[("X-T", "1")]),
    "gzip in chunks": chunked_response(
        [gzip.compress(b"0123456789")[:9], gzip.compress(b"0123456789")[9:]],
        headers=[("Content-Encoding", "gzip")],
    ),
    "behind an interim one": b"HTTP/1.1 103 Early Hints\r\n\r\n" + steps.response(b"0123456789"),
}


@FLAVOURS
@pytest.mark.parametrize("end", [steps.close(), steps.reset()], ids=["closed", "reset"])
@pytest.mark.parametrize("kind", RESPONSES)
def test_a_connection_that_breaks_anywhere(
    reports: Reports, scripted: OpenScripted, flavour: str, end: Step, kind: str
) -> None:
    data = RESPONSES[kind]
    places = [*range(0, len(data), 5), len(data) - 1]
    server = scripted(
        *([request(), send(data[:place]), end] for place in places), [repeat(request(), send(data))]
    )
    client = client_of(flavour, reports, server.url)
    for _ in places:
        client.post("/x")
    assert all(reports.exceptions), "no part is taken for the whole"
    assert len(server.connections()) == len(places)
    assert client.get("/x").content == b"0123456789"
    assert reports.exceptions[-1] == ""


@FLAVOURS
def test_bytes_that_nobody_asked_for_answer_no_request(
    reports: Reports, scripted: OpenScripted, flavour: str
) -> None:
    forged = steps.response(b"forged")
    server = scripted(
        [request(), reply(b"first"), send(forged), stall("here"), wait_eof()],
        [repeat(request(), reply(b"next"))],
    )
    client = client_of(flavour, reports, server.url)
    assert client.get("/x").content == b"first"
    server.wait_for("stalled")
    for _ in range(2):
        assert client.get("/x").content == b"next"
    assert [len(seen.requests) for seen in server.connections()] == [1, 2]


@FLAVOURS
@pytest.mark.parametrize("garbage", [b"more", steps.response(b"forged"), b"\0" * 100_000])
def test_what_follows_a_response_ends_its_connection(
    reports: Reports, scripted: OpenScripted, flavour: str, garbage: bytes
) -> None:
    server = scripted(
        [request(), send(steps.response(b"first") + garbage), wait_eof()], [repeat(request(), reply(b"next"))]
    )
    client = client_of(flavour, reports, server.url)
    assert client.get("/x").content == b"first"
    assert client.get("/x").content == b"next"
    assert [len(seen.requests) for seen in server.connections()] == [1, 1]


@FLAVOURS
def test_a_slow_response_is_in_time_as_long_as_something_comes(
    reports: Reports, scripted: OpenScripted, flavour: str
) -> None:
    data = steps.response(b"slowly" * 4)
    pause_ms, timeout = 10.0, 0.25
    assert len(data) * pause_ms / 1000 > 2 * timeout
    server = scripted([request(), steps.drip(data, pause_ms), request(), reply(b"next")])
    client = client_of(flavour, reports, server.url, timeout)
    assert client.get("/x", **options_of(flavour, timeout)).content == b"slowly" * 4
    assert reports.last["response_time"] > 2 * timeout * 1000
    assert client.get("/x").content == b"next"
