"""FastHttpSession: what it sends, reports and returns, as Locust's fast client does when it is run."""

from __future__ import annotations

import http.cookiejar
import io
from typing import Any
from urllib.parse import quote

import pytest
from geventhttpclient.useragent import ConnectionError as FastConnectionError
from reported import Reports
from servers import steps
from servers.control import Echo, OpenScripted

from locust_c.contrib import fasthttp
from locust_c.contrib.fasthttp import (
    FAILURE_EXCEPTIONS,
    ErrorResponse,
    FastHttpSession,
    FastResponse,
    LocustBadStatusCode,
    ResponseContextManager,
)


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def client(reports: Reports, echo: Echo) -> FastHttpSession:
    return reports.fast(echo.url)


def sent(response: Any) -> tuple[str, str, dict[str, str], str]:
    """Method, target, headers that are not the same for every request, and body, as the server saw them."""
    seen = response.json()
    usual = ("Host", "User-Agent", "Accept-Encoding")
    headers = {name.lower(): value for name, value in seen["headers"] if name not in usual}
    return seen["method"], seen["target"], headers, seen["body"]


# --- what is sent ---

FORM = "application/x-www-form-urlencoded; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
JSON = {"content-type": "application/json", "accept": "application/json"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_is_sent_and_reported(client: FastHttpSession, reports: Reports, method: str) -> None:
    response = getattr(client, method.lower())("/anything")
    headers = {"content-length": "0"} if method in ("POST", "PUT", "PATCH") else {}
    assert sent(response) == (method, "/anything", headers, "")
    assert reports.names == [(method, "/anything")]


def test_head_follows_redirects(client: FastHttpSession, reports: Reports) -> None:
    response = client.head("/redirect/1")
    assert (response.status_code, response.content, len(response.history)) == (200, b"", 1)
    assert reports.names == [("HEAD", "/redirect/1")]


@pytest.mark.parametrize(
    ("arguments", "headers", "body"),
    [
        ({"data": {"a": "1", "b": "x y"}}, {"content-type": FORM}, "a=1&b=x+y"),
        ({"data": "a=1"}, {"content-type": TEXT}, "a=1"),
        ({"data": "ü"}, {"content-type": TEXT}, "\u00c3\u00bc"),
        ({"data": b"\x00\xff"}, {"content-type": "application/octet-stream"}, "\x00\xff"),
        ({"json": {"a": [1, None]}}, JSON, '{"a": [1, null]}'),
        ({"json": []}, JSON, "[]"),
        ({"json": 0}, JSON, "0"),
        ({"json": {"a": 1}, "data": "x"}, {"content-type": TEXT}, "x"),
        (
            {"json": {}, "headers": {"content-type": "x/y", "ACCEPT": "z"}},
            {"content-type": "x/y", "accept": "z"},
            "{}",
        ),
    ],
)
# The second time by the way that handles everything: a parameter that is empty is no parameter.
@pytest.mark.parametrize("more", [{}, {"files": ()}], ids=["short way", "long way"])
def test_bodies_are_described(
    client: FastHttpSession,
    arguments: dict[str, Any],
    headers: dict[str, str],
    body: str,
    more: dict[str, Any],
) -> None:
    response = client.post("/anything", **arguments, **more)
    assert sent(response) == ("POST", "/anything", {**headers, "content-length": str(len(body))}, body)


def test_files_are_sent_as_multipart(client: FastHttpSession) -> None:
    response = client.post("/anything", files={"f": ("a.txt", b"content")}, data={"k": "v"})
    _, _, headers, body = sent(response)
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    assert 'name="k"\r\n\r\nv\r\n' in body
    assert 'name="f"; filename="a.txt"\r\n\r\ncontent\r\n' in body


@pytest.mark.parametrize(
    ("path", "arguments", "target"),
    [
        ("/anything", {"params": {"a": 1, "b": "x y", "c": ["1", "2"]}}, "/anything?a=1&b=x+y&c=1&c=2"),
        ("/anything", {"params": [("a", 1), ("a", 2)]}, "/anything?a=1&a=2"),
        ("/anything?x=1", {"params": {"a": "1"}}, "/anything?x=1&a=1"),
        ("/anything?x=1#part", {}, "/anything?x=1"),
        ("/anything/ü x?q=ü y", {}, "/anything/%C3%BC%20x?q=%C3%BC%20y"),
        ("/anything/./a/../b", {}, "/anything/./a/../b"),
        ("/anything/[1]", {}, "/anything/[1]"),
        ("/anything", {"unknown": "1"}, "/anything?unknown=1"),
    ],
)
def test_targets_are_written_as_geventhttpclient_writes_them(
    client: FastHttpSession,
    reports: Reports,
    echo: Echo,
    path: str,
    arguments: dict[str, Any],
    target: str,
) -> None:
    response = client.get(path, **arguments)
    assert response.json()["target"] == target
    # Name and URL of the sample are what was given.
    assert reports.names == [("GET", path)]
    assert reports.last["url"] == response.url == f"{echo.url}{path}"


def test_the_flavours_are_told_apart_by_the_attribute_headers(reports: Reports, echo: Echo) -> None:
    assert hasattr(reports.http(echo.url), "headers")
    client = reports.fast(echo.url)
    assert not hasattr(client, "headers")
    with pytest.raises(AttributeError, match="default_headers"):
        _ = client.headers
    client.client.default_headers["X-A"] = "1"
    assert client.get("/anything").request.headers["X-A"] == "1"


def test_default_headers_are_sent_and_can_be_replaced(reports: Reports, echo: Echo) -> None:
    client = reports.fast(echo.url, default_headers={"X-Default": "1", "User-Agent": "mine"})
    seen = dict(client.get("/anything").json()["headers"])
    assert (seen["X-Default"], seen["User-Agent"]) == ("1", "mine")
    assert seen["Accept-Encoding"] == "gzip, deflate, br"
    given = {"x-default": "2", "X-Number": 3}
    seen = dict(client.get("/anything", headers=given).json()["headers"])
    assert (seen["x-default"], seen["X-Number"], "X-Default" in seen) == ("2", "3", False)
    client.post("/anything", json={}, headers=given)
    assert given == {"x-default": "2", "X-Number": 3}
    client.client.default_headers["X-Default"] = "4"
    assert dict(client.get("/anything").json()["headers"])["X-Default"] == "4"


def test_basic_auth_of_a_call_and_of_the_base_url(
    reports: Reports, client: FastHttpSession, echo: Echo
) -> None:
    assert client.get("/basic-auth/user/pass", auth=("user", "pass")).status_code == 200
    assert client.get("/basic-auth/user/pass", auth=("user", "no")).status_code == 401
    assert client.auth_header is None
    owner = reports.fast(echo.url.replace("//", "//us%40er:p%3Ass@"))
    assert owner.base_url == echo.url
    assert owner.get("/basic-auth/us@er/p:ss").status_code == 200
    assert owner.auth_header == "Basic dXNAZXI6cDpzcw=="
    assert reports.last["url"] == f"{echo.url}/basic-auth/us@er/p:ss"


def test_debug_stream_gets_the_conversation(client: FastHttpSession) -> None:
    stream = io.StringIO()
    response = client.post("/anything", data="body", debug_stream=stream)
    assert stream.getvalue() == (
        f"REQUEST: {response.url}\n{response.json()['raw']}\n\n"
        f"RESPONSE: HTTP/1.1 200\n{response.headers}\n\n{response.text}\n\n"
    )


# --- what is reported ---


def test_the_default_name_is_the_url_as_given(client: FastHttpSession, reports: Reports, echo: Echo) -> None:
    client.get("/anything?a=1")
    client.get(f"{echo.url}/anything")
    client.get("/anything", name="mine")
    client.get("/anything", name="")
    assert [name for _, name in reports.names] == [
        *("/anything?a=1", f"{echo.url}/anything", "mine", "/anything")
    ]


def test_rename_request_names_what_is_in_the_block(client: FastHttpSession, reports: Reports) -> None:
    with client.rename_request("outer"):
        client.get("/anything")
        with client.rename_request("inner"):
            client.get("/anything")
        client.get("/anything", name="own")
        client.get("/anything")
    client.get("/anything")
    client.request_name = "all"
    client.get("/anything", params={"a": "1"})
    assert [name for _, name in reports.names] == ["outer", "inner", "own", "outer", "/anything", "all"]


def test_context_of_call_and_user(reports: Reports, echo: Echo) -> None:
    client = reports.fast(echo.url, context=lambda self: {"user": 1, "both": "user"})
    client.get("/anything", context={"both": "call"})
    client.get("/anything", files=(), context={"both": "call"})
    client.get("/anything")
    assert [event["context"] for event in reports.events] == [
        *[{"user": 1, "both": "call"}] * 2,
        {"user": 1, "both": "user"},
    ]


@pytest.mark.parametrize("status", [200, 201, 204, 208, 226, 301, 302, 304, 307])
def test_a_fine_status(client: FastHttpSession, reports: Reports, status: int) -> None:
    response = client.get(f"/status/{status}")
    assert reports.exceptions == [""]
    assert (response.status_code, response.error) == (status, None)
    response.raise_for_status()


@pytest.mark.parametrize("status", [299, 300, 305, 400, 404, 500, 503, 599])
def test_every_other_status_is_a_failure(client: FastHttpSession, reports: Reports, status: int) -> None:
    response = client.get(f"/status/{status}")
    assert reports.exceptions == [f"LocustBadStatusCode(code={status})"]
    assert response.status_code == status
    with pytest.raises(LocustBadStatusCode, match=f"code={status}") as caught:
        response.raise_for_status()
    assert caught.value.code == status
    assert isinstance(caught.value, FastConnectionError)
    assert isinstance(caught.value, FAILURE_EXCEPTIONS)


@pytest.mark.parametrize("more", [{}, {"files": ()}], ids=["short way", "long way"])
def test_a_block_knows_what_is_wrong_with_the_status(
    client: FastHttpSession, reports: Reports, more: dict[str, Any]
) -> None:
    with client.get("/status/500", catch_response=True, **more) as bad:
        assert repr(bad.error) == repr(bad.request_meta["exception"]) == "LocustBadStatusCode(code=500)"
        bad.success()
    with client.get("/status/500", catch_response=True, **more):
        pass
    with client.get("/status/200", catch_response=True, **more) as fine:
        assert (fine.error, fine.request_meta["exception"]) == (None, None)
    assert reports.exceptions == ["", "LocustBadStatusCode(code=500)", ""]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_keep_or_change_the_method(
    client: FastHttpSession, reports: Reports, echo: Echo, method: str, status: int
) -> None:
    path = f"/redirect/1?status={status}"
    response = client.request(method, path, data=None if method == "GET" else "x")
    method_now, target, _, body = sent(response)
    kept = status in (307, 308) or method == "GET"
    assert (method_now, target) == (method if kept else "GET", "/anything")
    assert body == ("x" if kept and method != "GET" else "")
    assert reports.names == [(method, path)]
    assert reports.last["url"] == f"{echo.url}{path}"
    assert response.url == f"{echo.url}/anything"


def test_redirects_can_be_left_alone(client: FastHttpSession) -> None:
    response = client.get("/redirect/1", allow_redirects=False)
    assert (response.status_code, response.headers["Location"]) == (302, "/anything")


@pytest.mark.parametrize(
    ("count", "arguments", "fails"), [(30, {}, 0), (31, {}, 1), (2, {"max_redirects": 1}, 1)]
)
def test_too_many_redirects_are_a_failure(
    client: FastHttpSession, reports: Reports, count: int, arguments: dict[str, int], fails: int
) -> None:
    response = client.get(f"/redirect/{count}", **arguments)
    assert isinstance(response, ErrorResponse) == bool(fails)
    assert response.request.method == "GET"
    assert "Redirection limit reached (30)" in reports.exceptions[0] if fails else reports.exceptions == [""]
    assert reports.names == [("GET", f"/redirect/{count}")]


def test_a_redirect_to_another_protocol_is_a_failure(client: FastHttpSession, reports: Reports) -> None:
    client.get(f"/redirect-to?url={quote('ftp://127.0.0.1/x', safe='')}")
    assert "UnsupportedRedirectSchemeError" in reports.exceptions[0]
    assert "'ftp'" in reports.exceptions[0]


def test_credentials_do_not_follow_to_another_host(client: FastHttpSession, echo: Echo) -> None:
    elsewhere = quote(f"http://localhost:{echo.port}/anything", safe="")
    response = client.get(f"/redirect-to?url={elsewhere}", auth=("u", "p"), headers={"X-A": "1"})
    assert sent(response)[2] == {"x-a": "1"}
    response = client.get("/redirect-to?url=/anything", auth=("u", "p"))
    assert sent(response)[2] == {"authorization": "Basic dTpw"}


def test_cookies_are_kept_in_a_cookie_jar(client: FastHttpSession) -> None:
    assert client.get("/cookies/set?a=1&b=2").json() == [["a", "1"], ["b", "2"]]
    assert isinstance(client.cookiejar, http.cookiejar.CookieJar)
    assert {cookie.name: cookie.value for cookie in client.cookiejar} == {"a": "1", "b": "2"}
    assert client.get("/cookies", headers={"Cookie": "c=3"}).json() == [["c", "3"]]
    client.client.cookiejar.clear()
    assert client.get("/cookies").json() == []


# --- what is returned ---


def test_the_response_has_what_is_documented(client: FastHttpSession, echo: Echo) -> None:
    response = client.post("/anything", data="body", headers={"X-A": "1"})
    assert type(response) is FastResponse
    assert (response.status_code, response.ok, response.url) == (200, True, f"{echo.url}/anything")
    assert response.json()["body"] == "body"
    assert response.text == response.content.decode()
    assert response.headers["content-type"] == "application/json"
    assert "".join(response.iter_content(7)) == response.text
    assert response.elapsed.total_seconds() > 0
    request = response.request
    assert (request.method, request.url, request.body) == ("POST", f"{echo.url}/anything", b"body")
    assert (request.payload, request.headers["x-a"]) == (b"body", "1")
    assert client.get("/anything").request.body is None
    with client.get("/anything") as plain:
        assert plain.status_code == 200
    assert type(client.get("/anything", catch_response=True)) is ResponseContextManager


@pytest.mark.parametrize(
    ("path", "encoding", "text"),
    [
        ("/text?charset=latin-1", "latin-1", "Grüße, ??"),
        ("/text?charset=utf-16", "utf-16", "Grüße, 世界"),
        ("/text", "ISO-8859-1", "Grüße, 世界".encode().decode("latin-1")),
        ("/text?type=application/json", "utf-8", "Grüße, 世界"),
        ("/bytes/0", "utf-8", ""),
    ],
)
def test_text_follows_the_charset(
    client: FastHttpSession, path: str, encoding: str | None, text: str
) -> None:
    response = client.get(path)
    assert (response.encoding, response.text) == (encoding, text)


def test_what_is_not_json_is_a_value_error(client: FastHttpSession) -> None:
    for path in ("/bytes/10", "/text?charset=latin-1"):
        with pytest.raises(ValueError):
            client.get(path).json()


def test_codings_are_undone(client: FastHttpSession) -> None:
    for path in ("/gzip", "/deflate", "/raw-deflate", "/br", "/zstd", "/chunked", "/read-to-close"):
        assert client.get(path).json()["target"] == path


def test_iter_lines_gives_lines_and_raises_failures(client: FastHttpSession, reports: Reports) -> None:
    assert list(client.iter_lines("/text")) == ["Grüße, 世界"]
    assert [line[:16] for line in client.iter_lines("/anything", "POST", data="x", name="lines")] == [
        '{"method": "POST'
    ]
    with pytest.raises(LocustBadStatusCode):
        list(client.iter_lines("/status/404"))
    assert reports.names == [("GET", "/text"), ("POST", "lines"), ("GET", "/status/404")]


def test_a_request_without_a_response(reports: Reports, refused_url: str) -> None:
    response = reports.fast(refused_url).get("/x")
    assert isinstance(response, ErrorResponse)
    assert (response.status_code, response.content, response.text, response.headers) == (0, None, None, None)
    assert not response.ok
    assert isinstance(response.error, ConnectionRefusedError)
    with pytest.raises(ConnectionRefusedError):
        response.raise_for_status()
    with pytest.raises(TypeError):
        response.json()
    assert reports.last["response"] is response
    assert reports.last["response_length"] == 0


# --- TLS, the pool, settings ---

KEPT = [steps.request(), steps.reply(b"one")]


def test_certificates_are_checked_only_if_asked_for(reports: Reports, echo: Echo) -> None:
    assert reports.fast(echo.tls_url).get("/anything").status_code == 200
    strict = reports.fast(echo.tls_url, insecure=False)
    assert strict.get("/anything").status_code == 0
    assert "CERTIFICATE_VERIFY_FAILED" in reports.exceptions[-1]
    assert strict.get("/anything", verify=str(echo.ca)).status_code == 200


def test_the_pool_can_be_closed(reports: Reports, scripted: OpenScripted) -> None:
    server = scripted([*KEPT, steps.wait_eof()])
    client = reports.fast(server.url)
    client.get("/x")
    client.client.clientpool.close()
    server.wait_for("ended")
    assert client.get("/x").status_code == 200
    assert len(server.connections()) == 2


def test_users_pass_their_settings_on(reports: Reports, echo: Echo) -> None:
    client = reports.fast(echo.url, max_redirects=2, max_retries=4)
    assert (client.client.max_redirects, client.client.max_retries) == (2, 4)
    client.client.max_redirects = 7
    assert client.max_redirects == 7
    bare = FastHttpSession(echo.url, reports.environment.events.request, None)
    assert (bare.max_redirects, bare.max_retries) == (3, 3)


def test_the_old_name_of_the_user_says_its_new_one() -> None:
    with pytest.raises(ImportError, match="FastHttpUser"):
        type("Old", (fasthttp.FastHttpLocust,), {})
