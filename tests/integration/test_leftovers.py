"""What the engine counts is right, and what a test leaves behind is noticed."""

from __future__ import annotations

import socket
from typing import Any

import gevent
import leftovers
import pytest
from leftovers import Holdings, holdings, left_since
from servers.control import OpenScripted
from servers.steps import repeat, reply, request

from locust_c import _core, hub
from locust_c.clients import HttpSession
from locust_c.event import EventHook


@pytest.fixture(autouse=True)
def only_new_things(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of earlier tests goes away meanwhile, and what is looked for does not by waiting."""
    monkeypatch.setattr(leftovers, "SETTLE_SECONDS", 0.0)
    left_since(Holdings())


def opened_since(before: dict[str, tuple[int, int]]) -> dict[str, int]:
    now = _core._counts()
    return {kind: now[kind][0] - opened for kind, (opened, _) in before.items()}


@pytest.mark.parametrize("tls", [None, "good"])
def test_a_request_is_counted_where_it_passes(scripted: OpenScripted, tls: str | None) -> None:
    server = scripted([repeat(request(), reply(b"ok"))], tls=tls)
    session = HttpSession(server.url, EventHook(), None)
    session.verify = False
    before = _core._counts()
    for _ in range(3):
        assert session.get("/").content == b"ok"
    opened = opened_since(before)
    assert opened.pop("buffers") > 0
    assert opened == {"operations": 3, "attempts": 1, "connections": 1, "tls": 1 if tls else 0}
    session.close()


def test_a_connection_that_stays_is_noticed(scripted: OpenScripted) -> None:
    server = scripted([repeat(request(), reply(b"ok"))])
    session = HttpSession(server.url, EventHook(), None)
    before = holdings()
    session.get("/")
    left = left_since(before)
    assert left["connections"] == 1 and len(left["sockets"]) == 1
    session.close()
    assert left_since(before) == {}


def test_a_greenlet_that_still_waits_is_noticed() -> None:
    before = holdings()
    sleeper = gevent.spawn(hub.sleep, 3600)
    gevent.sleep(0)
    assert left_since(before) == {"operations": 1}
    sleeper.kill()
    assert left_since(before) == {}


def test_a_response_that_is_kept_is_noticed(scripted: OpenScripted) -> None:
    server = scripted([request(), reply(b"ok")])
    session = HttpSession(server.url, EventHook(), None)
    before = holdings()
    kept: Any = session.get("/")
    session.close()
    assert list(left_since(before)) == ["buffers"], "the bytes of the request and of the response"
    del kept
    assert left_since(before) == {}


def test_a_socket_that_stays_is_noticed() -> None:
    before = holdings()
    with socket.socket() as other:
        assert left_since(before)["sockets"]
        assert other.fileno() >= 0
    assert left_since(before) == {}


def test_garbage_in_cycles_is_not_left(scripted: OpenScripted) -> None:
    server = scripted([repeat(request(), reply(b"ok"))])
    before = holdings()
    session: Any = HttpSession(server.url, EventHook(), None)
    session.user = [session]
    session.get("/")
    del session
    assert left_since(before) == {}
