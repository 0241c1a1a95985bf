"""What a user class says about its connections: keep-alive, life time, limits, sharing."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
import urllib3
from servers import steps
from servers.control import Echo, OpenScripted, Scripted

from locust_c import ConnectionOptions, FastHttpUser, HttpUser, User, _core, connections, raw
from locust_c.clients import HttpSession
from locust_c.contrib.fasthttp import FastHttpSession
from locust_c.env import Environment

KINDS = [HttpSession, FastHttpSession]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Any:
    """Each class of session."""
    return request.param


@contextlib.contextmanager
def session_of(kind: Any, url: str, **options: Any) -> Iterator[Any]:
    """A session with these ConnectionOptions."""
    session = kind(url, None, None, connection_options=ConnectionOptions(**options))
    try:
        yield session
    finally:
        session.close()


def answering(scripted: OpenScripted) -> Scripted:
    return scripted([steps.repeat(steps.request(), steps.reply(b"ok"))])


def get_all(session: Any, count: int) -> None:
    for _ in range(count):
        assert session.get("/").text == "ok"


def test_without_keep_alive_each_request_has_its_connection_and_says_so(
    kind: Any, scripted: OpenScripted
) -> None:
    server = answering(scripted)
    with session_of(kind, server.url, keep_alive=False) as session:
        get_all(session, 3)
    seen = server.connections()
    assert len(seen) == 3
    assert all(b"\r\nconnection: close\r\n" in one.requests[0].lower() for one in seen)


def test_a_connection_is_not_used_beyond_its_life_time(kind: Any, scripted: OpenScripted) -> None:
    server = answering(scripted)
    with session_of(kind, server.url, lifetime=0.03) as session:
        get_all(session, 2)
        assert len(server.connections()) == 1
        gevent.sleep(0.04)
        get_all(session, 2)
    assert len(server.connections()) == 2


@pytest.mark.parametrize("let_go", ["response", "session", "nothing left"])
def test_room_that_is_made_outside_the_engine_wakes_who_waits(
    kind: Any, scripted: OpenScripted, let_go: str
) -> None:
    part = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc"
    server = scripted([steps.request(), steps.send(part), steps.stall("rest")])
    with session_of(kind, server.url, limit=1) as session:
        wire = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        arguments = ("GET", f"{server.url}/", wire, False, 5.0, None, None, None)
        response = session._exchange(*arguments, stream=True)
        waiting = gevent.spawn(session._exchange, *arguments, stream=True)
        gevent.sleep(0)  # from here on it is gevent's loop, not the engine, that runs this greenlet
        if let_go == "response":
            response._stream.close()
        elif let_go == "session":
            session.close()
        else:
            del response
        assert waiting.get(timeout=5).status_code == 200


def test_a_pool_of_another_engine_is_refused(kind: Any) -> None:
    other = _core.Engine(gevent.get_hub(), lambda seconds, active: None)
    pool = _core.Pool(other)
    with session_of(kind, "http://127.0.0.1:1") as session:
        arguments = ("GET", "http://127.0.0.1:1/", b"GET / HTTP/1.1\r\n\r\n", False, 5.0, None, None, None)
        with pytest.raises(ValueError, match="another engine"):
            session._exchange(*arguments, pool=pool)
        with pytest.raises(ValueError, match="another engine"):
            session._set_pool(pool)
    other.close()


def test_requests_beyond_the_limit_wait_for_a_connection(kind: Any, scripted: OpenScripted) -> None:
    server = scripted([steps.repeat(steps.request(), steps.stall("answer"), steps.reply(b"ok"))])
    with session_of(kind, server.url, limit=2) as session:
        waiting = [gevent.spawn(get_all, session, 1) for _ in range(5)]
        server.wait_for("stalled", count=2)
        server.release("answer")
        gevent.joinall(waiting, timeout=5, raise_error=True)
    assert len(server.connections()) == 2
    assert sum(len(one.requests) for one in server.connections()) == 5


def test_sessions_with_the_same_object_share_connections(kind: Any, scripted: OpenScripted) -> None:
    server = answering(scripted)
    name = "pool_manager" if kind is HttpSession else "client_pool"
    owner = urllib3.PoolManager()
    for _ in range(3):
        get_all(kind(server.url, None, None, **{name: owner}), 1)
    assert len(server.connections()) == 1
    get_all(kind(server.url, None, None, **{name: urllib3.PoolManager()}), 1)
    assert len(server.connections()) == 2


def test_a_session_that_goes_leaves_the_shared_connections_open(scripted: OpenScripted) -> None:
    server = answering(scripted)
    owner = object()
    get_all(HttpSession(server.url, None, None, pool_manager=owner), 1)
    gc.collect()
    other = HttpSession(server.url, None, None, pool_manager=owner)
    get_all(other, 1)
    assert len(server.connections()) == 1
    other.close()  # as with requests: closing one closes the idle connections of all
    server.wait_for("ended")


def test_the_shared_pool_goes_with_its_object(scripted: OpenScripted) -> None:
    server = answering(scripted)
    owner = urllib3.PoolManager()
    get_all(HttpSession(server.url, None, None, pool_manager=owner), 1)
    pools = len(connections._shared_pools._pools)
    del owner
    gc.collect()
    assert len(connections._shared_pools._pools) == pools - 1
    server.wait_for("ended")


@pytest.mark.parametrize("base", [HttpUser, FastHttpUser])
def test_users_say_it_in_their_class(base: Any, scripted: OpenScripted) -> None:
    server = answering(scripted)

    class Visitor(base):  # type: ignore[misc]
        host = server.url
        connection_options = ConnectionOptions(keep_alive=False)
        http_version = "1.0"

    client = Visitor(Environment()).client
    get_all(client, 2)
    seen = server.connections()
    assert len(seen) == 2
    assert seen[0].requests[0].startswith(b"GET / HTTP/1.0\r\n")


@pytest.mark.parametrize(("spoken", "number"), [("HTTP/1.0", 10), ("HTTP/1.1", 11), ("HTTP/2.0", 20)])
def test_the_version_that_was_spoken_is_told_as_urllib3_does(spoken: str, number: int) -> None:
    assert raw.Original(f"{spoken} 200 OK", raw.Message()).version == number


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_the_version_may_be_said_per_request(kind: Any, echo: Echo, version: str) -> None:
    session = kind(echo.url, None, None)
    assert session.get("/", http_version=version).json()["version"] == f"HTTP/{version}"
    assert session.get("/").json()["version"] == "HTTP/1.1"
    session.http_version = version
    assert session.get("/").json()["version"] == f"HTTP/{version}"
    assert session.http_version == version


@pytest.mark.parametrize(
    ("version", "words"),
    [("3", "HTTP/3 needs QUIC"), ("2.0", 'must be "1.0", "1.1" or "2", not \'2.0\''), (2, "not 2")],
)
def test_a_version_that_cannot_be_is_refused(kind: Any, echo: Echo, version: Any, words: str) -> None:
    session = kind(echo.url, None, None)
    with pytest.raises(ValueError, match=words):
        session.get("/", http_version=version)
    with pytest.raises(ValueError, match=words):
        kind(echo.url, None, None, http_version=version)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"lifetime": 0}, "lifetime must be a positive number of seconds, not 0"),
        ({"limit": 0}, "limit must be a positive number of connections, not 0"),
        ({"limit": 1.5}, "limit must be a positive number of connections, not 1.5"),
        ({"source": ""}, "source must be a str that is not empty"),
        ({"unix_socket": "a\0b"}, "unix_socket must be a str"),
        ({"tls_min": "1.4"}, "tls_min must be one of 1.0, 1.1, 1.2, 1.3, not '1.4'"),
        ({"tls_min": "1.3", "tls_max": "1.2"}, "tls_min '1.3' is above tls_max '1.2'"),
        ({"lifetime": "60"}, "lifetime must be a positive number of seconds, not '60'"),
        ({"lifetime": float("inf")}, "lifetime must be a positive number of seconds, not inf"),
        ({"keep_alive": "no"}, "keep_alive must be True or False, not 'no'"),
        ({"tls_resumption": 1}, "tls_resumption must be True or False, not 1"),
        ({"tls_ciphers": "NOPE"}, "tls_ciphers has no cipher that OpenSSL knows: 'NOPE'"),
        ({"resolve": "host:1"}, "resolve must be a dict of \"host:port\" to addresses, not 'host:1'"),
        ({"resolve": {"host:1": 5}}, "resolve maps"),
    ],
)
def test_options_that_cannot_be_are_refused_by_name(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ConnectionOptions(**arguments)


def test_options_must_be_connection_options(kind: Any) -> None:
    with pytest.raises(TypeError, match="connection_options must be ConnectionOptions, not"):
        kind("http://127.0.0.1", None, None, connection_options={"limit": 1})


def test_addresses_are_found_by_host_and_port() -> None:
    options = ConnectionOptions(resolve={"Example.org:443": "127.0.0.1,127.0.0.2", "plain": "::1"})
    assert options.addresses_of("example.org", 443) == "example.org:443:127.0.0.1,127.0.0.2"
    assert options.addresses_of("example.org", 80) is None
    assert options.addresses_of("plain", 80) == "plain:80:::1"


@pytest.mark.parametrize("user_class", [HttpUser, FastHttpUser])
@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("http_version", "3", 'http_version "3" is not available: HTTP/3 needs QUIC'),
        ("http_version", 2, 'http_version must be "1.0", "1.1" or "2", not 2'),
        ("connection_options", {"limit": 6}, "connection_options must be ConnectionOptions, not"),
        ("concurrency", 0, "concurrency must be at least 1, not 0"),
        ("ssl_context_factory", 5, "ssl_context_factory must be a function that makes an SSLContext, not 5"),
    ],
)
def test_a_class_body_is_refused_for_what_cannot_be(
    user_class: type[User], attribute: str, value: Any, words: str
) -> None:
    with pytest.raises((ValueError, TypeError), match=f"^Shopper.{words}"):
        type("Shopper", (user_class,), {attribute: value})


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("network_timeout", "x", "network_timeout must be a number of seconds above 0, not 'x'"),
        ("connection_timeout", 0, "connection_timeout must be a number of seconds above 0, not 0"),
        ("max_redirects", -1, "max_redirects must be a whole number of 0 or more, not -1"),
        ("max_retries", 1.5, "max_retries must be a whole number of 0 or more, not 1.5"),
        ("insecure", "no", "insecure must be True or False, not 'no'"),
        ("default_headers", 5, "default_headers must be a dict of names and values, not 5"),
    ],
)
def test_attributes_of_the_fast_user_mean_nothing_to_others(attribute: str, value: Any, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=f"^Shopper.{words}"):
        type("Shopper", (FastHttpUser,), {attribute: value})
    assert vars(type("Shopper", (HttpUser,), {attribute: value}))[attribute] == value


@pytest.mark.parametrize("user_class", [HttpUser, FastHttpUser])
def test_attributes_of_a_class_may_be_properties(user_class: type[User]) -> None:
    version = property(lambda user: "2")
    assert vars(type("Shopper", (user_class,), {"http_version": version}))["http_version"] is version
