"""The connections of FastHttpSession: pools that are shared, `concurrency`, proxies, settings of a pool."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from geventhttpclient.client import HTTPClientPool
from reported import Reports
from servers import steps
from servers.certificates import Certificates
from servers.control import Echo, OpenScripted, Scripted

from locust_c.connections import ConnectionOptions
from locust_c.contrib import fasthttp
from locust_c.contrib.fasthttp import FastHttpSession, LocustUserAgent


@pytest.fixture
def reports() -> Reports:
    return Reports()


KEPT = [steps.repeat(steps.request(), steps.reply(b"kept"))]
HELD = [steps.repeat(steps.request(), steps.stall("held"), steps.reply(b"held"))]


def run(client: FastHttpSession, count: int) -> list[gevent.Greenlet]:
    return [gevent.spawn(client.get, f"/{number}") for number in range(count)]


def answered(server: Scripted, greenlets: list[gevent.Greenlet]) -> list[int]:
    """Releases what the server holds; the statuses of all requests."""
    server.release("held")
    gevent.joinall(greenlets, timeout=5, raise_error=True)
    return [greenlet.value.status_code for greenlet in greenlets]


@pytest.mark.parametrize("attributes", [{"concurrency": 3}, {}])
def test_concurrency_is_how_many_connections_a_user_has(
    reports: Reports, scripted: OpenScripted, attributes: dict[str, int]
) -> None:
    server = scripted(HELD)
    most = attributes.get("concurrency", 10)
    greenlets = run(reports.fast(server.url, **attributes), most + 2)
    server.wait_for("stalled", most)
    assert [len(server.connections()), len(server.requests())] == [most, most]
    assert answered(server, greenlets) == [200] * (most + 2)
    assert len(server.connections()) == most
    assert len(reports.events) == most + 2


def test_waiting_for_a_connection_is_no_time_out(reports: Reports, scripted: OpenScripted) -> None:
    server = scripted(HELD)
    first = run(reports.fast(server.url, concurrency=1), 1)
    late = {"connection_timeout": 0.05, "network_timeout": 5.0, "concurrency": 1}
    client = reports.fast(server.url, **late)
    greenlets = run(client, 2)
    server.wait_for("stalled", 2)
    gevent.sleep(0.05)
    assert answered(server, greenlets + first) == [200] * 3


def test_who_waits_for_a_connection_can_be_killed(reports: Reports, scripted: OpenScripted) -> None:
    server = scripted(HELD)
    greenlets = run(reports.fast(server.url, concurrency=1), 3)
    server.wait_for("stalled")
    gevent.kill(greenlets[1])
    assert answered(server, [greenlets[0], greenlets[2]]) == [200, 200]
    assert sorted(name for _, name in reports.names) == ["/0", "/2"]


def test_a_limit_of_the_connection_options_counts_before_concurrency(
    reports: Reports, scripted: OpenScripted
) -> None:
    server = scripted(HELD)
    greenlets = run(reports.fast(server.url, connection_options=ConnectionOptions(limit=2)), 3)
    server.wait_for("stalled", 2)
    assert len(server.connections()) == 2
    assert answered(server, greenlets) == [200] * 3


@pytest.mark.parametrize("make_pool", [object, HTTPClientPool])
def test_who_has_the_same_pool_shares_connections(
    reports: Reports, scripted: OpenScripted, make_pool: Any
) -> None:
    server = scripted(KEPT)
    pool, other = make_pool(), make_pool()
    clients = [reports.fast(server.url, client_pool=given) for given in (pool, pool, other)]
    for client in clients:
        assert client.get("/x").text == "kept"
    assert len(server.connections()) == 2
    # Cookies are not shared, as in stock.
    assert clients[0].cookiejar is not clients[1].cookiejar
    clients[0].client.clientpool.close()
    clients[1].get("/x")
    assert len(server.connections()) == 3


def test_the_arguments_of_a_pool_count_before_the_users(reports: Reports, scripted: OpenScripted) -> None:
    server = scripted(HELD)
    pool = HTTPClientPool(network_timeout=0.05, concurrency=2, headers={"X-Pool": "1", "X-Both": "pool"})
    attributes = {"network_timeout": 60.0, "default_headers": {"X-User": "2", "X-Both": "user"}}
    client = reports.fast(server.url, client_pool=pool, **attributes)
    gevent.joinall(run(client, 3), timeout=5, raise_error=True)
    lines = server.requests()[0].decode().split("\r\n")
    assert lines[2:5] == ["X-Pool: 1", "X-Both: user", "X-User: 2"]
    assert len(server.connections()) == 3  # each timed out alone, two at a time
    assert {text.partition("(")[0] for text in reports.exceptions} == {"RetriesExceeded"}
    assert client.client.clientpool.client_args["concurrency"] == 2


def test_a_pool_can_speak_http_1_0(reports: Reports, echo: Echo) -> None:
    client = reports.fast(echo.url, client_pool=HTTPClientPool(version="HTTP/1.0"))
    assert client.get("/anything").json()["raw"].startswith("GET /anything HTTP/1.0\r\n")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"concurrency": 0}, "concurrency"),
        ({"version": "HTTP/2"}, "version"),
        ({"proxy_host": "127.0.0.1"}, "proxy_port"),
        ({"disable_ipv6": True}, "disable_ipv6"),
        ({"ssl_options": {"server_hostname": "x"}}, "server_hostname"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_arguments_that_cannot_be_are_named(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises((ValueError, TypeError), match=named):
        FastHttpSession("http://127.0.0.1", None, None, **arguments)
    with pytest.raises((ValueError, TypeError), match=named):
        LocustUserAgent(**arguments)


# --- proxies ---


def test_a_proxy_gets_whole_urls(reports: Reports, scripted: OpenScripted) -> None:
    proxy = scripted(KEPT)
    client = reports.fast("http://host.test/base", proxy_host="127.0.0.1", proxy_port=str(proxy.port))
    assert client.get("/x?y=1").text == client.post("http://other.test:81/", "data").text == "kept"
    heads = [raw.decode().split("\r\n") for raw in proxy.requests()]
    assert [head[0] for head in heads] == [
        *("GET http://host.test:80/base/x?y=1 HTTP/1.1", "POST http://other.test:81/ HTTP/1.1")
    ]
    assert ["Host: host.test" in heads[0], "Host: other.test:81" in heads[1]] == [True, True]
    assert reports.names == [("GET", "/x?y=1"), ("POST", "http://other.test:81/")]


def test_a_proxy_gets_its_credentials(reports: Reports, echo: Echo, scripted: OpenScripted) -> None:
    line = b"Proxy-Authorization: Basic dTpwQA=="
    proxy = scripted(KEPT)
    account = {"proxy_user": "u", "proxy_password": "p@", "proxy_host": "127.0.0.1"}
    pool = HTTPClientPool(proxy_port=proxy.port, **account)
    reports.fast("http://host.test", client_pool=pool).get("/x")
    assert line in proxy.requests()[0]
    tunnel = [steps.head(), steps.send(b"HTTP/1.1 200 yes\r\n\r\n"), steps.tunnel(echo.tls_port)]
    proxy = scripted(tunnel)
    session = FastHttpSession(echo.tls_url, None, None, proxy_port=proxy.port, **account)
    assert "Proxy-Authorization" not in dict(session.get("/anything").json()["headers"])
    assert line in proxy.requests()[0]
    assert proxy.requests()[0].startswith(f"CONNECT localhost:{echo.tls_port} ".encode())


def test_a_proxy_that_refuses_is_a_failure(reports: Reports, echo: Echo, scripted: OpenScripted) -> None:
    proxy = scripted([steps.head(), steps.reply(b"", status=407)])
    reports.fast(echo.tls_url, proxy_host="127.0.0.1", proxy_port=proxy.port).get("/x")
    assert "407" in reports.exceptions[0]
    assert reports.names == [("GET", "/x")]


# --- TLS ---

CHECKED = "CERTIFICATE_VERIFY_FAILED"


@pytest.mark.parametrize(
    ("arguments", "kind", "fails"),
    [
        # To geventhttpclient "insecure" is about the host name only.
        ({}, "good", True),
        ({"insecure": True}, "good", True),
        ({"ssl_options": {"ca_certs": "CA"}}, "good", False),
        ({"ssl_options": {"ca_certs": "CA"}}, "wrong_host", True),
        ({"ssl_options": {"ca_certs": "CA"}, "insecure": True}, "wrong_host", False),
        ({"ssl_options": {"ca_certs": "CA"}, "insecure": True}, "self_signed", True),
    ],
)
def test_a_pool_says_how_certificates_are_checked(
    reports: Reports,
    scripted: OpenScripted,
    certificates: Certificates,
    arguments: dict[str, Any],
    kind: str,
    fails: bool,
) -> None:
    options = {name: str(certificates.ca) for name in arguments.get("ssl_options", {})}
    pool = HTTPClientPool(**{**arguments, "ssl_options": options})
    server = scripted(KEPT, tls=kind)
    reports.fast(server.url, client_pool=pool).get("/x")
    assert (CHECKED in reports.exceptions[0]) == fails
    assert (reports.exceptions[0] == "") != fails


def test_a_pool_need_not_check_certificates(reports: Reports, scripted: OpenScripted) -> None:
    pool = HTTPClientPool(insecure=True, ssl_context_factory=fasthttp.insecure_ssl_context_factory)
    for kind in ("self_signed", "wrong_host", "expired"):
        reports.fast(scripted(KEPT, tls=kind).url, client_pool=pool).get("/x")
    assert reports.exceptions == [""] * 3


@pytest.mark.parametrize("how", ["user", "call", "pool", "agent"])
def test_a_client_certificate_is_shown(
    reports: Reports, scripted: OpenScripted, certificates: Certificates, how: str
) -> None:
    server = scripted(KEPT, tls="good", client_ca=True)
    cert = str(certificates.chain("client")), str(certificates.key("client"))
    ssl_options = {"ca_certs": str(certificates.ca), "certfile": cert[0], "keyfile": cert[1]}
    if how == "agent":
        assert LocustUserAgent(ssl_options=ssl_options).urlopen(server.url).text == "kept"
    elif how == "pool":
        reports.fast(server.url, client_pool=HTTPClientPool(ssl_options=ssl_options)).get("/")
    elif how == "user":
        reports.fast(server.url, cert=cert).get("/")
    else:
        reports.fast(server.url).get("/", cert=cert)
    assert reports.exceptions == ([] if how == "agent" else [""])
    assert server.connections()[0].tls["client"] is True
