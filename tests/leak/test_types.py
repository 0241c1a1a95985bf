"""Every type of the extension gives back what its instances took."""

from __future__ import annotations

import contextlib
import gc
import gzip
import socket
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from gevent.server import StreamServer

from locust_c import _core
from locust_c.clients import HttpSession

INSTANCES = 10_000
# What the interpreter itself may keep or free meanwhile.
TOLERANCE = 50


class Bound(_core.EventHook):
    """A hook with the Listener that it is given."""

    listener: _core.Listener

    def _bind(self, handler: Any) -> _core.Listener:
        return self.listener

    def _listener_failed(self, exception: Exception) -> bool:
        return False


def take_two(a: Any, b: Any, **kwargs: Any) -> None: ...


def make_listener() -> Any:
    """A listener that has been called, so that it holds its route as well."""
    hook = Bound()
    bindings = ((None, ("absent", "a"), None), ("b", ("b",), dict))
    hook.listener = _core.Listener(take_two, bindings, ("a", "b"), True, (("old", "a"),))
    hook.add_listener(take_two)
    hook.fire(a=1, c=2)
    return hook.listener


def make_hook() -> Any:
    """A hook with all that it can hold, in a cycle with itself."""
    hook, companion = _core.EventHook(), _core.EventHook()
    hook.add_listener(hook.add_listener)
    hook.add_recorder(hook)
    companion._companions = (hook,)
    companion._condition = _core.Listener(hook.record)
    hook._companions = (companion,)
    return hook


def make_table() -> Any:
    entries: Any = defaultdict(_core.StatsCounters)
    table = _core.StatsTable(entries, _core.StatsCounters(), lambda *error: _core.StatsErrorCount())
    table.record("GET", "/", 1.0, 1, RuntimeError("broken"))
    return table


def make_engine() -> Any:
    engine = _core.Engine(object(), lambda seconds, active: None)
    engine.close()
    return engine


class Watched:
    def method(self) -> None: ...


class Guard(Watched): ...


def make_watch() -> Any:
    """A watch that has found a change."""
    watch = _core.ClassWatch(Guard, ((Watched, "method"),), True)
    Watched.method = lambda self: None  # type: ignore[method-assign]
    assert watch.look() == 1
    return watch


def make_decoder() -> Any:
    """A decoder in the middle of a body."""
    decoder = _core.Decoder("zstd, br, deflate, gzip", 1000)
    decoder.feed(gzip.compress(b"")[:-4])
    return decoder


def make_watchdog() -> Any:
    """One that is closed: it belongs to its threads as long as it is open."""
    watchdog = _core.Watchdog(lambda seconds: None, 1, 1, 1, 2, b"", -1, 0)
    watchdog.close()
    return watchdog


def make_pool() -> Any:
    return _core.Pool(make_engine(), 1, 2, 3.0)


class Streaming:
    """A server in this thread, and a session that streams what it answers."""

    HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"

    def __init__(self) -> None:
        self.server = StreamServer(("127.0.0.1", 0), self.answer)
        self.server.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.session = HttpSession(self.url, None, None)

    def answer(self, sock: socket.socket, address: object) -> None:
        while sock.recv(4096):
            sock.sendall(self.HEAD)
            sock.sendall(b"abc")

    def make(self) -> Any:
        """A body that was not read, of a response that is gone."""
        wire = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        response = self.session._exchange("GET", self.url, wire, False, None, None, None, None, stream=True)
        return response._stream

    def close(self) -> None:
        self.session.close()
        self.server.stop()


@cache
def streaming() -> Streaming:
    return Streaming()


@pytest.fixture(autouse=True)
def without_server() -> Iterator[None]:
    """Ends the server, if the test had one."""
    yield
    if streaming.cache_info().currsize:
        streaming().close()
        streaming.cache_clear()


# How to make one instance of each type; a new type fails the first test until it is here.
FACTORIES: dict[str, Callable[[], Any]] = {
    "EventHook": make_hook,
    "Listener": make_listener,
    "StatsCounters": _core.StatsCounters,
    "StatsErrorCount": _core.StatsErrorCount,
    "StatsTable": make_table,
    "Engine": make_engine,
    "Pool": make_pool,
    "Session": _core.Session,
    "Stream": lambda: streaming().make(),
    "Response": _core.Response,
    "ClassWatch": make_watch,
    "Decoder": make_decoder,
    "Watchdog": make_watchdog,
}


def make_and_drop(factory: Callable[[], Any], count: int) -> None:
    for _ in range(count):
        factory()
    gc.collect()


def test_there_is_a_factory_for_every_type() -> None:
    assert {kind.__name__ for kind in _core._types()} == set(FACTORIES)


@pytest.mark.parametrize("kind", _core._types(), ids=lambda kind: kind.__name__)
def test_instances_leave_neither_references_nor_objects(kind: type) -> None:
    factory = FACTORIES[kind.__name__]
    assert type(factory()) is kind
    make_and_drop(factory, 100)
    references, objects, blocks = sys.getrefcount(kind), len(gc.get_objects()), sys.getallocatedblocks()
    make_and_drop(factory, INSTANCES)
    assert abs(sys.getrefcount(kind) - references) <= TOLERANCE
    assert len(gc.get_objects()) - objects <= TOLERANCE
    assert sys.getallocatedblocks() - blocks <= 20 * TOLERANCE


@pytest.mark.parametrize("kind", _core._types(), ids=lambda kind: kind.__name__)
def test_a_failed_construction_leaves_no_references(kind: type) -> None:
    def fail() -> None:
        with contextlib.suppress(TypeError):
            kind(*range(20), nonsense=1)

    make_and_drop(fail, 10)
    references = sys.getrefcount(kind)
    make_and_drop(fail, 500)
    assert abs(sys.getrefcount(kind) - references) <= TOLERANCE


def test_firing_leaves_nothing() -> None:
    hook = Bound()
    hook.listener = make_listener()
    hook.add_listener(take_two)
    plain = _core.EventHook()
    plain.add_listener(lambda **kwargs: None)
    hook._companions = (plain,)

    def fire() -> None:
        hook.fire(a=1, x=2)
        hook.fire(reverse=True, a=1, b=2, y=3)
        hook.fire(wrong=1)

    make_and_drop(fire, 100)
    objects, blocks = len(gc.get_objects()), sys.getallocatedblocks()
    make_and_drop(fire, INSTANCES)
    assert len(gc.get_objects()) - objects <= TOLERANCE
    assert sys.getallocatedblocks() - blocks <= 20 * TOLERANCE
