"""HttpSession: what Locust adds to requests.Session, as Locust's own session does when it is run."""

from __future__ import annotations

import copy
import io
import os
import pickle
from typing import Any

import gevent
import pytest
import requests
from reported import Reports, in_block
from requests.adapters import HTTPAdapter
from requests.cookies import cookiejar_from_dict
from servers import steps
from servers.control import Echo, OpenScripted

from locust_c.clients import HttpSession, ResponseContextManager


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def client(reports: Reports, echo: Echo) -> HttpSession:
    return reports.http(echo.url)


def headers_sent(response: Any) -> dict[str, str]:
    return dict(response.json()["headers"])


# --- names and URLs ---


def test_the_default_name_is_path_and_query(client: HttpSession, reports: Reports, echo: Echo) -> None:
    client.get("/anything?a=1", params={"b": "x y"})
    client.get(f"{echo.url}/anything?a=1#part")
    client.get("")
    client.get("/anything/ü x")
    client.get("/redirect/2")
    assert [(event["name"], event["url"].removeprefix(echo.url)) for event in reports.events] == [
        *[("/anything?a=1&b=x+y",) * 2, ("/anything?a=1", "/anything?a=1#part"), ("/", "/")],
        *[("/anything/%C3%BC%20x",) * 2, ("/redirect/2",) * 2],
    ]


def test_a_name_that_is_given_counts(client: HttpSession, reports: Reports) -> None:
    client.get("/anything", name="mine")
    client.request("GET", "/anything", "by position")
    client.post("/redirect/1", data="x", name="redirected")
    client.get("/anything", name="")
    client.get("/anything", name=None)
    assert reports.names == [
        *[("GET", "mine"), ("GET", "by position"), ("POST", "redirected")],
        *[("GET", "/anything")] * 2,
    ]


def test_rename_request_names_what_is_in_the_block(client: HttpSession, reports: Reports) -> None:
    with pytest.raises(KeyError), client.rename_request("block"):
        client.get("/anything")
        client.get("/anything", name="own")
        raise KeyError
    client.get("/anything")
    client.request_name = "all"
    client.get("/anything", files={"f": b"x"})
    assert [name for _, name in reports.names] == ["block", "own", "/anything", "all"]


def test_relative_urls_are_appended_to_the_base_url(reports: Reports, echo: Echo) -> None:
    client = reports.http(echo.url + "/anything/")
    assert client.base_url == echo.url + "/anything/"
    assert client.get("/x").json()["target"] == "/anything//x"
    assert client.get("x").json()["target"] == "/anything/x"
    assert client.get(echo.url.replace("http", "HTTP") + "/cookies").json() == []


def test_the_type_is_the_method_as_given(client: HttpSession, reports: Reports) -> None:
    assert client.request("get", "/anything").json()["method"] == "GET"
    client.request("PURGE", "/anything")
    assert [kind for kind, _ in reports.names] == ["get", "PURGE"]


# --- success and failure ---


@pytest.mark.parametrize("status", [200, 204, 299, 300, 302, 304, 399, 600, 700])
def test_a_fine_status(client: HttpSession, reports: Reports, status: int) -> None:
    assert client.get(f"/status/{status}").status_code == status
    assert reports.exceptions == [""]


@pytest.mark.parametrize("status", [400, 404, 499, 500, 503, 599])
def test_a_bad_status_is_reported_with_the_name(client: HttpSession, reports: Reports, status: int) -> None:
    response = client.get(f"/status/{status}", name="named")
    assert response.error is None
    side, reason = "Client" if status < 500 else "Server", response.reason
    assert reports.exceptions == [f"HTTPError('{status} {side} Error: {reason} for url: named')"]
    with pytest.raises(requests.HTTPError, match=rf"for url: http://.*/status/{status}"):
        response.raise_for_status()


def test_a_request_without_a_response_does_not_raise(reports: Reports, refused_url: str) -> None:
    response = reports.http(refused_url).get("/x")
    assert (response.status_code, response.content, response.text) == (0, None, "")
    assert (response.headers, response.history, response.reason) == ({}, [], None)
    assert isinstance(response.error, requests.ConnectionError)
    with pytest.raises(requests.ConnectionError):
        response.raise_for_status()
    with pytest.raises(requests.exceptions.JSONDecodeError):
        response.json()
    assert response.request.url == f"{refused_url}/x"
    assert reports.exceptions == ["ConnectionRefusedError(111, 'Connection refused')"]
    assert (reports.last["response_length"], reports.last["response"]) == (0, response)


PART = steps.head_bytes(headers=[("Content-Length", "9")]) + b"abc"


@pytest.mark.parametrize(
    ("script", "reported"),
    [
        ([steps.request()], "RemoteDisconnected('Remote end closed connection without response')"),
        ([steps.head(), steps.reset()], "ConnectionResetError(104, 'Connection reset by peer')"),
        ([steps.request(), steps.send(b"hello\r\n\r\n")], "BadStatusLine('hello\\r\\n')"),
        ([steps.request(), steps.stall("x")], "ReadTimeout(ReadTimeoutError("),
        ([steps.request(), steps.send(PART), steps.stall("x")], "ReadTimeoutError("),
        ([steps.request(), steps.send(PART)], "ChunkedEncodingError(ProtocolError('Connection broken: Inc"),
        (
            [steps.request(), steps.send(PART), steps.pause(20), steps.reset()],
            'ChunkedEncodingError(ProtocolError("Connection broken: ConnectionResetError(',
        ),
    ],
    ids=["closed", "reset", "garbage", "late", "late in the body", "cut short", "reset in the body"],
)
def test_connection_failures_are_reported_by_their_cause(
    reports: Reports, scripted: OpenScripted, script: list[steps.Step], reported: str
) -> None:
    response = reports.http(scripted(script).url).get("/x", timeout=0.1)
    assert isinstance(response.error, requests.RequestException)
    assert reports.exceptions[0].startswith(reported)


@pytest.mark.parametrize(
    ("url", "exception"),
    [
        ("", requests.exceptions.MissingSchema),
        ("/x", requests.exceptions.MissingSchema),
        ("ftp://x/y", requests.exceptions.InvalidSchema),
        ("http://", requests.exceptions.InvalidURL),
        ("http://127.0.0.1:99999/", requests.exceptions.InvalidURL),
    ],
)
def test_urls_that_are_none_raise_and_are_not_reported(
    reports: Reports, url: str, exception: type[Exception]
) -> None:
    with pytest.raises(exception):
        HttpSession("", reports.environment.events.request, None).get(url)
    assert reports.events == []


def test_a_misspelt_argument_raises(client: HttpSession, reports: Reports) -> None:
    with pytest.raises(TypeError, match="nonsense"):
        client.get("/anything", nonsense={})
    assert reports.events == []


def test_with_needs_catch_response(client: HttpSession) -> None:
    with pytest.raises(Exception, match="catch_response=True"), client.get("/anything"):
        pass


def test_the_long_way_knows_catch_response_as_well(client: HttpSession, reports: Reports) -> None:
    response = client.post("/status/404", files={"f": b"x"}, catch_response=True)
    in_block(response, lambda response: response.success())
    assert (reports.exceptions, reports.names) == ([""], [("POST", "/status/404")])


# --- context ---


def test_context_of_call_and_user(reports: Reports, echo: Echo) -> None:
    client = reports.http(echo.url, context=lambda self: {"user": 1, "both": "user"})
    client.get("/anything", context={"both": "call"})
    client.get("/anything", files={"f": b"x"}, context={"both": "call"})
    client.get("/anything")
    reports.http(echo.url).get("/anything")
    both = {"user": 1, "both": "call"}
    assert [event["context"] for event in reports.events] == [both, both, {"user": 1, "both": "user"}, {}]


# --- a requests.Session and its responses ---


def test_session_and_response_are_those_of_requests(client: HttpSession) -> None:
    response = client.get("/anything")
    assert isinstance(client, requests.Session)
    assert isinstance(response, requests.Response)
    assert type(response) is ResponseContextManager


def test_a_response_can_be_pickled_and_copied(client: HttpSession) -> None:
    response = client.get("/redirect/1")
    for twin in (pickle.loads(pickle.dumps(response)), copy.copy(response)):
        assert isinstance(twin, requests.Response)
        assert (twin.status_code, twin.content, twin.url) == (200, response.content, response.url)
        assert (twin.headers, twin.reason, len(twin.history)) == (response.headers, "OK", 1)
        assert twin.json() == response.json()


def test_a_subclass_may_replace_request(reports: Reports, echo: Echo) -> None:
    class Signed(HttpSession):
        def request(self, method: str, url: str, **kwargs: Any) -> Any:  # type: ignore[override]
            return super().request(method, url, headers={"X-Signed": method}, **kwargs)

    client = Signed(echo.url, reports.environment.events.request, None)
    assert headers_sent(client.get("/anything"))["X-Signed"] == "GET"
    assert headers_sent(client.post("/anything", "x", name="N"))["X-Signed"] == "POST"
    assert reports.names == [("GET", "/anything"), ("POST", "N")]


def test_a_subclass_may_replace_a_verb(reports: Reports, echo: Echo) -> None:
    class Renaming(HttpSession):
        def get(self, url: str, **kwargs: Any) -> Any:  # type: ignore[override]
            return super().get(url, name="got", **kwargs)

    Renaming(echo.url, reports.environment.events.request, None).get("/anything")
    assert reports.names == [("GET", "got")]


def test_a_replaced_send_sees_every_request(reports: Reports, echo: Echo) -> None:
    seen: list[str] = []

    class Watching(HttpSession):
        def send(self, request: requests.PreparedRequest, **kwargs: Any) -> Any:
            seen.append(f"{request.method} {request.path_url}")
            return super().send(request, **kwargs)

    client = Watching(echo.url, reports.environment.events.request, None)
    client.get("/redirect/1")
    client.send = lambda request, **kwargs: seen.append("mine") or HttpSession.send(client, request, **kwargs)  # type: ignore[method-assign]
    client.get("/anything")
    assert seen == ["GET /redirect/1", "GET /anything", "mine"]
    assert reports.names == [("GET", "/redirect/1"), ("GET", "/anything")]


def test_an_adapter_of_ones_own_is_used(client: HttpSession, reports: Reports) -> None:
    class Marking(HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            request.headers["X-Adapter"] = "mine"
            return super().send(request, *args, **kwargs)

    client.mount("http://", Marking())
    response = client.get("/anything")
    assert headers_sent(response)["X-Adapter"] == "mine"
    assert type(response) is ResponseContextManager
    assert reports.names == [("GET", "/anything")]
    assert reports.last["response_length"] == len(response.content)


def test_hooks_of_session_and_call_are_called(client: HttpSession, reports: Reports) -> None:
    seen: list[int] = []

    def note(response: requests.Response, *args: Any, **kwargs: Any) -> None:
        seen.append(response.status_code)

    def object_to(response: requests.Response, *args: Any, **kwargs: Any) -> None:
        raise ValueError("I object")

    client.hooks["response"].append(note)
    client.get("/status/404")
    with pytest.raises(ValueError, match="I object"):
        client.get("/anything", hooks={"response": object_to})
    assert seen == [404]
    assert reports.names == [("GET", "/status/404")]


# --- settings ---


def test_headers_can_be_changed_and_replaced(client: HttpSession) -> None:
    client.headers.update({"X-A": "1", "X-B": "1"})
    assert headers_sent(client.get("/anything", headers={"x-b": "2"}))["X-A"] == "1"
    assert headers_sent(client.get("/anything", headers={"x-b": "2"}))["x-b"] == "2"
    del client.headers["x-a"]
    assert "X-A" not in headers_sent(client.get("/anything"))
    client.headers = {"X-C": "3"}  # type: ignore[assignment]
    seen = headers_sent(client.get("/anything"))
    assert (seen["X-C"], "X-B" in seen, "Accept" in seen) == ("3", False, False)


def test_cookies_can_be_read_set_and_removed(client: HttpSession) -> None:
    client.get("/cookies/set?a=1&b=2", allow_redirects=False)
    assert client.cookies.get_dict() == {"a": "1", "b": "2"}
    assert sorted(cookie.name for cookie in client.cookies) == ["a", "b"]
    assert (client.cookies["a"], len(client.cookies), "a" in client.cookies) == ("1", 2, True)
    client.cookies.set("mine", "3")
    assert dict(client.get("/cookies").json()) == {"a": "1", "b": "2", "mine": "3"}
    assert dict(client.get("/cookies", cookies={"once": "4"}).json())["once"] == "4"
    assert "once" not in client.cookies
    del client.cookies["mine"]
    client.cookies.clear()
    assert client.get("/cookies").json() == []


@pytest.mark.parametrize("make", [dict, cookiejar_from_dict], ids=["dict", "jar"])
def test_cookies_can_be_replaced(client: HttpSession, make: Any) -> None:
    client.cookies.set("old", "1")
    client.cookies = make({"new": "1"})
    assert client.get("/cookies").json() == [["new", "1"]]
    assert client.get("/cookies", files={"f": b"x"}).json() == [["new", "1"]]


def test_auth_of_session_call_and_base_url(client: HttpSession, reports: Reports, echo: Echo) -> None:
    client.auth = ("user", "pass")
    assert client.get("/basic-auth/user/pass").status_code == 200
    assert client.get("/basic-auth/a/b", auth=("a", "b")).status_code == 200
    client.auth = None
    assert client.get("/basic-auth/user/pass").status_code == 401
    owner = reports.http(echo.url.replace("//", "//us%40er:p%3Ass@"))
    assert (owner.base_url, owner.auth) == (echo.url, requests.auth.HTTPBasicAuth("us@er", "p:ss"))
    assert owner.get("/basic-auth/us@er/p:ss").status_code == 200
    assert reports.last["url"] == f"{echo.url}/basic-auth/us@er/p:ss"


def test_tuples_are_taken_for_what_they_are(client: HttpSession) -> None:
    pairs = (("a", "1"), ("b", "2"))
    assert client.get("/anything", params=pairs).json()["query"] == "a=1&b=2"
    assert client.post("/anything", json=(1, 2)).json()["body"] == "[1, 2]"
    assert client.post("/anything", data=pairs).json()["body"] == "a=1&b=2"


def test_certificates_are_checked_unless_told_otherwise(reports: Reports, echo: Echo) -> None:
    def status(client: HttpSession, **kwargs: Any) -> int:
        return int(client.get("/anything", **kwargs).status_code)

    client = reports.http(echo.tls_url)
    assert status(client) == 0
    assert "CERTIFICATE_VERIFY_FAILED" in reports.exceptions[0]
    assert status(client, verify=str(echo.ca)) == 200
    assert status(client, verify=False) == 200
    assert status(client) == 0
    client.verify = str(echo.ca)  # type: ignore[assignment]
    assert status(client) == 200
    client.verify = False
    assert status(client) == 200
    with pytest.raises(OSError, match="no-such-file"):
        client.get("/anything", verify="/tmp/no-such-file")


@pytest.mark.parametrize("timeout", [0.05, (5, 0.05), (None, 0.05)])
def test_a_time_out_is_a_number_or_a_pair(reports: Reports, scripted: OpenScripted, timeout: Any) -> None:
    server = scripted([steps.request(), steps.stall("x")])
    response = reports.http(server.url).get("/x", timeout=timeout)
    assert isinstance(response.error, requests.exceptions.ReadTimeout)
    assert "(read timeout=0.05)" in str(response.error)


def test_redirects_can_be_left_alone(client: HttpSession) -> None:
    response = client.get("/redirect/2", allow_redirects=False)
    assert (response.status_code, response.is_redirect, response.history) == (302, True, [])
    assert response.next is not None and response.next.path_url == "/redirect/1?status=302"


def test_files_are_sent(client: HttpSession) -> None:
    file = io.BytesIO(b"content")
    body = client.post("/anything", files={"f": ("a.txt", file, "text/x")}, data={"k": "v"}).json()["body"]
    assert 'filename="a.txt"\r\nContent-Type: text/x\r\n\r\ncontent\r\n' in body


def test_a_closed_session_connects_anew(reports: Reports, scripted: OpenScripted) -> None:
    server = scripted([steps.request(), steps.reply(b"one"), steps.wait_eof()])
    client = reports.http(server.url)
    client.get("/x")
    client.close()
    server.wait_for("ended")
    assert client.get("/x").content == b"one"


# --- threads and processes ---


def test_another_thread_is_told_that_the_session_is_not_its_own(client: HttpSession) -> None:
    raised: list[BaseException] = []

    def use() -> None:
        try:
            client.get("/anything")
        except BaseException as error:
            raised.append(error)

    # Threads are greenlets under gevent's patches; its pool has real ones.
    gevent.get_hub().threadpool.apply(use)
    assert [type(error) for error in raised] == [RuntimeError]
    assert "thread" in str(raised[0])
    assert client.get("/anything").status_code == 200


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_a_fork_the_child_is_told_and_the_parent_goes_on(client: HttpSession) -> None:
    client.get("/anything")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            client.get("/anything")
            os.write(writing, b"no exception")
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    told = os.read(reading, 200).decode()
    os.close(reading)
    assert os.waitpid(child, 0)[1] == 0
    assert told.startswith("RuntimeError: the engine belongs to the parent process")
    assert client.get("/anything").status_code == 200
