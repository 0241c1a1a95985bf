"""HTTP/2 against real servers: nghttpd (prior knowledge and TLS) and nginx (TLS without HTTP/2)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
import requests
from reported import Reports
from servers import steps
from servers.certificates import Certificates
from servers.control import OpenScripted
from servers.real import LARGE, RealServer, nghttpd, nginx

from locust_c.clients import HttpSession
from locust_c.contrib.fasthttp import FastHttpSession
from locust_c.event import EventHook
from locust_c.hub import get_engine

KINDS = [HttpSession, FastHttpSession]


@pytest.fixture(scope="module", autouse=True)
def http2(certificates: Certificates) -> Iterator[RealServer]:
    with nghttpd(certificates) as server:
        # The lane keeps some of what it made, for the next requests; that is no test's leftover.
        with open_session(HttpSession, server.url, certificates) as session:
            gevent.joinall([gevent.spawn(session.get, "/plain.txt") for _ in range(30)], raise_error=True)
        yield server


@pytest.fixture(scope="module")
def http1(certificates: Certificates) -> Iterator[RealServer]:
    with nginx(certificates) as server:
        yield server


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Any:
    """Each class of session."""
    return request.param


@pytest.fixture(params=[False, True], ids=["prior knowledge", "TLS"])
def url(request: pytest.FixtureRequest, http2: RealServer) -> str:
    return http2.tls_url if request.param else http2.url


@contextlib.contextmanager
def open_session(kind: Any, url: str, certificates: Certificates, **options: Any) -> Iterator[Any]:
    """A session that speaks HTTP/2 and trusts the test's authority."""
    options.setdefault("http_version", "2")
    session = kind(url, options.pop("event", EventHook()), None, **options)
    session.verify = str(certificates.ca)
    try:
        yield session
    finally:
        session.close()


def is_http2(response: Any) -> bool:
    line: str = response._status_line
    return line.startswith("HTTP/2")


def opened() -> int:
    return int(get_engine().counts()["opened"])


def test_requests_share_one_connection(kind: Any, url: str, certificates: Certificates) -> None:
    before = opened()
    with open_session(kind, url, certificates) as session:
        for _ in range(3):
            response = session.get("/plain.txt")
            assert (response.status_code, response.text) == (200, "a plain text\n")
            assert is_http2(response)
    assert opened() - before == 1


def test_requests_at_the_same_time_are_multiplexed(kind: Any, url: str, certificates: Certificates) -> None:
    before = opened()
    with open_session(kind, url, certificates) as session:
        assert session.get("/plain.txt").status_code == 200
        waiting = [gevent.spawn(session.get, f"/large.bin?{number}") for number in range(20)]
        gevent.joinall(waiting, raise_error=True, timeout=20)
        assert all(greenlet.value.content == LARGE for greenlet in waiting)
    assert opened() - before == 1


def test_users_do_not_share_connections(kind: Any, url: str, certificates: Certificates) -> None:
    before = opened()
    for _ in range(2):
        with open_session(kind, url, certificates) as session:
            assert session.get("/plain.txt").status_code == 200
    assert opened() - before == 2


def test_the_version_may_be_said_per_request(
    kind: Any, http1: RealServer, certificates: Certificates
) -> None:
    with open_session(kind, http1.tls_url, certificates, http_version="1.1") as session:
        # Negotiated, and refused: this server has no HTTP/2.
        response = session.get("/plain.txt", http_version="2")
        assert (response.status_code, response.text) == (200, "a plain text\n")
        assert response._status_line.startswith("HTTP/1.1")


def test_one_request_of_a_session_may_speak_http_2(
    kind: Any, http2: RealServer, certificates: Certificates
) -> None:
    with open_session(kind, http2.url, certificates, http_version="1.1") as session:
        assert is_http2(session.get("/plain.txt", http_version="2"))


@pytest.mark.parametrize("flavour", ["http", "fast"])
def test_users_say_it_in_their_class(flavour: str, http2: RealServer) -> None:
    reports = Reports()
    client = getattr(reports, flavour)(http2.url, http_version="2")
    assert is_http2(client.get("/plain.txt"))
    [entry] = reports.environment.stats.entries.values()
    assert (entry.name, entry.method, entry.num_requests) == ("/plain.txt", "GET", 1)
    assert entry.total_content_length == len("a plain text\n")


def test_bodies_go_up_and_come_back(kind: Any, url: str, certificates: Certificates) -> None:
    with open_session(kind, url, certificates) as session:
        response = session.post("/plain.txt", data=LARGE)
        assert response.status_code == 200
        assert response.content == LARGE


def test_a_generator_is_sent_while_it_is_read(kind: Any, url: str, certificates: Certificates) -> None:
    with open_session(kind, url, certificates) as session:
        response = session.post("/plain.txt", data=(b"%d," % number for number in range(1000)))
        assert response.content == b"".join(b"%d," % number for number in range(1000))


def test_a_body_is_read_while_it_arrives(kind: Any, url: str, certificates: Certificates) -> None:
    with open_session(kind, url, certificates) as session:
        response = session.get("/large.bin", stream=True)
        assert response.status_code == 200
        assert b"".join(response.iter_content(100_000)) == LARGE
        assert session.get("/plain.txt").status_code == 200


def test_a_body_may_be_left_half_read(kind: Any, url: str, certificates: Certificates) -> None:
    with open_session(kind, url, certificates) as session:
        response = session.get("/large.bin", stream=True)
        assert len(next(iter(response.iter_content(1000)))) == 1000
        response._stream.close()
        assert session.get("/plain.txt").text == "a plain text\n"
    assert get_engine().counts()["operations"] == 0


def test_head_has_no_body(kind: Any, url: str, certificates: Certificates) -> None:
    with open_session(kind, url, certificates) as session:
        response = session.head("/large.bin")
        assert (response.status_code, response.content) == (200, b"")
        assert int(response.headers["content-length"]) == len(LARGE)


def test_a_status_counts_as_with_http_1(kind: Any, url: str, certificates: Certificates) -> None:
    reports = Reports()
    with open_session(kind, url, certificates, event=reports.environment.events.request) as session:
        assert session.get("/none").status_code == 404
    assert reports.names == [("GET", "/none")]
    assert "404" in reports.exceptions[0]


def test_timings_say_where_the_arrival_is_from(kind: Any, url: str, certificates: Certificates) -> None:
    with open_session(kind, url, certificates) as session:
        first, kept = session.get("/plain.txt").timings, session.get("/plain.txt").timings
    assert first.arrival == kept.arrival == "loop"
    assert first.connect is not None and kept.connect is None
    assert first.tls is not None if url.startswith("https") else first.tls is None
    assert 0 < first.first_byte <= first.last_byte


def test_an_unknown_authority_is_refused(http2: RealServer) -> None:
    with contextlib.closing(HttpSession(http2.tls_url, EventHook(), None, http_version="2")) as session:
        response = session.get("/plain.txt")
    assert response.status_code == 0
    assert isinstance(response.error, requests.exceptions.SSLError)


def test_a_server_that_speaks_something_else_is_named(kind: Any, scripted: OpenScripted) -> None:
    server = scripted(
        [steps.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), steps.wait_eof()]
    )
    session = kind(server.url, EventHook(), None, http_version="2")
    response = session.get("/")
    session.close()
    assert response.status_code == 0
    assert "HTTP/2" in str(response.error)


def test_a_request_can_be_killed(kind: Any, scripted: OpenScripted) -> None:
    server = scripted([steps.wait_eof()])
    session = kind(server.url, EventHook(), None, http_version="2")
    waiting = gevent.spawn(session.get, "/")
    server.wait_for("connections")
    waiting.kill()
    server.wait_for("ended")
    assert get_engine().counts()["operations"] == 0
    session.close()


def test_a_silent_server_times_out(scripted: OpenScripted) -> None:
    server = scripted([steps.wait_eof()])
    with contextlib.closing(HttpSession(server.url, EventHook(), None, http_version="2")) as session:
        response = session.get("/", timeout=0.05)
    assert isinstance(response.error, requests.exceptions.Timeout)
