"""Settings of `HTTPAdapter`s that users mount, honoured by the engine: pools, limits, source addresses."""

from __future__ import annotations

from typing import Any

import gevent
import gevent.server
import pytest
from reported import Reports
from requests.adapters import HTTPAdapter
from requests_toolbelt.adapters.source import SourceAddressAdapter
from servers import steps
from servers.control import OpenScripted, Scripted

from locust_c.clients import HttpSession
from locust_c.raw import EngineRaw


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def server(scripted: OpenScripted) -> Scripted:
    return scripted([steps.repeat(steps.request(), steps.reply(b"ok"))])


def mounted(reports: Reports, server: Scripted, adapter: HTTPAdapter) -> HttpSession:
    client = reports.http(server.url)
    client.mount("http://", adapter)
    return client


def test_sessions_that_mount_the_same_adapter_share_its_connections(
    reports: Reports, server: Scripted
) -> None:
    adapter = HTTPAdapter()
    clients = [mounted(reports, server, adapter) for _ in range(3)]
    assert all(isinstance(client.get("/x").raw, EngineRaw) for client in clients)
    assert len(server.connections()) == 1
    reports.http(server.url).get("/x")
    assert len(server.connections()) == 2
    clients[0].close()


def test_a_pool_that_blocks_has_no_more_connections(reports: Reports, scripted: OpenScripted) -> None:
    server = scripted(
        [steps.request(), steps.stall("go"), steps.reply(b"ok"), steps.request(), steps.reply(b"ok")]
    )
    client = mounted(reports, server, HTTPAdapter(pool_maxsize=1, pool_block=True))
    running = [gevent.spawn(client.get, "/x") for _ in range(2)]
    server.wait_for("stalled")
    assert len(server.connections()) == 1
    server.release("go")
    assert [greenlet.get().content for greenlet in running] == [b"ok", b"ok"]
    assert len(server.connections()) == 1
    client.close()


def test_a_source_address_is_where_connections_come_from(reports: Reports) -> None:
    came_from: list[str] = []

    def answer(sock: Any, address: tuple[str, int]) -> None:
        came_from.append(address[0])
        sock.recv(4096)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        sock.close()

    listener = gevent.server.StreamServer(("127.0.0.1", 0), answer)
    listener.start()
    client = reports.http(f"http://127.0.0.1:{listener.server_port}")
    client.get("/x")
    client.mount("http://", SourceAddressAdapter("127.0.0.3"))
    response = client.get("/x")
    assert isinstance(response.raw, EngineRaw)
    client.mount("http://", SourceAddressAdapter(("127.0.0.4", 0)))
    client.get("/x")
    assert came_from == ["127.0.0.1", "127.0.0.3", "127.0.0.4"]
    client.close()
    listener.stop()
