"""Requests whose greenlet ends in every phase, and sessions used by several greenlets."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from geventhttpclient.useragent import RetriesExceeded
from servers.control import OpenScripted
from servers.steps import head, head_bytes, repeat, reply, request, send, stall

from locust_c import hub
from locust_c.clients import HttpSession
from locust_c.contrib.fasthttp import FastHttpSession
from locust_c.event import EventHook

SESSIONS = pytest.mark.parametrize("session_class", [HttpSession, FastHttpSession])
LARGE = b"x" * 20_000_000


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    gc.collect()  # sessions of other tests, whose connections are counted as well
    engine = hub.get_engine()
    hub.sleep(0.001)
    before = engine.counts()
    yield
    hub.sleep(0.001)
    after = engine.counts()
    assert after["operations"] == before["operations"]
    assert after["connections"] <= before["connections"]


def end(greenlet: Any, how: str) -> None:
    if how == "kill":
        greenlet.kill()
        return
    try:
        ended = greenlet.get()
    except gevent.Timeout:
        return
    # The fast client counts it as a failure, as stock's does.
    assert isinstance(ended.error, RetriesExceeded)
    assert isinstance(ended.error.original, gevent.Timeout)


def spawn(how: str, call: Any, *args: Any, time_out_s: float = 0.05, **kwargs: Any) -> Any:
    def run() -> Any:
        if how == "kill":
            return call(*args, **kwargs)
        with gevent.Timeout(time_out_s):
            return call(*args, **kwargs)

    greenlet = gevent.spawn(run)
    gevent.sleep(0)
    return greenlet


HOW = pytest.mark.parametrize(
    "how",
    [
        "kill",
        pytest.param(
            "timeout", marks=pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
        ),
    ],
)


@SESSIONS
@HOW
def test_while_it_connects(silent_url: str, session_class: Any, how: str) -> None:
    session = session_class(silent_url, EventHook(), None)
    end(spawn(how, session.get, "/"), how)
    session.close()


@SESSIONS
@HOW
def test_during_the_handshake(scripted: OpenScripted, session_class: Any, how: str) -> None:
    server = scripted([stall("never")])
    session = session_class(server.url.replace("http:", "https:"), EventHook(), None)
    greenlet = spawn(how, session.get, "/")
    server.wait_for("stalled")
    end(greenlet, how)
    session.close()


@SESSIONS
@HOW
def test_while_it_sends(scripted: OpenScripted, session_class: Any, how: str) -> None:
    server = scripted([head(), stall("never")])
    session = session_class(server.url, EventHook(), None)
    # Copying the body alone takes a while, and a time-out that is due comes before the next step.
    greenlet = spawn(how, session.post, "/", data=LARGE, time_out_s=0.3)
    server.wait_for("stalled")
    end(greenlet, how)
    session.close()


@SESSIONS
@HOW
def test_while_it_receives(scripted: OpenScripted, session_class: Any, how: str) -> None:
    part = head_bytes(headers=[("Content-Length", "10")]) + b"12345"
    server = scripted([request(), send(part), stall("never")], [repeat(request(), reply(b"next"))])
    session = session_class(server.url, EventHook(), None)
    greenlet = spawn(how, session.get, "/")
    server.wait_for("stalled")
    end(greenlet, how)
    assert session.get("/").content == b"next"
    session.close()


@SESSIONS
def test_an_answer_before_the_body_was_sent(scripted: OpenScripted, session_class: Any) -> None:
    server = scripted([head(), reply(b"too much", status=413), stall("never")])
    session = session_class(server.url, EventHook(), None)
    response = session.post("/", data=LARGE)
    assert (response.status_code, response.content) == (413, b"too much")
    session.close()


@SESSIONS
def test_several_greenlets_with_one_session(scripted: OpenScripted, session_class: Any) -> None:
    server = scripted([repeat(request(), reply(b"ok"))])
    session = session_class(server.url, EventHook(), None)
    others = hub.get_engine().counts()["connections"]

    def task() -> None:
        for _ in range(20):
            assert session.get("/").content == b"ok"

    gevent.joinall([gevent.spawn(task) for _ in range(30)], raise_error=True)
    assert len(server.requests()) == 600
    hub.sleep(0.001)
    assert hub.get_engine().counts()["connections"] <= others + 10, "more are closed after use"
    session.close()


@SESSIONS
def test_a_closed_session_can_be_used_again(scripted: OpenScripted, session_class: Any) -> None:
    server = scripted([repeat(request(), reply(b"ok"))])
    session = session_class(server.url, EventHook(), None)
    for _ in range(3):
        assert session.get("/").content == b"ok"
        session.close()
    assert len(server.connections()) == 3


@SESSIONS
def test_a_session_may_be_closed_while_its_request_runs(scripted: OpenScripted, session_class: Any) -> None:
    server = scripted([request(), stall("go"), reply(b"ok"), stall("never")])
    session = session_class(server.url, EventHook(), None)
    running = gevent.spawn(session.get, "/")
    server.wait_for("stalled")
    session.close()
    server.release("go")
    assert running.get().content == b"ok"
    del session


def test_verify_counts_from_when_it_is_set(scripted: OpenScripted) -> None:
    server = scripted([repeat(request(), reply(b"ok"))], tls="good")
    session = HttpSession(server.url, EventHook(), None)
    session.verify = False
    assert session.get("/").status_code == 200
    session.verify = True
    assert "certificate" in str(session.get("/").error)
    session.verify = False
    assert session.get("/").status_code == 200
    session.close()


@SESSIONS
def test_a_request_from_a_thread_of_the_pool(scripted: OpenScripted, session_class: Any) -> None:
    server = scripted([repeat(request(), reply(b"ok"))])

    def in_thread() -> bytes:
        session = session_class(server.url, EventHook(), None)
        content: bytes = session.get("/").content
        session.close()
        return content

    assert gevent.get_hub().threadpool.apply(in_thread) == b"ok"
