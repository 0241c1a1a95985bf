"""nginx, Apache and a Node server: what both clients get of them is what requests gets of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
import requests
from parity import our_session, stock_session
from reported import Reports
from servers.certificates import Certificates
from servers.real import LARGE, WEB_SERVERS, RealServer

Call = Callable[[Any, str], Any]

# They differ from one request to the next.
VOLATILE = {"date", "last-modified", "x-port", "keep-alive", "x-sent"}


@pytest.fixture(scope="module", params=WEB_SERVERS)
def server(request: pytest.FixtureRequest, certificates: Certificates) -> Iterator[RealServer]:
    with WEB_SERVERS[request.param](certificates) as running:
        yield running


@pytest.fixture
def reports() -> Reports:
    return Reports()


def tag_of(session: Any, base: str) -> str:
    tag: str = session.get(f"{base}/plain.txt").headers["ETag"]
    return tag


CALLS: dict[str, Call] = {
    "plain": lambda session, base: session.get(f"{base}/plain.txt"),
    "gzip": lambda session, base: session.get(f"{base}/packed.txt", headers={"Accept-Encoding": "gzip"}),
    "chunked": lambda session, base: session.get(f"{base}/chunked.html"),
    "large": lambda session, base: session.get(f"{base}/large.bin"),
    "head": lambda session, base: session.head(f"{base}/large.bin"),
    "head of gzip": lambda session, base: session.head(
        f"{base}/packed.txt", headers={"Accept-Encoding": "gzip"}
    ),
    "range": lambda session, base: session.get(f"{base}/large.bin", headers={"Range": "bytes=1000-1999"}),
    "range to the end": lambda session, base: session.get(
        f"{base}/large.bin", headers={"Range": f"bytes={len(LARGE) - 5}-"}
    ),
    "range beyond the end": lambda session, base: session.get(
        f"{base}/large.bin", headers={"Range": f"bytes={len(LARGE)}-"}
    ),
    "not modified": lambda session, base: session.get(
        f"{base}/plain.txt", headers={"If-None-Match": tag_of(session, base)}
    ),
    "modified": lambda session, base: session.get(
        f"{base}/plain.txt", headers={"If-None-Match": '"another"'}
    ),
    "not found": lambda session, base: session.get(f"{base}/nothing"),
    "redirect": lambda session, base: session.get(f"{base}/redirect"),
    "upload": lambda session, base: session.post(f"{base}/upload", data=b"small"),
    "large upload": lambda session, base: session.post(f"{base}/upload", data=LARGE),
    "upload after 100": lambda session, base: session.post(
        f"{base}/upload", data=b"x" * 100_000, headers={"Expect": "100-continue"}
    ),
    "empty upload": lambda session, base: session.post(f"{base}/upload", data=b""),
    "a method that is not allowed": lambda session, base: session.request("PROPFIND", f"{base}/plain.txt"),
}


def seen(response: Any) -> dict[str, Any]:
    """What is the same with every client."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    if "etag" in headers:  # Apache calls it weak while the file is younger than a second
        headers["etag"] = headers["etag"].removeprefix("W/")
    return {
        "status": response.status_code,
        "headers": {name: value for name, value in headers.items() if name not in VOLATILE},
        "length": len(response.content),
        "content": hashlib.sha256(response.content).hexdigest(),
    }


def trusting(session: Any, certificates: Certificates) -> Any:
    session.verify = str(certificates.ca)
    return session


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("name", CALLS)
def test_a_call_brings_what_it_brings_requests(
    reports: Reports, server: RealServer, certificates: Certificates, name: str, tls: bool
) -> None:
    base = server.tls_url if tls else server.url
    call = CALLS[name]
    with stock_session() as stock, our_session() as ours:
        expected = call(trusting(stock, certificates), base)
        response = call(trusting(ours, certificates), base)
        # Twice: the connection is in order afterwards.
        assert [seen(response), seen(call(ours, base))] == [seen(expected)] * 2
        assert (response.reason, response.url) == (expected.reason, expected.url)
        assert [step.status_code for step in response.history] == [
            step.status_code for step in expected.history
        ]
    client = reports.fast(base, insecure=False)
    response = call(trusting(client, certificates), "")
    answer = seen(expected)
    # The fast client says by itself what it accepts, unless the call does.
    assert {key: seen(response)[key] for key in ("status", "length", "content")} == {
        key: answer[key] for key in ("status", "length", "content")
    }


def test_bodies_arrive_whole(reports: Reports, server: RealServer) -> None:
    answers: dict[str, bytes] = {
        "apache": LARGE,  # it sends back what it got
        "node": hashlib.sha256(LARGE).hexdigest().encode(),
        "nginx": str(len(LARGE)).encode(),
    }
    for client in (reports.http(server.url), reports.fast(server.url)):
        assert client.get("/large.bin").content == LARGE
        assert client.post("/upload", data=LARGE).content == answers[server.name]


def test_pieces_of_unknown_length_are_uploaded(reports: Reports, server: RealServer) -> None:
    pieces = [LARGE[at : at + 100_000] for at in range(0, len(LARGE), 100_000)]
    answers: dict[str, bytes] = {
        "apache": LARGE,
        "node": hashlib.sha256(LARGE).hexdigest().encode(),
        "nginx": str(len(LARGE)).encode(),
    }
    for client in (reports.http(server.url), reports.fast(server.url)):
        assert client.post("/upload", data=iter(pieces)).content == answers[server.name]


def test_a_large_body_is_streamed_and_may_be_left(reports: Reports, server: RealServer) -> None:
    # The fast client makes text of what is text (Locust's behaviour).
    both = ((reports.http(server.url), {}), (reports.fast(server.url), {"decode_content": False}))
    for client, as_bytes in both:
        response = client.get("/large.bin", stream=True)
        assert b"".join(response.iter_content(50_000, **as_bytes)) == LARGE
        response = client.get("/large.bin", stream=True)
        assert next(response.iter_content(10, **as_bytes)) == LARGE[:10]
        response.close()
        assert client.get("/plain.txt").content == b"a plain text\n"


def test_cookies_come_back(reports: Reports, server: RealServer) -> None:
    for client in (reports.http(server.url), reports.fast(server.url)):
        client.get("/login")
        response = client.get("/cookies")
        text = response.headers.get("X-Cookies") or response.text
        assert sorted(text.split("; ")) == ["a=1", "b=2"]


def ports_of(session: Any, base: str, pauses: list[float]) -> list[str]:
    """The client's port of each request: the connection that it came on."""
    ports = []
    for seconds in pauses:
        gevent.sleep(seconds)
        ports.append(session.get(f"{base}/plain.txt").headers["X-Port"])
    return ports


def pattern(values: list[str]) -> list[int]:
    """Which of the values are equal: the number of each in the order of their first appearance."""
    order = list(dict.fromkeys(values))
    return [order.index(value) for value in values]


def test_connections_are_kept_as_requests_keeps_them(reports: Reports, server: RealServer) -> None:
    pauses = [0.0] * 7
    for base, expected in ((server.url, [0] * 7), (server.brief_url, None)):
        with stock_session() as stock, our_session() as ours:
            kept = pattern(ports_of(stock, base, pauses))
            assert kept == expected or (expected is None and max(kept) > 0)
            assert pattern(ports_of(ours, base, pauses)) == kept
        assert pattern(ports_of(reports.fast(base), "", pauses)) == kept


def test_a_connection_that_the_server_closed_is_not_used(reports: Reports, server: RealServer) -> None:
    # 30 ms is how long it keeps them; Apache looks at them no more often than each 100 ms.
    pauses = [0.0, 0.25, 0.25]
    with our_session() as ours:
        assert pattern(ports_of(ours, server.brief_url, pauses)) == [0, 1, 2]
    assert pattern(ports_of(reports.fast(server.brief_url), "", pauses)) == [0, 1, 2]
    assert reports.environment.stats.total.num_failures == 0


def test_a_server_that_closes_at_the_moment_of_the_next_request(reports: Reports, server: RealServer) -> None:
    """Whoever is first: a request that is sent again has no failure (RFC 9110, 9.2.2)."""
    client = reports.fast(server.brief_url)
    for at in range(25):
        gevent.sleep(0.026 + at % 8 / 1000)
        assert client.get("/plain.txt").content == b"a plain text\n"
    assert reports.environment.stats.total.num_failures == 0


def test_a_client_certificate(server: RealServer, reports: Reports, certificates: Certificates) -> None:
    pair = (str(certificates.chain("client")), str(certificates.key("client")))

    def verdict(response: Any) -> str:
        return response.headers.get("X-Client") or response.text

    for with_certificate in (True, False):
        cert = pair if with_certificate else None
        for client in (reports.http(server.tls_url), reports.fast(server.tls_url, insecure=False)):
            trusting(client, certificates)
            assert verdict(client.get("/client", cert=cert)) == ("SUCCESS" if cert else "NONE")


def test_an_authority_that_the_client_does_not_know(reports: Reports, server: RealServer) -> None:
    for client in (reports.http(server.tls_url), reports.fast(server.tls_url, insecure=False)):
        assert client.get("/plain.txt").status_code == 0
        assert "CERTIFICATE_VERIFY_FAILED" in reports.exceptions[-1]


def test_many_users_at_once(reports: Reports, server: RealServer) -> None:
    clients = [reports.http(server.url) for _ in range(20)] + [reports.fast(server.url) for _ in range(20)]

    def use(client: Any) -> None:
        for path, content in (("/plain.txt", b"a plain text\n"), ("/large.bin", LARGE)) * 2:
            assert client.get(path).content == content

    gevent.joinall([gevent.spawn(use, client) for client in clients], raise_error=True)
    assert reports.environment.stats.total.num_requests == 4 * len(clients)


def test_requests_itself_is_not_in_the_way(server: RealServer) -> None:
    """Both use the same process and hub."""
    with stock_session() as stock, our_session() as ours:
        both = [gevent.spawn(session.get, f"{server.url}/large.bin") for session in (stock, ours)]
        first, second = (greenlet.get() for greenlet in both)
    assert isinstance(first, requests.Response)
    assert first.content == second.content == LARGE
