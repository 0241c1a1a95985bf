"""HttpSession beside requests.Session: the same calls put the same bytes on the wire and bring the same back.

The echo server's answers hold the request as it was received, so comparing answers compares the wire as well.
"""

from __future__ import annotations

import io
from urllib.parse import quote

import pytest
import requests
from parity import Call, marked, neutral, observe, our_session, stock_session
from requests.auth import AuthBase, HTTPBasicAuth
from servers.control import Echo

UMLAUTS = "Grüße, 世界"


class TokenAuth(AuthBase):
    """An authentication class as users write them."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-Token"] = "secret"
        return request


def with_headers(session: requests.Session, base: str) -> requests.Response:
    session.headers.update({"X-Session": "1", "accept": "text/html"})
    session.headers["User-Agent"] = "somebody"
    del session.headers["Connection"]
    return session.get(base + "/anything", headers={"x-session": "2", "X-Call": "3"})


def with_cookies(session: requests.Session, base: str) -> requests.Response:
    session.cookies.set("mine", "1")
    session.cookies.update({"other": "a b"})
    session.get(base + "/cookies/set?theirs=2")
    return session.get(base + "/anything", cookies={"once": "3"})


def after_cookies_for_one_call(session: requests.Session, base: str) -> requests.Response:
    session.get(base + "/anything", cookies={"once": "3"})
    return session.get(base + "/anything")


def with_session_settings(session: requests.Session, base: str) -> requests.Response:
    session.params = {"always": "1", "both": "session"}
    session.auth = ("user", "pass")
    return session.get(base + "/anything", params={"both": "call"})


def with_hook(session: requests.Session, base: str) -> requests.Response:
    def mark(response: requests.Response, *args: object, **kwargs: object) -> None:
        response.headers["X-Hooked"] = "yes"

    return session.get(base + "/anything", hooks={"response": mark})


def with_prepared(session: requests.Session, base: str) -> requests.Response:
    request = session.prepare_request(requests.Request("POST", base + "/anything", data={"a": "1"}))
    request.headers["X-Late"] = "1"
    return session.send(request)


def pieces() -> object:
    return (piece for piece in (b"one", b"two", b"three"))


def redirect_to(target: str, status: int = 302) -> str:
    return f"/redirect-to?status={status}&url={quote(target, safe='')}"


METHODS: dict[str, Call] = {
    "get": lambda s, base: s.get(base + "/anything"),
    "post without body": lambda s, base: s.post(base + "/anything"),
    "put": lambda s, base: s.put(base + "/anything", data=b"x"),
    "patch": lambda s, base: s.patch(base + "/anything", data=b"x"),
    "delete": lambda s, base: s.delete(base + "/anything"),
    "delete with body": lambda s, base: s.delete(base + "/anything", json={"a": 1}),
    "head": lambda s, base: s.head(base + "/anything"),
    "head of a redirect": lambda s, base: s.head(base + "/redirect/1"),
    "options": lambda s, base: s.options(base + "/anything"),
    "request in lower case": lambda s, base: s.request("get", base + "/anything"),
    "unknown method": lambda s, base: s.request("PURGE", base + "/anything"),
    "get with body": lambda s, base: s.get(base + "/anything", data="x"),
    "prepared": with_prepared,
}

URLS: dict[str, Call] = {
    "params": lambda s, base: s.get(base + "/anything", params={"a": "1", "b": "x y&z", "c": UMLAUTS}),
    "params as lists": lambda s, base: s.get(base + "/anything", params={"a": [1, 2], "b": None, "c": ""}),
    "params as pairs": lambda s, base: s.get(base + "/anything", params=[("b", 1), ("a", 2.5), ("b", True)]),
    "params as text": lambda s, base: s.get(base + "/anything", params="a=1&b=%20 x"),
    "params as bytes": lambda s, base: s.get(base + "/anything", params=b"a=1"),
    "params and a query": lambda s, base: s.get(base + "/anything?x=1", params={"a": "1"}),
    "params and a fragment": lambda s, base: s.get(base + "/anything?x=1#part", params={"a": "1"}),
    "empty params": lambda s, base: s.get(base + "/anything", params={}),
    "empty query": lambda s, base: s.get(base + "/anything?"),
    "no path": lambda s, base: s.get(base),
    "query without path": lambda s, base: s.get(base + "?a=1"),
    "space and umlauts": lambda s, base: s.get(base + "/anything/a b/ü/世"),
    "already escaped": lambda s, base: s.get(base + "/anything/%41%2f%zz/%7e?q=%26%20"),
    "reserved characters": lambda s, base: s.get(base + "/anything/a;b=c,d:e@f!$'()*+[]|^`{}\"<>\\"),
    "reserved in query": lambda s, base: s.get(base + "/anything?a=[1]&b={x}|y^`\"<>\\'()"),
    "dot segments": lambda s, base: s.get(base + "/anything/./a/../b"),
    "double slashes": lambda s, base: s.get(base + "//anything//x"),
    "leading space": lambda s, base: s.get("  " + base + "/anything"),
    "upper case scheme": lambda s, base: s.get(base.replace("http", "HTTP") + "/anything"),
    "credentials": lambda s, base: s.get(base.replace("//", "//user:p%40ss@") + "/anything"),
}

BODIES: dict[str, Call] = {
    "form": lambda s, base: s.post(base + "/anything", data={"a": "1", "b": "x y&z", "c": UMLAUTS}),
    "form with lists": lambda s, base: s.post(base + "/anything", data={"a": ["1", "2"], "b": None, "c": 3}),
    "form as pairs": lambda s, base: s.post(base + "/anything", data=[("b", "1"), ("a", "2"), ("b", "3")]),
    "empty form": lambda s, base: s.post(base + "/anything", data={}),
    "text": lambda s, base: s.post(base + "/anything", data="a=1"),
    "text with umlauts": lambda s, base: s.post(base + "/anything", data=UMLAUTS),
    "bytes": lambda s, base: s.post(base + "/anything", data=b"\x00\x01\xff"),
    "a large body": lambda s, base: s.post(base + "/anything", data=b"x" * 300_000),
    "a file": lambda s, base: s.post(base + "/anything", data=io.BytesIO(b"content of a file")),
    "a generator": lambda s, base: s.post(base + "/anything", data=pieces()),
    "json": lambda s, base: s.post(base + "/anything", json={"a": [1, 2.5, None, True], "ü": UMLAUTS}),
    "json list": lambda s, base: s.post(base + "/anything", json=[1, 2]),
    "json null": lambda s, base: s.post(base + "/anything", json=None),
    "json of nothing": lambda s, base: s.post(base + "/anything", json={}),
    "json zero": lambda s, base: s.post(base + "/anything", json=0),
    "json and data": lambda s, base: s.post(base + "/anything", json={"a": 1}, data={"b": 2}),
    "json with own type": lambda s, base: s.post(
        base + "/anything", json={"a": 1}, headers={"content-type": "application/vnd.x+json"}
    ),
    "json not a number": lambda s, base: s.post(base + "/anything", json={"a": float("nan")}),
    "json not possible": lambda s, base: s.post(base + "/anything", json={"a": object}),
    "files": lambda s, base: s.post(base + "/anything", files={"f": ("n.txt", b"content", "text/x")}),
    "files and data": lambda s, base: s.post(base + "/anything", files={"f": b"content"}, data={"a": "1"}),
}

HEADERS: dict[str, Call] = {
    "headers": lambda s, base: s.get(base + "/anything", headers={"X-A": "1", "x-b": "ü", "A": ""}),
    "headers as bytes": lambda s, base: s.get(base + "/anything", headers={"X-A": b"1", b"X-B": b"2"}),
    "headers replace": lambda s, base: s.get(base + "/anything", headers={"accept": "x", "USER-AGENT": "y"}),
    "headers remove": lambda s, base: s.get(base + "/anything", headers={"Accept": None, "User-Agent": None}),
    "own host": lambda s, base: s.get(base + "/anything", headers={"Host": "elsewhere.example"}),
    "own length": lambda s, base: s.post(base + "/anything", data="abc", headers={"Content-Length": "3"}),
    "number as value": lambda s, base: s.get(base + "/anything", headers={"X-A": 1}),
    "line end in value": lambda s, base: s.get(base + "/anything", headers={"X-A": "1\r\nX-B: 2"}),
    "space before value": lambda s, base: s.get(base + "/anything", headers={"X-A": " 1"}),
    "line end in name": lambda s, base: s.get(base + "/anything", headers={"X-A\r\nX-B": "2"}),
    "session headers": with_headers,
    "session settings": with_session_settings,
    "cookies for one call": lambda s, base: s.get(base + "/anything", cookies={"a": "1", "b": "x y"}),
    "cookies are not kept": after_cookies_for_one_call,
    "cookies of all kinds": with_cookies,
    "own cookie header": lambda s, base: s.get(base + "/anything", headers={"Cookie": "a=1"}),
    "basic auth": lambda s, base: s.get(base + "/basic-auth/user/pass", auth=("user", "pass")),
    "basic auth class": lambda s, base: s.get(base + "/anything", auth=HTTPBasicAuth("ü", "p:ss")),
    "basic auth wrong": lambda s, base: s.get(base + "/basic-auth/user/pass", auth=("user", "no")),
    "own auth class": lambda s, base: s.get(base + "/anything", auth=TokenAuth()),
    "auth over own header": lambda s, base: s.get(
        base + "/anything", auth=("user", "pass"), headers={"Authorization": "Bearer x"}
    ),
    "hooks": with_hook,
}

REDIRECTS: dict[str, Call] = {
    **{
        f"get, {n}": lambda s, base, n=n: s.get(f"{base}/redirect/2?status={n}")
        for n in (301, 302, 303, 307, 308)
    },
    **{
        f"post, {n}": lambda s, base, n=n: s.post(f"{base}/redirect/1?status={n}", json={"a": 1})
        for n in (301, 302, 303, 307, 308)
    },
    "put, 302": lambda s, base: s.put(base + "/redirect/1", data={"a": "1"}),
    "not followed": lambda s, base: s.get(base + "/redirect/1", allow_redirects=False),
    "head, followed": lambda s, base: s.head(base + "/redirect/1", allow_redirects=True),
    "absolute": lambda s, base: s.get(base + redirect_to(base + "/anything")),
    "without scheme": lambda s, base: s.get(base + redirect_to(base.removeprefix("http:") + "/anything")),
    "relative": lambda s, base: s.get(base + redirect_to("anything/x?y=1")),
    "with a fragment": lambda s, base: s.get(base + redirect_to("/anything#new") + "#old"),
    "keeps the fragment": lambda s, base: s.get(base + redirect_to("/anything") + "#old"),
    "to a path with spaces": lambda s, base: s.get(base + redirect_to("/anything/a b/ü")),
    "drops credentials elsewhere": lambda s, base: s.get(
        base + redirect_to(base.replace("127.0.0.1", "localhost") + "/anything"), auth=("user", "pass")
    ),
    "keeps credentials here": lambda s, base: s.get(base + redirect_to("/anything"), auth=("user", "pass")),
    "with cookies": lambda s, base: s.get(base + "/cookies/set?a=1&b=2"),
    "without location": lambda s, base: s.get(base + "/status/302"),
    "status 300": lambda s, base: s.get(base + redirect_to("/anything", 300)),
    "status 304": lambda s, base: s.get(base + redirect_to("/anything", 304)),
    "for ever": lambda s, base: s.get(base + "/redirect/40"),
    "to another protocol": lambda s, base: s.get(base + redirect_to("ftp://127.0.0.1/x")),
}

ANSWERS: dict[str, Call] = {
    **{
        f"status {n}": lambda s, base, n=n: s.get(f"{base}/status/{n}")
        for n in (201, 204, 304, 404, 418, 503)
    },
    "gzip": lambda s, base: s.get(base + "/gzip"),
    "br": lambda s, base: s.get(base + "/br"),
    "deflate": lambda s, base: s.get(base + "/deflate"),
    "raw deflate": lambda s, base: s.get(base + "/raw-deflate"),
    "chunked": lambda s, base: s.get(base + "/chunked?pieces=7"),
    "read to close": lambda s, base: s.get(base + "/read-to-close"),
    "closed": lambda s, base: s.get(base + "/close"),
    "no bytes": lambda s, base: s.get(base + "/bytes/0"),
    "many bytes": lambda s, base: s.get(base + "/bytes/1000000"),
    "not json": lambda s, base: s.get(base + "/bytes/10"),
    "streamed": lambda s, base: s.get(base + "/bytes/100000", stream=True),
    "text without charset": lambda s, base: s.get(base + "/text"),
    "text in utf-8": lambda s, base: s.get(base + "/text?charset=utf-8"),
    "text in latin-1": lambda s, base: s.get(base + "/text?charset=latin-1"),
    "text in utf-16": lambda s, base: s.get(base + "/text?charset=utf-16"),
    "html": lambda s, base: s.get(base + "/text?type=text/html"),
    "json type": lambda s, base: s.get(base + "/text?type=application/json"),
    "charset nobody knows": lambda s, base: s.get(
        base + "/headers?Content-Type=text/plain;charset%3Dklingon"
    ),
    "repeated headers": lambda s, base: s.get(base + "/headers?X-A=1&X-A=2"),
    "repeated headers of other case": lambda s, base: s.get(base + "/headers?X-A=1&x-a=2"),
    "padded headers": lambda s, base: s.get(base + "/headers?X-B=%20padded%20"),
    "links": lambda s, base: s.get(base + "/headers?Link=%3C/next%3E;%20rel%3D%22next%22"),
    "umlauts in headers": lambda s, base: s.get(base + "/headers?X-A=%C3%BC"),
    "cookie attributes": lambda s, base: s.get(
        base + "/cookies/set?a=1%3B%20Path%3D%2Fx&b=2%3B%20HttpOnly&c=3%3B%20Secure&d=4%3B%20Max-Age%3D0"
    ),
    "cookie that expires": lambda s, base: s.get(
        base + "/cookies/set?a=1%3B%20Expires%3DWed%2C%2021%20Oct%202037%2007%3A28%3A00%20GMT"
    ),
    "cookie values": lambda s, base: s.get(base + "/cookies/set?a=%22quoted%22&b=x%20y&c=&d=a%3Db"),
    "cookie of another domain": lambda s, base: s.get(base + "/cookies/set?a=1%3B%20Domain%3Dexample.org"),
}

TABLE = {
    f"{group}: {name}": call
    for group, calls in (
        ("method", METHODS),
        ("url", URLS),
        ("body", BODIES),
        ("headers", HEADERS),
        ("redirect", REDIRECTS),
        ("answer", ANSWERS),
    )
    for name, call in calls.items()
}


# What is known to differ, and why; a case that no longer differs fails until it is taken out here.
DIFFERENT = {
    "answer: padded headers": "white space after a value is no part of it (RFC 9112, 5)",
}


@pytest.mark.parametrize("name", marked(TABLE, DIFFERENT))
def test_call_is_the_same_as_with_requests(echo: Echo, name: str) -> None:
    call = TABLE[name]
    with stock_session() as theirs, our_session() as ours:
        expected = observe(theirs, call, echo.url)
        assert neutral(observe(ours, call, echo.url), echo.port) == neutral(expected, echo.port)


# Calls whose URL is made of the whole address; relative ones are left.
ABSOLUTE = {
    "url: no path",
    "url: query without path",
    "url: leading space",
    "url: upper case scheme",
    "url: credentials",
    "method: prepared",
    "redirect: absolute",
    "redirect: without scheme",
    "redirect: drops credentials elsewhere",
}


DIFFERENT_BELOW = {**DIFFERENT, "headers: headers as bytes": "the request shows them as text"}


@pytest.mark.parametrize("name", marked([name for name in TABLE if name not in ABSOLUTE], DIFFERENT_BELOW))
def test_call_below_a_base_url_is_the_same_as_with_requests(echo: Echo, name: str) -> None:
    call = TABLE[name]
    with stock_session() as theirs, our_session(echo.url) as ours:
        expected = observe(theirs, call, echo.url)
        assert neutral(observe(ours, call, ""), echo.port) == neutral(expected, echo.port)
