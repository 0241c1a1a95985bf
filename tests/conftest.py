"""Servers as fixtures: nginx, an echo server and scripted servers, on loopback and ports of the kernel."""

# ruff: noqa: I001
from __future__ import annotations

# First of all, as in a locustfile: what gevent replaces must not have been imported before.
import locust_c  # noqa: F401

import contextlib
import gc
import os
import socket
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from leftovers import holdings, left_since
from servers.certificates import Certificates, make_certificates
from servers.control import Echo, OpenScripted, Scripted, ServerProcess
from servers.steps import Step

# Last in the path: `benchmarks` is only found here, while an installed package stays the one that is tested.
sys.path.append(str(Path(__file__).resolve().parent.parent))
from benchmarks.server import Nginx
from locust_c import hub

OUTCOMES = pytest.StashKey[dict[str, str]]()
STEERING = (
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NETRC",
    # Compiling all modules anew would be half of what starting a process takes.
    "PYTHONDONTWRITEBYTECODE",
)


@pytest.fixture(scope="session", autouse=True)
def plain_environment() -> Iterator[None]:
    """No proxy, no foreign trust store and no Locust option of the surrounding shell steers a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name in STEERING or name.startswith("LOCUST_") or name.lower().endswith("_proxy"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_collections() -> Iterator[None]:
    """What was imported until now is not looked at again by every collection of garbage."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Remembers how the test went, for the fixtures that end after it."""
    report = yield
    item.stash.setdefault(OUTCOMES, {})[report.when] = report.outcome
    return report


@pytest.fixture(autouse=True)
def nothing_left_behind(plain_environment: None, request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test gives back what it had of the engine, and its sockets.

    A failed test is not asked: its traceback still refers to what it had.
    """
    hub.get_engine()  # made once, with sockets of its own
    before = holdings()
    yield
    # What fixtures returned is as gone as the test's variables; pytest lets go of it later.
    request.node.funcargs.clear()
    if request.node.stash.get(OUTCOMES, {}).get("call") == "passed":
        left = left_since(before)
        assert not left, f"the test left behind: {left}"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """The session's certificate authority and its good and wrong certificates."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def nginx(certificates: Certificates) -> Iterator[Nginx]:
    """A real nginx, plain and TLS; its certificate is good for those who trust `certificates.ca`."""
    with Nginx(certificate=(certificates.chain("good"), certificates.key("good"))) as server:
        yield server


@pytest.fixture(scope="session")
def server_process(certificates: Certificates) -> Iterator[ServerProcess]:
    """The process that the echo server and the scripted servers run in."""
    process = ServerProcess(certificates)
    yield process
    process.stop()


@pytest.fixture
def echo(server_process: ServerProcess) -> Echo:
    """A server that says what it was asked; its paths are in servers.echo."""
    return server_process.echo


@pytest.fixture
def scripted(server_process: ServerProcess) -> Iterator[OpenScripted]:
    """A function that opens a server whose connections follow scripts; all are closed when the test ends."""
    opened: list[Scripted] = []

    def open_scripted(
        *scripts: list[Step], tls: str | None = None, address: str = "127.0.0.1", **options: object
    ) -> Scripted:
        server = Scripted(server_process, *scripts, tls=tls, address=address, **options)
        opened.append(server)
        return server

    yield open_scripted
    for server in opened:
        server.close()


@pytest.fixture
def refused_url() -> Iterator[str]:
    """A URL whose port is taken but not listened on: connections are refused for as long as the test runs."""
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def silent_url(scripted: OpenScripted) -> str:
    """A URL that never answers a connection attempt: neither established nor refused."""
    return scripted(accept=False).url
