"""Where connections come from and lead to: source address, interface, Unix-domain socket, given addresses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent.socket
import gevent.ssl
import pytest
from servers.certificates import Certificates
from servers.ends import EndsServer

from locust_c.clients import HttpSession
from locust_c.connections import ConnectionOptions
from locust_c.contrib.fasthttp import FastHttpSession
from locust_c.event import EventHook

KINDS = (HttpSession, FastHttpSession)


def session_with(kind: Any, **options: Any) -> Any:
    return kind(
        base_url="", request_event=EventHook(), user=None, connection_options=ConnectionOptions(**options)
    )


@pytest.fixture
def server() -> Iterator[EndsServer]:
    """Any loopback address leads to it."""
    with EndsServer(("0.0.0.0", 0)) as server:
        yield server


def listen_unix(path: Path) -> Any:
    listener = gevent.socket.socket(gevent.socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("source", "seen"), [("127.0.0.9", "127.0.0.9"), ("lo", "127.0.0.1")])
def test_connections_come_from_the_source(server: EndsServer, kind: Any, source: str, seen: str) -> None:
    session = session_with(kind, source=source)
    assert session.get(f"http://127.0.0.1:{server.server_port}/").text == f"127.0.0.1 {seen}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("192.0.2.1", "[Errno 99] Cannot assign requested address: source address 192.0.2.1"),
        ("::1", "[Errno 97] Address family not supported by protocol: source address ::1"),
        ("nothing0", "[Errno 19] No such device: interface nothing0"),
    ],
)
def test_a_source_that_cannot_be_is_named(server: EndsServer, kind: Any, source: str, words: str) -> None:
    session = session_with(kind, source=source)
    assert words in str(session.get(f"http://127.0.0.1:{server.server_port}/").error)


@pytest.mark.parametrize("kind", KINDS)
def test_a_unix_socket_takes_the_place_of_the_host(kind: Any, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    session = session_with(kind, unix_socket=str(path))
    with EndsServer(listen_unix(path)):
        assert session.get("http://nowhere.invalid/").text == f"{path} unnamed"
    path.unlink()
    assert f"No such file or directory: Unix socket {path}" in str(session.get("http://x.invalid/").error)


@pytest.mark.parametrize("kind", KINDS)
def test_tls_runs_over_a_unix_socket(kind: Any, tmp_path: Path, certificates: Certificates) -> None:
    path = tmp_path / "socket"
    session = session_with(kind, unix_socket=str(path))
    if kind is HttpSession:
        session.verify = str(certificates.ca)
    context = gevent.ssl.SSLContext(gevent.ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.chain("good"), certificates.key("good"))
    with EndsServer(listen_unix(path), ssl_context=context):
        assert session.get("https://localhost/").text == f"{path} unnamed"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("host", ["given.invalid", "GIVEN.invalid"])
@pytest.mark.parametrize("with_port", [True, False])
def test_given_addresses_take_the_place_of_a_look_up(
    server: EndsServer, kind: Any, host: str, with_port: bool
) -> None:
    key = f"given.invalid:{server.server_port}" if with_port else "given.invalid"
    session = session_with(kind, resolve={key: "127.0.0.7"})
    url = f"http://{host}:{server.server_port}/"
    assert session.get(url).text == "127.0.0.7 127.0.0.1"
    other = session.get(f"http://other.invalid:{server.server_port}/")
    assert "Name or service not known" in str(other.error)


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_given_address_is_tried_after_a_refusal(kind: Any) -> None:
    with EndsServer(("127.0.0.7", 0)) as server:
        session = session_with(kind, resolve={"given.invalid": "127.0.0.6,127.0.0.7"})
        assert session.get(f"http://given.invalid:{server.server_port}/").text == "127.0.0.7 127.0.0.1"


def test_a_host_that_is_an_ipv6_address_can_be_given_another(server: EndsServer) -> None:
    session = session_with(HttpSession, resolve={"[2001:db8::1]": "127.0.0.7"})
    assert session.get(f"http://[2001:db8::1]:{server.server_port}/").text == "127.0.0.7 127.0.0.1"


@pytest.mark.parametrize("addresses", ["name.test", "127.0.0.1:80", "127.0.0.1,", "127.0.0.1 127.0.0.2"])
def test_what_is_no_address_is_refused(addresses: str) -> None:
    with pytest.raises(ValueError, match=r"resolve maps 'given.test' to what is no address: "):
        ConnectionOptions(resolve={"given.test": addresses})
