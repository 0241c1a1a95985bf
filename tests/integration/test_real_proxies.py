"""squid and a SOCKS5 proxy between clients and a server: what the server is asked is what requests asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import gevent
import pytest
from parity import our_session, stock_session
from reported import Reports
from servers.certificates import Certificates
from servers.control import Echo
from servers.real import PROXY_PASSWORD, PROXY_USER, microsocks, squid

CREDENTIALS = f"{quote(PROXY_USER, safe='')}:{quote(PROXY_PASSWORD, safe='')}@"
TARGETS = pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])


@pytest.fixture(scope="module")
def http_proxies() -> Iterator[tuple[str, str]]:
    with squid() as both:
        yield both


@pytest.fixture(scope="module")
def socks_proxies() -> Iterator[tuple[str, str]]:
    with microsocks() as both:
        yield both


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture(params=["http", "socks5", "socks5h"])
def proxies(
    request: pytest.FixtureRequest, http_proxies: tuple[str, str], socks_proxies: tuple[str, str]
) -> tuple[str, str, str]:
    """URLs of a proxy: one for all, one with the right credentials, and the same without them."""
    addresses = http_proxies if request.param == "http" else socks_proxies
    scheme = f"{request.param}://"
    return (
        f"{scheme}{addresses[0]}",
        f"{scheme}{CREDENTIALS}{addresses[1]}",
        f"{scheme}{addresses[1]}",
    )


def through(proxy: str) -> dict[str, str]:
    return {"http": proxy, "https": proxy}


def url_of(echo: Echo, tls: bool) -> str:
    return echo.tls_url if tls else echo.url


def asked(response: Any) -> dict[str, Any]:
    """What the server was asked, without what names the connection."""
    document: dict[str, Any] = response.json()
    document.pop("raw")
    return document


@TARGETS
@pytest.mark.parametrize("kind", [0, 1], ids=["open", "with credentials"])
def test_the_server_is_asked_the_same_as_by_requests(
    echo: Echo, certificates: Certificates, proxies: tuple[str, str, str], tls: bool, kind: int
) -> None:
    url = f"{url_of(echo, tls)}/anything?a=1"
    with stock_session() as stock, our_session() as ours:
        answers = []
        for session in (stock, ours):
            session.verify = str(certificates.ca)
            session.proxies.update(through(proxies[kind]))
            answers.append([asked(session.post(url, data=b"body")), asked(session.get(url))])
        assert answers[0] == answers[1]
        assert answers[0][0]["body"] == "body"


@TARGETS
def test_a_proxy_may_refuse_who_has_no_credentials(
    reports: Reports,
    echo: Echo,
    certificates: Certificates,
    proxies: tuple[str, str, str],
    tls: bool,
) -> None:
    client = reports.http(url_of(echo, tls))
    client.verify = str(certificates.ca)
    response = client.get("/anything", proxies=through(proxies[2]))
    if proxies[2].startswith("http:") and not tls:
        assert (response.status_code, response.headers["Proxy-Authenticate"][:5]) == (407, "Basic")
    else:
        assert response.status_code == 0
    assert reports.environment.stats.total.num_failures == 1
    assert client.get("/anything", proxies=through(proxies[1])).status_code == 200


@TARGETS
def test_a_target_that_the_proxy_refuses(reports: Reports, http_proxies: tuple[str, str], tls: bool) -> None:
    client = reports.http(f"{'https' if tls else 'http'}://blocked.test")
    response = client.get("/x", proxies=through(f"http://{http_proxies[0]}"))
    assert response.status_code == (0 if tls else 403)
    assert reports.exceptions[0] != ""
    if tls:
        assert "403" in str(response.error)


@TARGETS
def test_a_target_that_is_down(
    reports: Reports, refused_url: str, proxies: tuple[str, str, str], tls: bool
) -> None:
    client = reports.http(refused_url.replace("http:", "https:") if tls else refused_url)
    response = client.get("/x", proxies=through(proxies[0]))
    by_squid = proxies[0].startswith("http:") and not tls
    assert response.status_code == (503 if by_squid else 0)
    assert reports.environment.stats.total.num_failures == 1


@TARGETS
@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
def test_a_proxy_that_is_down(reports: Reports, echo: Echo, refused_url: str, scheme: str, tls: bool) -> None:
    proxy = refused_url.replace("http:", f"{scheme}:")
    client = reports.http(url_of(echo, tls))
    response = client.get("/x", proxies=through(proxy))
    assert response.status_code == 0
    assert reports.environment.stats.total.num_failures == 1
    assert client.get("/anything", verify=False).status_code == 200


@TARGETS
def test_the_fast_client_s_proxy(
    reports: Reports, echo: Echo, certificates: Certificates, http_proxies: tuple[str, str], tls: bool
) -> None:
    host, port = http_proxies[0].split(":")
    client = reports.fast(url_of(echo, tls), proxy_host=host, proxy_port=int(port), insecure=False)
    client.verify = str(certificates.ca)
    for _ in range(2):
        document = client.post("/anything", data=b"body").json()
        assert (document["path"], document["body"]) == ("/anything", "body")
    assert reports.environment.stats.total.num_failures == 0


@TARGETS
def test_large_bodies_and_many_users_through_a_proxy(
    reports: Reports, echo: Echo, proxies: tuple[str, str, str], tls: bool
) -> None:
    def use() -> None:
        client = reports.http(url_of(echo, tls))
        client.verify = False
        client.proxies = through(proxies[1])
        assert len(client.get("/bytes/300000").content) == 300_000
        assert len(client.post("/anything", data=b"x" * 300_000).json()["body"]) == 300_000

    gevent.joinall([gevent.spawn(use) for _ in range(5)], raise_error=True)
    assert reports.environment.stats.total.num_failures == 0
