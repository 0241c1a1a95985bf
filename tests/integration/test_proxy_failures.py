"""Proxies that fail: HttpSession beside requests.Session, the same outcome in the same words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from parity import neutral, observe, our_session, stock_session
from servers import steps
from servers.control import OpenScripted
from servers.steps import Step

REFUSED = steps.send(steps.head_bytes(403, "Forbidden", [("Content-Length", "0")]))
NO_CREDENTIALS = [("Proxy-Authenticate", "Basic"), ("Content-Length", "0")]
ASKS_WHO = steps.send(steps.head_bytes(407, "Proxy Authentication Required", NO_CREDENTIALS))


def socks(*answers: bytes) -> list[Step]:
    """A SOCKS5 proxy that does not listen to what it is asked."""
    return [steps.send(b"".join(answers)), steps.wait_eof()]


NO_AUTHENTICATION, REJECTED = b"\5\0", b"\5\xff"
REPLY = b"\5%c\0\1\0\0\0\0\0\0"
# Scheme of the proxy, URL of the request, what the proxy does; None: nobody listens.
CASES: dict[str, tuple[str, str, list[Step] | None]] = {
    "refused": ("http", "http://server.test/x", None),
    "refused for TLS": ("http", "https://server.test/x", None),
    "no tunnel": ("http", "https://server.test/x", [steps.head(), REFUSED]),
    "credentials wanted": ("http", "https://server.test/x", [steps.head(), ASKS_WHO]),
    "closed after CONNECT": ("http", "https://server.test/x", [steps.head()]),
    "SOCKS refused": ("socks5h", "http://server.test/x", None),
    "SOCKS refused for TLS": ("socks5h", "https://server.test/x", None),
    "SOCKS server down": ("socks5h", "http://server.test/x", socks(NO_AUTHENTICATION, REPLY % 5)),
    "SOCKS unreachable": ("socks5h", "https://server.test/x", socks(NO_AUTHENTICATION, REPLY % 4)),
    "SOCKS not allowed": ("socks5", "http://127.0.0.1/x", socks(NO_AUTHENTICATION, REPLY % 2)),
    "SOCKS user unknown": ("socks5h", "http://server.test/x", socks(REJECTED)),
    "SOCKS and no such name": ("socks5", "http://name.invalid/x", socks(NO_AUTHENTICATION)),
}


@pytest.fixture
def proxy(scripted: OpenScripted, refused_url: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a proxy as the case wants it."""
    scheme, _, script = CASES[request.param]
    # Both clients connect; requests tries none of these again.
    url = refused_url if script is None else scripted(script, script).url
    yield url.replace("http", scheme, 1)


@pytest.mark.parametrize(("name", "proxy"), [(name, name) for name in CASES], indirect=["proxy"], ids=CASES)
def test_a_failing_proxy_has_the_same_outcome_as_with_requests(name: str, proxy: str) -> None:
    port = int(proxy.rsplit(":", 1)[1])

    def call(session: requests.Session, _: str) -> requests.Response:
        return session.get(CASES[name][1], proxies={"http": proxy, "https": proxy})

    with stock_session() as theirs, our_session() as ours:
        expected = observe(theirs, call, "")
        assert "error" in expected
        assert neutral(observe(ours, call, ""), port) == neutral(expected, port)


def test_a_proxy_without_an_address_is_named() -> None:
    proxy = "http://proxy.invalid:3128"

    def call(session: requests.Session, _: str) -> requests.Response:
        return session.get("http://server.test/x", proxies={"http": proxy})

    with stock_session() as theirs, our_session() as ours:
        assert observe(ours, call, "") == observe(theirs, call, "")
