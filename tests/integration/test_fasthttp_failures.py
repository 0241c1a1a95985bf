"""FastHttpSession when the server misbehaves: outcomes, texts and resends as with geventhttpclient."""

from __future__ import annotations

import gevent
import pytest
from reported import Reports
from servers import steps
from servers.control import OpenScripted

from locust_c.contrib.fasthttp import FAILURE_EXCEPTIONS, ErrorResponse, FastHttpSession


@pytest.fixture
def reports() -> Reports:
    return Reports()


PART = steps.head_bytes(headers=[("Content-Length", "9")]) + b"abc"
LATE = {"network_timeout": 0.05, "connection_timeout": 0.05}
FAILURES: dict[str, tuple[list[steps.Step], dict[str, float], str, bytes | None]] = {
    "closed": ([steps.request()], {}, "HTTPConnectionClosed('connection closed.')", None),
    "reset": ([steps.head(), steps.reset()], {}, "HTTPConnectionClosed('connection closed.')", None),
    "silent": (
        [steps.request(), steps.stall("x")],
        LATE,
        "RetriesExceeded('URL/x', 0, original=timed out)",
        None,
    ),
    "garbage": ([steps.request(), steps.send(b"hello\r\n\r\n")], {}, "HTTPParseError(", None),
    "half a head": ([steps.request(), steps.send(b"HTTP/1.1 20")], {}, "HTTPParseError(", None),
    "cut short": ([steps.request(), steps.send(PART)], {}, "HTTPParseError('Incomplete response.')", b"abc"),
    "reset in the body": (
        [steps.request(), steps.send(PART), steps.pause(50), steps.reset()],
        {},
        "ConnectionResetError(104, 'Connection reset by peer')",
        b"abc",
    ),
    "late in the body": (
        [steps.request(), steps.send(PART), steps.stall("x")],
        LATE,
        "TimeoutError('timed out')",
        b"abc",
    ),
    "no gzip": (
        [steps.request(), steps.reply(b"plain", headers=[("Content-Encoding", "gzip")])],
        {},
        "error('Error -3 while decompressing data: incorrect header check')",
        None,
    ),
    "no br": (
        [steps.request(), steps.reply(b"plain", headers=[("Content-Encoding", "br")])],
        {},
        "error('brotli: decoder failed')",
        None,
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failures_are_those_of_geventhttpclient(reports: Reports, scripted: OpenScripted, name: str) -> None:
    script, options, reported, content = FAILURES[name]
    server = scripted(script)
    response = reports.fast(server.url, concurrency=1, **options).get("/x")
    assert reports.exceptions[0].startswith(reported.replace("URL", server.url))
    assert isinstance(reports.last["exception"], FAILURE_EXCEPTIONS)
    # Of a response that was cut short the task gets what had come, and no error.
    assert (response.content, response.status_code) == (content, 200 if content else 0)
    assert (response.error is None) == (content is not None)
    assert reports.last["response_length"] == 0


@pytest.mark.parametrize(
    ("base_url", "path", "reported"),
    [
        ("http://name.invalid", "/x", "gaierror(-2, 'Name or service not known')"),
        ("not an address", "/x", "gaierror(-2, 'Name or service not known')"),
        ("", "ftp://127.0.0.1/x", "gaierror(-2, 'Name or service not known')"),
    ],
)
def test_hosts_that_are_none_are_failures(reports: Reports, base_url: str, path: str, reported: str) -> None:
    client = FastHttpSession(base_url, reports.environment.events.request, None)
    response = client.get(path)
    assert isinstance(response, ErrorResponse)
    assert reports.exceptions == [reported]
    assert reports.names == [("GET", path)]


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/", "http://127.0.0.1:port/"])
def test_ports_that_are_none_raise(reports: Reports, url: str) -> None:
    with pytest.raises(ValueError):
        reports.fast(url).get("/x")
    assert reports.events == []


def test_no_connection_in_time(reports: Reports, silent_url: str) -> None:
    reports.fast(silent_url, connection_timeout=0.05, max_retries=1).get("/x")
    assert reports.exceptions == [f"RetriesExceeded('{silent_url}/x', 1, original=timed out)"]


# --- sending again ---

KEPT = [steps.request(), steps.reply(b"one")]


@pytest.mark.parametrize(
    ("method", "concurrency", "connections"),
    [
        *[(method, 1, 3) for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")],
        ("GET", 10, 12),
        ("POST", 10, 1),
    ],
)
def test_a_closed_connection_is_tried_again_for_idempotent_methods(
    reports: Reports, scripted: OpenScripted, method: str, concurrency: int, connections: int
) -> None:
    server = scripted([steps.request()])
    reports.fast(server.url, concurrency=concurrency).request(method, "/x")
    assert len(server.connections()) == connections
    assert reports.exceptions == ["HTTPConnectionClosed('connection closed.')"]
    assert reports.environment.stats.get("/x", method).num_resent == connections - 1


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("PATCH", 0)])
def test_a_kept_connection_that_closes_after_the_request(
    reports: Reports, scripted: OpenScripted, method: str, status: int
) -> None:
    server = scripted([*KEPT, steps.request()], KEPT)
    client = reports.fast(server.url)
    client.get("/first")
    assert client.request(method, "/second").status_code == status


def test_a_kept_connection_that_was_closed_is_not_used(reports: Reports, scripted: OpenScripted) -> None:
    server = scripted([*KEPT, steps.close()], KEPT)
    client = reports.fast(server.url)
    client.get("/x")
    server.wait_for("ended")
    assert client.post("/x", data="y").status_code == 200
    assert len(server.requests()) == 2
    assert reports.environment.stats.total.num_resent == 0


@pytest.mark.parametrize(("method", "connections"), [("GET", 3), ("POST", 1)])
def test_a_time_out_is_tried_again_max_retries_times(
    reports: Reports, scripted: OpenScripted, method: str, connections: int
) -> None:
    server = scripted([steps.request(), steps.stall("x")])
    reports.fast(server.url, network_timeout=0.05, max_retries=2).request(method, "/x")
    assert len(server.connections()) == connections
    assert reports.exceptions == [f"RetriesExceeded('{server.url}/x', 2, original=timed out)"]
    assert reports.environment.stats.total.num_resent == connections - 1


# --- a time-out of the task's own ---


@pytest.mark.parametrize("more", [{}, {"files": ()}], ids=["short way", "long way"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_time_out_of_gevent_is_a_failure(
    reports: Reports, scripted: OpenScripted, method: str, more: dict[str, tuple[()]]
) -> None:
    server = scripted([steps.request(), steps.stall("x")])
    client = reports.fast(server.url)
    with gevent.Timeout(0.02):
        response = client.request(method, "/x", **more)
    with gevent.Timeout(0.02, False), client.get("/y", catch_response=True, name="block", **more) as caught:
        caught.failure("too late")
    assert isinstance(response, ErrorResponse)
    assert isinstance(caught, ErrorResponse)
    assert (response.request.method, response.url) == (method, f"{server.url}/x")
    late = f"RetriesExceeded('{server.url}/x', 0, original=0.02 seconds)"
    assert reports.exceptions == [late, "CatchResponseError('too late')"]
    assert reports.names == [(method, "/x"), ("GET", "block")]
    assert 15 < reports.events[0]["response_time"] < 2000


@pytest.mark.parametrize("error", [ValueError("mine"), gevent.GreenletExit()])
def test_other_exceptions_end_a_request_unreported(
    reports: Reports, scripted: OpenScripted, error: BaseException
) -> None:
    server = scripted([steps.request(), steps.stall("x")])
    with pytest.raises(type(error)), gevent.Timeout(0.02, error):
        reports.fast(server.url).get("/x")
    assert reports.events == []
