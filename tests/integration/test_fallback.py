"""What the engine cannot honour runs through requests: same statistics, and the log says why, once."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import Any
from unittest import mock

import pytest
import requests
import urllib3
from reported import Reports, in_block
from requests.adapters import BaseAdapter, HTTPAdapter
from servers import steps
from servers.control import Echo, OpenScripted
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

from locust_c import replaced
from locust_c.clients import HttpSession, ResponseContextManager
from locust_c.raw import EngineRaw


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def client(reports: Reports, echo: Echo) -> HttpSession:
    return reports.http(echo.url)


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The log, in which nothing counts as said."""
    replaced._warn.cache_clear()
    caplog.set_level(logging.WARNING, "locust.clients")
    return caplog


def by_engine(response: Any) -> bool:
    return isinstance(response.raw, EngineRaw)


# --- patches ---


def test_what_a_mock_returns_is_handed_out_as_it_is(client: HttpSession, reports: Reports) -> None:
    with mock.patch.object(requests.Session, "request") as request:
        request.return_value.status_code = 418
        assert client.get("/x") is request.return_value
    assert reports.events == []


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (requests.Session, "send"),
        (requests.Session, "request"),
        (requests.Session, "get_adapter"),
        (requests.Session, "prepare_request"),
        (requests.Session, "merge_environment_settings"),
        (HttpSession, "send"),
        (HttpSession, "request"),
        (HttpSession, "get_adapter"),
        (HTTPAdapter, "send"),
        (HTTPAdapter, "build_response"),
        (HTTPConnectionPool, "urlopen"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_patch_is_noticed_while_it_is_there(
    client: HttpSession, reports: Reports, owner: Any, name: str
) -> None:
    original = getattr(owner, name)
    seen = []

    def patched(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(name)
        return original(self, *args, **kwargs)

    client.get("/anything")
    with mock.patch.object(owner, name, patched):
        assert client.get("/anything").status_code == 200
        assert seen == [name]
        assert HttpSession(client.base_url, client.request_event, None).get("/anything").status_code == 200
        assert seen == [name] * 2
    assert by_engine(client.get("/anything"))
    assert (seen, client._long_way_only, client._request_overridden) == ([name] * 2, False, False)
    assert reports.names == [("GET", "/anything")] * 4


def test_a_patch_that_came_before_is_noticed_as_well(client: HttpSession) -> None:
    replaced.preparing.cache_clear()
    with mock.patch.object(requests.Session, "send", lambda self, request, **kwargs: None):
        reason = replaced.preparing(HttpSession, 10_000)
    assert reason is not None and reason.startswith("Session.send is test_a_patch_that_came_before")
    replaced.preparing.cache_clear()


def test_the_connection_class_of_urllib3_may_be_replaced(client: HttpSession) -> None:
    class Recorder(urllib3.connection.HTTPConnection):
        pass

    Recorder.__module__ = "recorder"
    with mock.patch.object(HTTPConnectionPool, "ConnectionCls", Recorder):
        assert not by_engine(client.get("/anything"))
    assert by_engine(client.get("/anything"))


def test_a_patch_is_logged_once_for_each_class(client: HttpSession, echo: Echo, log: Any) -> None:
    class Other(HttpSession):
        pass

    with mock.patch.object(HTTPAdapter, "send", answer_by_mock):
        for session in (client, client, Other(echo.url, client.request_event, None)):
            assert session.get("/anything").content == b"canned"
    assert [record.levelname for record in log.records] == ["WARNING"] * 2
    for name, message in zip(("HttpSession", "Other"), log.messages, strict=True):
        start = f"{name}: HTTPAdapter.send is answer_by_mock of test_fallback, so urllib3 sends its requests"
        assert message.startswith(start)


def test_an_overridden_send_is_logged_and_the_engine_still_used(
    reports: Reports, echo: Echo, log: Any
) -> None:
    class Watching(HttpSession):
        def send(self, request: requests.PreparedRequest, **kwargs: Any) -> Any:
            return super().send(request, **kwargs)

    clients = [Watching(echo.url, reports.environment.events.request, None) for _ in range(2)]
    assert all(by_engine(client.get("/anything")) for client in clients)
    assert len(log.messages) == 1
    assert "Watching: Watching.send is" in log.messages[0] and "requests prepares" in log.messages[0]


def test_an_attribute_of_the_session_can_be_put_back(client: HttpSession) -> None:
    before = client.get_adapter
    client.get_adapter = lambda url: before(url)  # type: ignore[method-assign]
    assert client._long_way_only
    client.get_adapter = before  # type: ignore[method-assign]
    assert not client._long_way_only
    client.send = lambda *args, **kwargs: None  # type: ignore[method-assign,assignment]
    assert client._long_way_only
    del client.send
    assert not client._long_way_only
    client.request = lambda *args, **kwargs: "mine"  # type: ignore[assignment]
    assert client.get("/anything") == "mine"
    del client.request
    assert client.get("/anything").status_code == 200


# --- adapters ---


def answer_by_mock(adapter: HTTPAdapter, request: requests.PreparedRequest, **kwargs: Any) -> Any:
    return Canned().send(request)


class Canned(BaseAdapter):
    """Answers by itself, with a body that is read when somebody asks for it."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response.url, response.request = 200, str(request.url), request
        response.headers["Content-Length"] = "6"
        response.raw = urllib3.HTTPResponse(BytesIO(b"canned"), status=200, preload_content=False)
        response.canned = True  # type: ignore[attr-defined]
        return response

    def close(self) -> None: ...


def test_an_adapter_that_is_no_httpadapter_is_used(client: HttpSession, reports: Reports, log: Any) -> None:
    client.mount("http://", Canned())
    for _ in range(2):
        response = client.get("/anything")
        assert (type(response), response.content, response.canned) == (
            ResponseContextManager,
            b"canned",
            True,
        )
    assert [(event["name"], event["response_length"]) for event in reports.events] == [("/anything", 6)] * 2
    assert len(log.messages) == 1
    assert "HttpSession: Canned is no HTTPAdapter, so this adapter sends its requests" in log.messages[0]


def test_the_body_of_such_a_response_may_be_streamed(client: HttpSession, reports: Reports) -> None:
    client.mount("http://", Canned())
    response = client.get("/anything", stream=True)
    assert isinstance(response, ResponseContextManager)
    assert b"".join(response.iter_content(3)) == b"canned"
    with pytest.raises(RuntimeError, match="consumed"):
        _ = response.content
    assert reports.last["response_length"] == 6
    assert client.get("/anything", stream=True).text == "canned"
    blocks = client.get("/anything", stream=True, catch_response=True)
    in_block(blocks, lambda response: response.failure("no"))
    assert reports.exceptions[-1] == "CatchResponseError('no')"


def test_an_adapter_for_other_urls_leaves_the_engine_alone(client: HttpSession, log: Any) -> None:
    client.mount("file://", Canned())
    assert not client._long_way_only
    assert client.get("/anything").json()["path"] == "/anything"
    assert log.messages == []
    assert client.get_adapter("file:///x") is client.adapters["file://"]


def test_an_httpadapter_with_an_own_send_is_used(client: HttpSession, reports: Reports, log: Any) -> None:
    class Marking(HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            request.headers["X-Adapter"] = "mine"
            return super().send(request, *args, **kwargs)

    client.mount("http://", Marking())
    response = client.get("/anything", timeout=5)
    assert dict(response.json()["headers"])["X-Adapter"] == "mine"
    assert (type(response), by_engine(response)) == (ResponseContextManager, False)
    assert "HttpSession: Marking of test_fallback has a send of its own, so this adapter" in log.messages[0]
    assert reports.names == [("GET", "/anything")]


def test_an_adapter_with_a_context_of_its_own_is_used(reports: Reports, echo: Echo, log: Any) -> None:
    class OwnContext(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            context = create_urllib3_context()
            context.load_verify_locations(echo.ca)
            super().init_poolmanager(*args, ssl_context=context, **kwargs)

    client = reports.http(echo.tls_url)
    client.mount("https://", OwnContext())
    assert not by_engine(client.get("/anything", verify=str(echo.ca)))
    assert "HttpSession: OwnContext sets ssl_context, so this adapter" in log.messages[0]


def test_an_adapter_whose_settings_the_engine_knows_stands_for_them(client: HttpSession, log: Any) -> None:
    client.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=5, pool_block=True))
    assert by_engine(client.get("/anything"))
    own = HTTPAdapter()
    own.build_response = own.build_response  # type: ignore[method-assign]
    client.adapters["http://"] = own
    assert not by_engine(client.get("/anything"))
    assert len(log.messages) == 1


def test_the_adapters_may_be_replaced(client: HttpSession) -> None:
    before = client.adapters
    client.adapters = {"http://": Canned()}  # type: ignore[assignment]
    assert client.get("/anything").content == b"canned"
    client.adapters = before
    assert by_engine(client.get("/anything")) and not client._long_way_only
    client.get_adapter("http://x").send = Canned().send  # type: ignore[method-assign]
    assert client.get("/anything").content == b"canned"


def test_a_failure_of_the_fallback_is_a_failure_as_any(reports: Reports, refused_url: str) -> None:
    client = reports.http(refused_url)
    with mock.patch.object(
        HTTPConnectionPool, "urlopen", lambda self, *args, **kw: URLOPEN(self, *args, **kw)
    ):
        response = client.get("/x")
    assert (response.status_code, response.content) == (0, None)
    assert isinstance(response.error, requests.ConnectionError)
    assert reports.exceptions == ["ConnectionRefusedError(111, 'Connection refused')"]


URLOPEN = HTTPConnectionPool.urlopen


def test_the_fallback_uses_gevents_sockets(reports: Reports, scripted: OpenScripted) -> None:
    server = scripted([steps.request(), steps.stall("go"), steps.reply(b"one")])
    client = reports.http(server.url)
    client.mount(
        "http://", type("Own", (HTTPAdapter,), {"send": lambda self, *a, **k: SEND(self, *a, **k)})()
    )
    import gevent

    running = gevent.spawn(client.get, "/x")
    server.wait_for("stalled")
    server.release("go")
    assert running.get().content == b"one"


SEND = HTTPAdapter.send


# --- the watch ---


def test_without_the_flag_of_the_interpreter_everything_is_compared(client: HttpSession, echo: Echo) -> None:
    with mock.patch.object(replaced, "_flag_tells", lambda: False):
        watch = replaced.watch_for(HttpSession)
    assert watch.look() == watch.look() == 0
    with mock.patch.object(requests.Session, "send", lambda self, request, **kwargs: None):
        assert watch.look() == 1
        assert watch.look() == 1
    assert watch.look() == 2
