"""What FastHttpSession sends, byte for byte: as geventhttpclient does with what Locust's client adds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http.cookiejar import CookieJar
from typing import Any

import pytest
from geventhttpclient.useragent import UserAgent
from reported import Reports
from servers import steps
from servers.control import OpenScripted

Call = dict[str, Any]

OWN = {"X-A": "1", "x-b": "2"}
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
COOKIES = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; Path=/")]
VERBS: dict[str, Call] = {method: {"method": method} for method in ("GET", "POST", "PUT", "DELETE", "HEAD")}
BODIES: dict[str, Call] = {
    "form": {"data": {"a": "1", "b": "x y", "c": None, "d": ["1", "2"]}},
    "form of its own type": {"data": {"a": 1}, "headers": {"content-type": "a/b"}},
    "text": {"data": "a=ü€"},
    "text of its own type": {"data": "ü", "headers": {"Content-Type": "a/b"}},
    "bytes": {"data": b"\x00\xff"},
    "bytes of their own type": {"data": b"x", "headers": {**OWN, "content-Type": "a/b"}},
    "json": {"json": {"a": [1, None, "é"]}},
    "json of its own type": {"json": [], "headers": {"ACCEPT": "z", "content-type": "x/y"}},
    "json with another accept": {"json": 0, "headers": {**OWN, "accept": "z"}},
    "an empty content type": {"data": "x", "headers": {"Content-Type": ""}},
    "no body": {"data": ""},
}
HEADERS: dict[str, Call] = {
    "own ones": {"headers": OWN},
    "a user agent": {"headers": {"X-A": "1", "user-agent": "mine"}},
    "a coding": {"headers": {"accept-encoding": "br", "X-A": "1"}},
    "twice in one dict": {"headers": {"X-A": "1", "x-a": "2", "X-C": "3"}},
    "cookies": {"headers": {"cookie": "c=3", "X-A": "1"}},
    "another host": {"headers": {"X-A": "1", "host": "elsewhere.example"}},
    "numbers": {"headers": {"X-A": 5, "X-B": True, "X-C": None}},
    "blanks": {"headers": {"X-A": "  a  ", "X-B": ""}},
    "latin-1": {"headers": {"X-A": "ü"}},
    "several values": {"headers": {"X-A": ["1", "2"]}},
    "a length": {"headers": {"Content-Length": "1"}, "data": "x"},
}
AUTH: dict[str, Call] = {
    "credentials": {"auth": ("u", "p"), "headers": OWN},
    "credentials and a header": {"auth": ("u", "p"), "headers": {"AUTHORIZATION": "mine", "X-A": "1"}},
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "none": {},
    "described": {"Authorization": "Bearer x", "Accept": "d/a", "Content-Type": "d/t"},
    "codings": {"X-A": "d", "accept-encoding": "identity", "User-Agent": "z", "x-C": "d"},
    "several values": {"X-A": ["1", "2"], "Cookie": "d=1"},
    "a host": {"Host": "default.example"},
}
CALLS = VERBS | BODIES | HEADERS | AUTH


def with_additions(call: Call) -> dict[str, Any]:
    """The arguments for geventhttpclient: with the headers that Locust's client adds (its documentation)."""
    headers = dict(call.get("headers", {}))

    def add(name: str, value: str) -> None:
        if name.lower() not in {given.lower() for given in headers}:
            headers[name] = value

    if "auth" in call:
        headers["Authorization"] = "Basic dTpw"
    add("Accept-Encoding", "gzip, deflate, br")
    payload = call.get("data")
    if not payload and "json" in call:
        payload = json.dumps(call["json"])
        for name, value in JSON.items():
            add(name, value)
    return {"method": call.get("method", "POST"), "headers": headers, "payload": payload}


def sent(
    scripted: OpenScripted, cookies: bool, run: Callable[[str, Callable[..., object]], object]
) -> list[bytes]:
    """The raw requests of `run(base_url, clear_cookies)`, with the server's port made the same for all."""
    reply = steps.head_bytes(headers=[*(COOKIES if cookies else []), ("Content-Length", "0")])
    server = scripted([steps.repeat(steps.request(), steps.send(reply))])
    run(server.url)
    return [raw.replace(f":{server.port}".encode(), b":PORT") for raw in server.requests()]


def of_geventhttpclient(defaults: Mapping[str, Any], calls: list[Call]) -> Callable[[str], None]:
    def run(url: str) -> None:
        with UserAgent(headers=defaults, cookiejar=CookieJar(), max_retries=0) as agent:
            for call in calls:
                agent.urlopen(url + "/x?y=1", **with_additions(call)).release()

    return run


def of_ours(reports: Reports, defaults: Mapping[str, Any], calls: list[Call]) -> Callable[[str], None]:
    def run(url: str) -> None:
        client = reports.fast(url, default_headers=defaults)
        for call in calls:
            client.request(**{"method": "POST", "url": "/x?y=1", **call})

    return run


@pytest.mark.parametrize("defaults", DEFAULTS)
@pytest.mark.parametrize("cookies", [False, True], ids=["without cookies", "with cookies"])
def test_requests_are_those_of_geventhttpclient(scripted: OpenScripted, defaults: str, cookies: bool) -> None:
    calls = list(CALLS.values())
    theirs = sent(scripted, cookies, of_geventhttpclient(DEFAULTS[defaults], calls))
    ours = sent(scripted, cookies, of_ours(Reports(), DEFAULTS[defaults], calls))
    assert len(theirs) == len(CALLS)
    assert dict(zip(CALLS, ours, strict=True)) == dict(zip(CALLS, theirs, strict=True))


# --- redirects: the short way meets one, geventhttpclient's session layer goes on ---

LOCATIONS = (
    *("/n", "b", "../c", "?q=2", "#f", "", "/a b", "/\u00fc", "/%c3%bc%zz"),
    *("/a/./b/../c", "/../x", "/a;p?q"),
)
BODY = {"POST": {"data": "text"}, "PUT": {"json": {"a": 1}}, "PATCH": {"data": {"f": "1"}}}


def redirected(location: str, status: int) -> list[steps.Step]:
    headers = [("Location", location), ("Content-Length", "0"), ("Set-Cookie", "r=1")]
    fine = steps.head_bytes(headers=[("Content-Length", "0")])
    first = [steps.request(), steps.send(steps.head_bytes(status, headers=headers))]
    return [*first, steps.request(), steps.send(fine)] if location else first


@pytest.mark.parametrize("status", [301, 303, 307])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "HEAD", "DELETE"])
def test_redirected_requests_are_those_of_geventhttpclient(
    scripted: OpenScripted, status: int, method: str
) -> None:
    calls = [{"method": method, **BODY.get(method, {}), "headers": {"X-A": "1", "Authorization": "a"}}] * len(
        LOCATIONS
    )
    script = [step for location in LOCATIONS for step in redirected(location, status)]

    def raw(run: Callable[[str], object]) -> list[bytes]:
        server = scripted(script)
        run(server.url)
        return [request.replace(f":{server.port}".encode(), b":PORT") for request in server.requests()]

    theirs = raw(of_geventhttpclient({"X-D": "1"}, calls))
    assert len(theirs) == 2 * len(LOCATIONS) - 1  # an empty Location is none
    assert raw(of_ours(Reports(), {"X-D": "1"}, calls)) == theirs
