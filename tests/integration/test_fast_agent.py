"""The low-level client of FastHttpSession, what may be changed on it, and what is refused or hidden."""

from __future__ import annotations

from http.cookiejar import CookieJar
from typing import Any

import pytest
from geventhttpclient.client import HTTPClientPool
from geventhttpclient.header import Headers
from geventhttpclient.useragent import CompatRequest, UserAgent
from reported import Reports, in_block
from servers import steps
from servers.control import Echo, OpenScripted

from locust_c.contrib.fasthttp import (
    ErrorResponse,
    FastHttpSession,
    FastRequest,
    FastResponse,
    LocustUserAgent,
    ResponseContextManager,
)


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def client(reports: Reports, echo: Echo) -> FastHttpSession:
    return reports.fast(echo.url)


# --- headers, as geventhttpclient has them ---


def test_response_headers_are_those_of_geventhttpclient(client: FastHttpSession) -> None:
    headers = client.get("/headers?X-A=1&x-a=2&Content-Type=a/b").headers
    assert type(headers) is Headers
    assert (headers["content-type"], headers.get("X-a"), headers.get("none")) == ("a/b", ["1", "2"], None)
    assert headers.getlist("x-a") == headers.get_all("X-A") == ["1", "2"]
    assert list(headers)[:2] == ["x-a", "content-type"]
    assert list(headers.items())[:3] == [("X-A", "1"), ("x-a", "2"), ("Content-Type", "a/b")]
    assert headers.compatible_dict()["X-A"] == "1, 2"


def test_the_request_is_one_of_geventhttpclient(client: FastHttpSession) -> None:
    for more in ({}, {"files": ()}):
        request = client.post("/anything", json={"a": 1}, headers={"X-A": "1"}, **more).request
        assert isinstance(request, FastRequest)
        assert isinstance(request, CompatRequest)
        assert (request.method, request.get_full_url()) == ("POST", f"{client.base_url}/anything")
        assert request.payload == request.body == '{"a": 1}'
        assert list(request.headers) == [*("user-agent", "x-a", "accept-encoding", "content-type", "accept")]
    assert client.post("/anything", data=b"\x00", headers={"A": "b"}).request.body == b"\x00"


def test_default_headers_can_be_changed_as_geventhttpclients(client: FastHttpSession) -> None:
    def seen() -> list[list[str]]:
        headers = client.get("/anything").json()["headers"]
        return [pair for pair in headers if pair[0] not in ("Host", "Accept-Encoding")]

    defaults = client.client.default_headers
    del defaults["user-agent"]
    assert [name for name, _ in seen()] == ["User-Agent"]  # of the connection, as there
    defaults["User-Agent"] = "mine"
    defaults.update({"X-A": "1"})
    defaults.add("x-a", "2")
    assert seen() == [["User-Agent", "mine"], ["X-A", "1"], ["x-a", "2"]]
    client.client.default_headers = {"user-agent": "z", "B": "3"}
    assert seen() == [["user-agent", "z"], ["B", "3"]]


# --- the low-level client ---


def test_the_low_level_client_is_one_of_geventhttpclient(client: FastHttpSession, reports: Reports) -> None:
    agent = client.client
    assert isinstance(agent, LocustUserAgent)
    assert isinstance(agent, UserAgent)
    assert agent is client.client
    assert agent.cookiejar is client.cookiejar
    # A request of its own is no request of the test.
    response = agent.urlopen(f"{client.base_url}/anything", params={"a": "1"})
    assert (type(response), response.json()["target"]) == (FastResponse, "/anything?a=1")
    assert reports.events == []


def test_one_can_be_made_by_hand(echo: Echo) -> None:
    with LocustUserAgent(headers={"X-A": "1"}, cookiejar=CookieJar(), max_retries=2) as agent:
        assert (agent.max_retries, agent.max_redirects) == (2, 3)
        response = agent.urlopen(f"{echo.url}/cookies/set?a=1")
        assert (response.json(), len(response.history)) == ([["a", "1"]], 1)
        assert [cookie.name for cookie in agent.cookiejar] == ["a"]
        assert dict(agent.urlopen(f"{echo.url}/anything").json()["headers"])["X-A"] == "1"


def test_one_without_a_jar_keeps_no_cookies(echo: Echo) -> None:
    agent = LocustUserAgent()
    assert agent.urlopen(f"{echo.url}/cookies/set?a=1").json() == []


class Strict(LocustUserAgent):
    valid_response_codes = frozenset([200])


class Mine(FastResponse):
    pass


def test_the_sessions_client_can_be_replaced(client: FastHttpSession, reports: Reports) -> None:
    client.client = Strict(headers={"X-A": "1"})
    response = client.get("/anything")
    assert dict(response.json()["headers"])["X-A"] == "1"
    in_block(client.get("/status/201", catch_response=True))
    client.get("/status/201")
    assert reports.exceptions == ["", *["LocustBadStatusCode(code=201)"] * 2]


def test_what_counts_as_fine_can_be_changed(
    reports: Reports, client: FastHttpSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.client.valid_response_codes = frozenset([404])  # type: ignore[misc]
    client.get("/status/404")
    client.get("/status/200")
    monkeypatch.setattr(LocustUserAgent, "valid_response_codes", frozenset([204, 500]))
    later = reports.fast(client.base_url)
    later.get("/status/500")
    later.get("/status/200")
    bad = "LocustBadStatusCode(code=200)"
    assert reports.exceptions == ["", bad, "", bad]


def test_the_response_type_can_be_changed(
    reports: Reports, echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocustUserAgent, "response_type", Mine)
    client = reports.fast(echo.url)
    assert type(client.get("/anything")) is Mine
    assert type(client.get("/anything", catch_response=True)) is ResponseContextManager


def test_a_jar_of_ones_own_is_used(client: FastHttpSession) -> None:
    client.client.cookiejar = jar = CookieJar()
    client.get("/cookies/set?a=1")
    assert [cookie.name for cookie in jar] == ["a"]
    assert client.get("/cookies").json() == [["a", "1"]]
    client.client.cookiejar = None
    assert client.get("/cookies").json() == []


class Renamed(FastHttpSession):
    def request(self, method: str, url: str, **kwargs: Any) -> Any:
        return super().request(method, url, **{"name": f"{method} it", **kwargs})


class Elsewhere(FastHttpSession):
    def _build_url(self, path: str) -> str:
        return super()._build_url(f"/anything{path}")


def test_subclasses_see_every_call(reports: Reports, echo: Echo) -> None:
    client = Renamed(echo.url, reports.environment.events.request, None)
    client.get("/anything")
    client.post("/anything", "x")
    assert reports.names == [("GET", "GET it"), ("POST", "POST it")]
    plain = Elsewhere(echo.url, reports.environment.events.request, None)
    assert plain.get("/x").json()["target"] == "/anything/x"


def test_request_can_be_replaced_on_one_session(client: FastHttpSession) -> None:
    calls: list[tuple[object, ...]] = []
    client.request = lambda *args, **kwargs: calls.append((*args, kwargs))  # type: ignore[method-assign]
    client.get("/x")
    client.put("/x", "body")
    assert calls == [("GET", "/x", {}), ("PUT", "/x", {"data": "body"})]


def test_credentials_of_the_base_url_can_be_changed(client: FastHttpSession) -> None:
    for more in ({}, {"files": ()}):
        client.auth_header = "Bearer x"
        assert dict(client.get("/anything", **more).json()["headers"])["Authorization"] == "Bearer x"
        client.auth_header = None
        assert "Authorization" not in dict(client.get("/anything", **more).json()["headers"])


# --- what is refused before anything is sent, and what is not shown ---

BAD_CALLS: dict[str, dict[str, Any]] = {
    **{f"{end!r} in a path": {"url": f"/a{end}b"} for end in "\r\n\0"},
    **{f"{end!r} in a query": {"url": f"/a?b{end}"} for end in "\r\n\0"},
    **{f"{end!r} in a header name": {"headers": {f"X{end}A": "1"}} for end in "\r\n\0"},
    **{f"{end!r} in a header value": {"headers": {"X-A": f"1{end}2"}} for end in "\r\n\0"},
    **{f"{end!r} in one of several values": {"headers": {"X-A": ["1", f"1{end}2"]}} for end in "\r\n\0"},
    "a header with a control character": {"headers": {"X-A": "\x01"}},
    "a header name with a blank": {"headers": {"X A": "1"}},
    "a header name with a colon": {"headers": {"X:A": "1"}},
    "an empty header name": {"headers": {"": "1"}},
    "a header beyond latin-1": {"headers": {"X-A": "€"}},
    "a method with a line end": {"method": "GET\r\n"},
    "a method with a blank": {"method": "A B"},
    "no method": {"method": ""},
    "another host": {"url": "//elsewhere.example/"},
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_what_would_break_the_request_is_refused(reports: Reports, scripted: OpenScripted, name: str) -> None:
    server = scripted([steps.request(), steps.reply(b"")])
    client = reports.fast(server.url)
    with pytest.raises(ValueError, match="invalid "):
        client.request(**{"method": "GET", "url": "/", **BAD_CALLS[name]})
    assert (server.connections(), reports.events) == ([], [])


@pytest.mark.parametrize("name", ["X-A", "User-Agent", "user-agent", "Authorization"])
@pytest.mark.parametrize("value", ["1\r\nX-B: 2", "1\n", "\0", "\x01"])
def test_a_default_header_with_a_line_end_is_refused(
    reports: Reports, scripted: OpenScripted, name: str, value: str
) -> None:
    server = scripted([steps.request(), steps.reply(b"")])
    pool = HTTPClientPool(headers={name: value})
    changed = reports.fast(server.url)
    changed.client.default_headers[name] = value
    clients = [
        reports.fast(server.url, default_headers={name: value}),
        reports.fast(server.url, client_pool=pool),
        FastHttpSession(server.url, None, None, headers={name: value}),
        changed,
    ]
    for client in clients:
        for more in ({}, {"headers": {"X-C": "1"}}, {"files": ()}):
            with pytest.raises(ValueError, match=f"invalid value for header field {name!r}"):
                client.get("/anything", **more)
    assert (server.connections(), reports.events) == ([], [])


@pytest.mark.parametrize("end", "\r\n\0")
def test_a_base_url_with_a_line_end_is_refused(reports: Reports, echo: Echo, end: str) -> None:
    moved = reports.fast(echo.url)
    moved.base_url = echo.url + end
    for client in (moved, reports.fast(echo.url + end), reports.fast(f"{echo.url}/{end}x")):
        with pytest.raises(ValueError, match="invalid request URI"):
            client.get("/anything")
    assert reports.events == []


def test_credentials_are_not_shown(
    reports: Reports, echo: Echo, scripted: OpenScripted, refused_url: str
) -> None:
    def at(url: str) -> str:
        return url.replace("//", "//user:secret@")

    elsewhere = steps.reply(b"", status=302, headers=[("Location", f"{at(refused_url)}/")])
    plain, base = reports.fast(echo.url), reports.fast(at(refused_url), max_retries=0)
    plain.get(f"{at(echo.url)}/status/500")
    plain.get(f"{at(scripted([steps.request(), elsewhere]).url)}/y")
    base.get("/x")
    plain.get(f"{at(refused_url)}/x")
    with pytest.raises(ValueError) as refused:
        plain.get(f"{at(refused_url)}/\n")
    # A token that was read from a file with its line end.
    for name in ("Authorization", "cookie", "Proxy-Authorization"):
        with pytest.raises(ValueError, match=f"{name}'$"):
            plain.get("/anything", headers={name: "secret\n"})
    for event in reports.events:
        shown = [event["name"], event["url"], event["response"].url, str(event["exception"]), repr(event)]
        assert "secret" not in " ".join(shown)
    assert "secret" not in str(refused.value)
    assert reports.names[-1] == ("GET", f"{refused_url}/x")
    assert [isinstance(event["response"], ErrorResponse) for event in reports.events] == [False, *[True] * 3]
