"""CR, LF and NUL in what becomes a request are refused before anything is sent, by both clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from reported import Reports
from requests.exceptions import InvalidHeader
from servers.control import OpenScripted, Scripted
from servers.steps import repeat, reply, request

from locust_c.contrib.fasthttp import FastHttpSession

LINE_ENDS = ["\r\n", "\n", "\r", "\0"]
# A call of a client: with the server's URL and text that has a line end in its middle.
Call = Callable[[Any, str, str], object]

FLAVOURS = pytest.mark.parametrize("flavour", ["http", "fast"])
ANSWERS = [repeat(request(), reply(b"ok"))]


@pytest.fixture
def reports() -> Reports:
    return Reports()


def host_of(url: str) -> str:
    return url.removeprefix("http://")


def with_header(client: Any, name: str, value: str) -> object:
    (client.client.default_headers if isinstance(client, FastHttpSession) else client.headers)[name] = value
    return client.get("/")


def with_cookie(client: Any, name: str, value: str) -> object:
    client.cookies.set(name, value)
    return client.get("/")


def with_base(client: Any, url: str) -> object:
    client.base_url = url
    return client.get("/")


URLS: dict[str, Call] = {
    "path": lambda client, url, text: client.get(f"/{text}"),
    "path of an absolute URL": lambda client, url, text: client.get(f"{url}/{text}"),
    "path with other arguments": lambda client, url, text: client.post(f"/{text}", files={"f": b"x"}),
    "query": lambda client, url, text: client.get(f"/?a={text}"),
    "fragment": lambda client, url, text: client.get(f"/#{text}"),
    "before the path": lambda client, url, text: client.get(f"{text}/"),
    "host": lambda client, url, text: client.get(f"http://{text}/"),
    "behind the port": lambda client, url, text: client.get(f"{url}{text}/"),
    "credentials": lambda client, url, text: client.get(f"http://{text}:p@{host_of(url)}/"),
    "scheme": lambda client, url, text: client.get(f"http{text}://{host_of(url)}/"),
    "base URL": lambda client, url, text: with_base(client, f"{url}/{text}"),
    "host of the base URL": lambda client, url, text: with_base(client, f"http://{text}"),
}
HEADERS: dict[str, Call] = {
    "name": lambda client, url, text: client.get("/", headers={text: "1"}),
    "value": lambda client, url, text: client.get("/", headers={"X-A": text}),
    "name in bytes": lambda client, url, text: client.get("/", headers={text.encode(): "1"}),
    "value in bytes": lambda client, url, text: client.get("/", headers={"X-A": text.encode()}),
    "value, with other arguments": lambda client, url, text: client.post(
        "/", headers={"X-A": text}, files={"f": b"x"}
    ),
    "value, absolute URL": lambda client, url, text: client.get(f"{url}/", headers={"X-A": text}),
    "value of Host": lambda client, url, text: client.get("/", headers={"Host": text}),
    "value of a default": lambda client, url, text: client.get("/", headers={"User-Agent": text}),
    "value of Content-Type": lambda client, url, text: client.post(
        "/", data=b"x", headers={"Content-Type": text}
    ),
    "value of Transfer-Encoding": lambda client, url, text: client.post(
        "/", data=b"x", headers={"Transfer-Encoding": text}
    ),
    "name of the session": lambda client, url, text: with_header(client, text, "1"),
    "value of the session": lambda client, url, text: with_header(client, "X-A", text),
    "Authorization": lambda client, url, text: client.get("/", headers={"Authorization": text}),
    "name of a cookie": lambda client, url, text: with_cookie(client, text, "1"),
    "value of a cookie": lambda client, url, text: with_cookie(client, "a", text),
}
METHODS: dict[str, Call] = {
    "method": lambda client, url, text: client.request(text, "/"),
    "method, absolute URL": lambda client, url, text: client.request(text, f"{url}/"),
    "method, with other arguments": lambda client, url, text: client.request(text, "/", files={"f": b"x"}),
}
ONLY_HTTP: dict[str, Call] = {
    "cookie of the call": lambda client, url, text: client.get("/", cookies={"a": text}),
    "name of a cookie of the call": lambda client, url, text: client.get("/", cookies={text: "a"}),
    "proxy": lambda client, url, text: client.get("/", proxies={"http": f"http://{text}/"}),
    "path of a URL in bytes": lambda client, url, text: client.get(f"{url}/{text}".encode()),
}


def refused(reports: Reports, flavour: str, server: Scripted, call: Call) -> None:
    """Makes the call with each of the line ends; each must fail, and nothing may have been sent."""
    for line_end in LINE_ENDS:
        for text in (f"GET{line_end}X-Injected", f"GET{line_end}", f"{line_end}GET"):
            client = getattr(reports, flavour)(server.url)
            reports.events.clear()
            try:
                call(client, server.url, text)
            except ValueError:
                assert not reports.events
            else:
                # What requests raises counts as a failed request (Locust's documented behaviour).
                assert isinstance(reports.last["exception"], InvalidHeader), (text, reports.events)
                assert flavour == "http"
            client.close()
    assert [seen.received for seen in server.connections()] == []


@FLAVOURS
@pytest.mark.parametrize("place", [*URLS, *HEADERS, *METHODS])
def test_a_line_end_is_refused(reports: Reports, scripted: OpenScripted, flavour: str, place: str) -> None:
    refused(reports, flavour, scripted(ANSWERS), {**URLS, **HEADERS, **METHODS}[place])


@pytest.mark.parametrize("place", ONLY_HTTP)
def test_a_line_end_is_refused_where_only_requests_takes_one(
    reports: Reports, scripted: OpenScripted, place: str
) -> None:
    refused(reports, "http", scripted(ANSWERS), ONLY_HTTP[place])


@pytest.mark.parametrize("line_end", LINE_ENDS)
def test_a_line_end_in_the_proxy_of_the_fast_client(reports: Reports, line_end: str) -> None:
    with pytest.raises(ValueError, match="proxy_host"):
        reports.fast("http://localhost", proxy_host=f"127.0.0.1{line_end}", proxy_port=1)


@FLAVOURS
@pytest.mark.parametrize("line_end", LINE_ENDS)
def test_what_is_quoted_or_coded_may_have_line_ends(
    reports: Reports, scripted: OpenScripted, flavour: str, line_end: str
) -> None:
    server = scripted(ANSWERS)
    client = getattr(reports, flavour)(server.url)
    text = f"a{line_end}X-Injected: 1"
    client.get("/", params={text: text})
    client.get("/", auth=(text, text))
    client.post("/", data={text: text})
    client.post("/", json={text: text})
    assert len(server.requests()) == 4
    for raw in server.requests():
        assert b"\r\nX-Injected" not in raw and raw.count(line_end.encode() + b"X-Injected") == 0


@pytest.mark.parametrize("line_end", LINE_ENDS[:3])
def test_names_in_multipart_bodies_stay_in_their_line(
    reports: Reports, scripted: OpenScripted, line_end: str
) -> None:
    server = scripted(ANSWERS)
    text = f"a{line_end}X-Injected: 1"
    reports.http(server.url).post("/", files={text: (text, b"content")}, data={text: text[::-1]})
    (raw,) = server.requests()
    assert raw.count(b"X-Injected") == 3
    assert line_end.encode() + b"X-Injected" not in raw


@pytest.mark.parametrize("line_end", LINE_ENDS)
def test_the_fast_client_refuses_names_that_it_does_not_quote(
    reports: Reports, scripted: OpenScripted, line_end: str
) -> None:
    server = scripted(ANSWERS)
    client = reports.fast(server.url)
    text = f"a{line_end}X-Injected: 1"
    calls: list[dict[str, Any]] = [
        {"files": {text: b"x"}},
        {"files": [(text.encode(), b"x")]},
        {"files": {"f": (text, b"x")}},
        {"files": {"f": ("a.txt", b"x", text)}},
        {"files": {"f": ("a.txt", b"x", "text/plain", {"X-A": text})}},
        {"files": {"f": ("a.txt", b"x", "text/plain", {text: "1"})}},
        {"files": {"f": b"x"}, "data": {text: "1"}},
    ]
    for call in calls:
        with pytest.raises(ValueError, match="of a file"):
            client.post("/", **call)
    assert server.connections() == []
    assert client.post("/", files={"f": ("a.txt", text.encode(), "text/plain")}).content == b"ok"
