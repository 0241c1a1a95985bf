"""What sessions put on the wire, and what settings changed between or during requests do."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
import requests
from servers.control import OpenScripted, Scripted
from servers.steps import repeat, reply, request, stall

from locust_c.clients import HttpSession
from locust_c.contrib.fasthttp import FastHttpSession
from locust_c.event import EventHook

SESSIONS = pytest.mark.parametrize("session_class", [HttpSession, FastHttpSession])
ECHOES = repeat(request(), reply(b"ok"))


def samples_of(hook: EventHook) -> list[dict[str, Any]]:
    samples: list[dict[str, Any]] = []
    hook.add_listener(lambda **sample: samples.append(sample))
    return samples


def lines_of(server: Scripted) -> list[bytes]:
    return [raw.split(b"\r\n")[0] for raw in server.requests()]


@SESSIONS
def test_a_method_is_sent_in_upper_case(scripted: OpenScripted, session_class: Any) -> None:
    server = scripted([ECHOES])
    hook = EventHook()
    samples = samples_of(hook)
    session = session_class(server.url, hook, None)
    assert session.request("get", "/a").status_code == 200
    assert session.request(method="Propfind", url="/a").status_code == 200
    assert lines_of(server) == [b"GET /a HTTP/1.1", b"PROPFIND /a HTTP/1.1"]
    # The statistics keep what the caller wrote, as with stock Locust.
    assert [sample["request_type"] for sample in samples] == ["get", "Propfind"]


@SESSIONS
@pytest.mark.parametrize("method", ["GET / HTTP/1.1\r\nX: y\r\nZ:", "GE T", "", "G\xc9T", "G\udc80T"])
def test_a_method_that_is_none_is_refused(scripted: OpenScripted, session_class: Any, method: str) -> None:
    server = scripted([ECHOES])
    session = session_class(server.url, EventHook(), None)
    with pytest.raises(ValueError, match=r"[Mm]ethod"):
        session.request(method, "/")
    assert session.get("/").status_code == 200
    assert lines_of(server) == [b"GET / HTTP/1.1"]


@SESSIONS
@pytest.mark.parametrize("url", ["/", "{base}/"])
def test_a_cookie_cannot_bring_a_header_along(scripted: OpenScripted, session_class: Any, url: str) -> None:
    server = scripted([ECHOES])
    session = session_class(server.url, EventHook(), None)
    session.cookies.set("a", "x\r\nInjected: 1")
    with pytest.raises(ValueError, match=r"[Ii]nvalid (header )?value"):
        session.get(url.format(base=server.url))
    assert server.requests() == []


@SESSIONS
def test_cookies_are_kept_when_somebody_first_looks(scripted: OpenScripted, session_class: Any) -> None:
    server = scripted([request(), reply(b"", headers=[("Set-Cookie", "a=1")]), ECHOES])
    session = session_class(server.url, EventHook(), None)
    session.get("/")
    assert session.cookies.get("a") == "1"
    session.get("/")
    assert b"\r\nCookie: a=1\r\n" in server.requests()[1]
    session.cookies.clear()
    session.get("/")
    assert b"Cookie" not in server.requests()[2]


@SESSIONS
def test_cookies_are_latin_1(scripted: OpenScripted, session_class: Any) -> None:
    server = scripted([ECHOES])
    session = session_class(server.url, EventHook(), None)
    session.cookies.set("a", "\xe9")
    session.cookies.set("n", 1)
    assert session.cookies.get("a") == "\xe9"
    session.get("/")
    assert b"\r\nCookie: a=\xe9; n=1\r\n" in server.requests()[0]
    with pytest.raises(UnicodeEncodeError):
        session.cookies.set("b", "\u2603")


def test_the_fast_client_takes_numbers_as_header_values(scripted: OpenScripted) -> None:
    server = scripted([ECHOES])
    session = FastHttpSession(server.url, EventHook(), None)
    assert session.get("/", headers={"X-Number": 5}).status_code == 200
    assert b"\r\nX-Number: 5\r\n" in server.requests()[0]


@SESSIONS
def test_a_time_out_of_next_to_nothing_is_one(scripted: OpenScripted, session_class: Any) -> None:
    server = scripted([request(), stall("never")])
    session = session_class(server.url, EventHook(), None)
    assert session.get("/", timeout=1e-12).status_code == 0


@SESSIONS
def test_the_base_url_may_be_changed(scripted: OpenScripted, session_class: Any) -> None:
    first, second = scripted([ECHOES]), scripted([ECHOES])
    session = session_class(first.url, EventHook(), None)
    session.get("/a")
    session.base_url = f"{second.url}/under"
    assert session.base_url == f"{second.url}/under"
    session.get("/b")
    assert lines_of(first) == [b"GET /a HTTP/1.1"]
    assert lines_of(second) == [b"GET /under/b HTTP/1.1"]
    assert f"\r\nHost: 127.0.0.1:{second.port}\r\n".encode() in second.requests()[0]
    session.base_url = ""
    assert session.get(f"{first.url}/c").status_code == 200
    with pytest.raises(UnicodeEncodeError):
        session.base_url = "http://\udc80/"
    with pytest.raises(AttributeError):
        del session.base_url
    session.base_url = None
    assert session.base_url == ""


@SESSIONS
def test_the_base_url_may_be_changed_while_a_request_runs(scripted: OpenScripted, session_class: Any) -> None:
    server = scripted([request(), stall("go"), reply(b"ok", headers=[("Set-Cookie", "a=1")])])
    session = session_class(server.url, EventHook(), None)
    running = gevent.spawn(session.get, "/")
    server.wait_for("stalled")
    session.base_url = "http://" + "elsewhere." * 4 + "invalid"
    server.release("go")
    assert running.get().status_code == 200
    assert [cookie.domain for cookie in session.cookies] == ["127.0.0.1"]


def test_a_base_url_of_other_letters_is_judged_by_requests() -> None:
    session = HttpSession("http://127\u30020\u30020\u30021", EventHook(), None)
    with pytest.raises(requests.exceptions.InvalidURL, match="IDNA"):
        session.get("/")


@SESSIONS
def test_a_session_may_be_set_up_anew_while_a_request_runs(
    scripted: OpenScripted, session_class: Any
) -> None:
    server = scripted([request(), stall("go"), reply(b"ok", headers=[("Set-Cookie", "a=1")])])
    session = session_class(server.url, EventHook(), None)
    running = gevent.spawn(session.get, "/")
    server.wait_for("stalled")
    session.__init__("http://" + "elsewhere." * 4 + "invalid", EventHook(), None)
    session.close()
    server.release("go")
    assert running.get().status_code == 200


def test_no_proxy_of_the_environment_is_not_for_a_proxy_that_was_set(
    scripted: OpenScripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    origin, proxy = scripted([ECHOES]), scripted([ECHOES])
    session = HttpSession(origin.url, EventHook(), None)
    session.proxies = {"http": proxy.url}
    assert session.get("/a").status_code == 200
    assert lines_of(proxy) == [f"GET {origin.url}/a HTTP/1.1".encode()]
    assert lines_of(origin) == []
