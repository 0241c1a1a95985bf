"""What is refused before anything is sent, and credentials that nobody gets to read."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

import pytest
import requests
from reported import Reports
from servers import steps
from servers.control import OpenScripted, Scripted

from locust_c.clients import HttpSession

SECRET = "s3cret%21"
SHOWN = ("s3cret", "s3cret!")


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def server(scripted: OpenScripted) -> Scripted:
    return scripted([steps.repeat(steps.request(), steps.reply(b"no", 404, "Not Found"))])


@pytest.fixture
def client(reports: Reports, server: Scripted) -> HttpSession:
    return reports.http(server.url)


# --- refused ---

CONTROLS = ["\r\n", "\n", "\r", "\0", "a\r\nX: y"]
HEADERS = pytest.mark.parametrize("path", ["/x", "{base}/x"], ids=["short", "long"])


@HEADERS
@pytest.mark.parametrize("text", CONTROLS)
@pytest.mark.parametrize(
    "headers",
    [
        lambda text: {"X-A": f"v{text}w"},
        lambda text: {"X-A": f"v{text}w".encode()},
        lambda text: {f"X{text}A": "v"},
        lambda text: {f"X{text}A".encode(): b"v"},
        lambda text: {"Cookie": f"a=b{text}c"},
        lambda text: {"Host": f"h{text}i"},
    ],
    ids=["value", "bytes", "name", "name of bytes", "cookie", "host"],
)
def test_a_header_that_would_be_two_is_refused(
    client: HttpSession, reports: Reports, server: Scripted, headers: Any, text: str, path: str
) -> None:
    url = path.format(base=server.url)
    try:
        response = client.get(url, headers=headers(text))
        assert isinstance(response.error, requests.exceptions.InvalidHeader)
        assert len(reports.events) == 1
    except ValueError:
        assert reports.events == []
    assert server.requests() == []
    assert client.get("/x").status_code == 404


@HEADERS
@pytest.mark.parametrize("text", CONTROLS)
def test_a_session_header_that_would_be_two_is_refused(
    client: HttpSession, server: Scripted, text: str, path: str
) -> None:
    client.headers["X-A"] = f"v{text}w"
    with suppress(ValueError):
        assert client.get(path.format(base=server.url)).error is not None
    assert server.requests() == []


@HEADERS
@pytest.mark.parametrize("text", [*CONTROLS, " HTTP/1.1\r\nX: y\r\n\r\n"])
def test_a_url_is_refused_and_parameters_are_escaped(
    client: HttpSession, server: Scripted, text: str, path: str
) -> None:
    with pytest.raises(requests.exceptions.InvalidURL):
        client.get(path.format(base=server.url) + f"/{text}")
    client.get(path.format(base=server.url), params={"a": text})
    (raw,) = server.requests()
    line, _, rest = raw.partition(b"\r\n")
    assert line.endswith(b" HTTP/1.1") and line.count(b" ") == 2
    assert rest.startswith(b"Host: ") and b"\nX: y" not in rest


@HEADERS
@pytest.mark.parametrize("name", ["X:A", "", " X", "X\u20ac"])
def test_a_name_that_is_none_is_refused_as_with_requests(
    client: HttpSession, server: Scripted, name: str, path: str
) -> None:
    with requests.Session() as stock:
        stock.trust_env = False
        with pytest.raises((requests.exceptions.InvalidHeader, ValueError)):
            stock.get(server.url, headers={name: "v"})
    with suppress(ValueError):
        response = client.get(path.format(base=server.url), headers={name: "v"})
        assert isinstance(response.error, requests.exceptions.InvalidHeader)
    assert server.requests() == []


@HEADERS
def test_a_value_beyond_latin_1_is_refused(client: HttpSession, server: Scripted, path: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        client.get(path.format(base=server.url), headers={"X-A": "\u20ac"})
    assert server.requests() == []


# --- secret ---


def said(reports: Reports, caplog: pytest.LogCaptureFixture, *more: object) -> str:
    """All that was logged and reported, and what else a test has to show."""
    events = [
        (event["name"], event["url"], event["exception"], event["response"].error) for event in reports.events
    ]
    return repr([caplog.messages, events, [(str(item), repr(item)) for item in more]])


def test_credentials_of_urls_are_nowhere_to_read(
    reports: Reports, server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    base = server.url.replace("//", f"//user:{SECRET}@")
    client = reports.http(base)
    responses: list[Any] = [
        client.get("/x"),
        client.get(f"{base}/y?q=1"),
        client.get(f"{base}/z", stream=True),
    ]
    raised: list[Any] = []
    for response in responses:
        with pytest.raises(requests.HTTPError) as failure:
            response.raise_for_status()
        raised.append(failure.value)
    for url in (f"ftp://user:{SECRET}@host/", f"user:{SECRET}@host/x", f"http://user:{SECRET}@host:port/"):
        with pytest.raises(
            (requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema, ValueError)
        ) as bad:
            HttpSession("", reports.environment.events.request, None).get(url)
        raised.append(bad.value)
    client.get(f"http://user:{SECRET}@127.0.0.1:1/x")
    text = said(reports, caplog, *raised)
    assert not any(secret in text for secret in SHOWN)
    assert all(b"Authorization: Basic " in raw for raw in server.requests())


@pytest.mark.parametrize("proxy", ["http", "https", "socks5", "socks5h"])
@pytest.mark.parametrize("target", ["http://127.0.0.1:2/x", "https://127.0.0.1:2/x"])
def test_credentials_of_proxies_are_nowhere_to_read(
    reports: Reports, caplog: pytest.LogCaptureFixture, proxy: str, target: str
) -> None:
    caplog.set_level(logging.DEBUG)
    client = reports.http("http://127.0.0.1:2")
    client.proxies = {"all": f"{proxy}://user:{SECRET}@127.0.0.1:1"}
    try:
        error = client.get(target).error
    except requests.exceptions.InvalidProxyURL as raised:
        error = raised
    assert error is not None
    text = said(reports, caplog, error)
    assert not any(secret in text for secret in SHOWN)


def test_a_proxy_over_tls_is_named(client: HttpSession, reports: Reports) -> None:
    client.proxies = {"http": "https://user:pass@proxy.example:8080"}
    with pytest.raises(requests.exceptions.InvalidProxyURL, match=r"https://proxy\.example:8080"):
        client.get("/x")
