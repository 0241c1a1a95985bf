"""What test_names.py runs in network and mount namespaces of its own: `unshare ... python names_inside.py`.

A name server on port 53 and web servers, all in this process, as its clients are. Reads names of scenarios,
one a line, and writes what each of them saw as a line of JSON.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import requests
from gevent.event import Event
from gevent.fileobject import FileObject
from geventhttpclient import HTTPClient
from parity import error_seen, our_session

# First of all, as in a locustfile.
import locust_c  # noqa: F401

sys.path.append(str(Path(__file__).resolve().parent.parent))
from servers.dns import NXDOMAIN, SERVFAIL, Asked, DnsServer, Name
from servers.ends import EndsServer

from locust_c import hub
from locust_c.clients import HttpSession
from locust_c.connections import ConnectionOptions
from locust_c.contrib.fasthttp import FastHttpSession
from locust_c.event import EventHook

RESOLV_CONF = Path("/etc/resolv.conf")
PATIENT, IMPATIENT = "timeout:10 attempts:1", "timeout:1 attempts:1"
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def loopback_up() -> None:
    with socket.socket() as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


@contextmanager
def resolver_options(options: str) -> Iterator[None]:
    """What resolv.conf says for a while; the C library reads it anew when it has changed."""
    before = RESOLV_CONF.read_text()
    RESOLV_CONF.write_text(f"nameserver 127.0.0.1\noptions {options}\n")
    try:
        yield
    finally:
        RESOLV_CONF.write_text(before)


class Inside:
    """The servers, and the clients that scenarios use."""

    def __init__(self) -> None:
        self.dns = DnsServer(("127.0.0.1", 53))
        self.web = EndsServer(("0.0.0.0", 0))
        self.dns.start()
        self.web.start()
        self.port = self.web.server_port
        self.engine = hub.get_engine()

    def name(self, name: str, *addresses: str, **how: Any) -> str:
        """A name of the name server's, as the URL of the web server."""
        self.dns.names[name] = Name(addresses, **how)
        self.dns.asked = Asked()
        return f"http://{name}:{self.port}/"

    def names_at_a_gate(self, count: int) -> tuple[list[str], Event]:
        gate = Event()
        return [self.name(f"n{i}.test", "127.0.0.1", gate=gate) for i in range(count)], gate


def get(url: str, **options: Any) -> requests.Response:
    with our_session() as session:
        return session.get(url, **options)


def outcome(url: str, **options: Any) -> Any:
    """The text of an answer, or type and text of the error."""
    response = get(url, **options)
    error = getattr(response, "error", None)
    return response.text if error is None else error_seen(error)


def stock_outcome(url: str, **options: Any) -> Any:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(url, **options).text
        except requests.RequestException as error:
            return error_seen(error)


def fast_session() -> FastHttpSession:
    return FastHttpSession(base_url="", request_event=EventHook(), user=None)


def fast_outcome(url: str) -> str:
    return repr(fast_session().get(url).error)


def stock_fast_outcome(url: str) -> str:
    try:
        HTTPClient.from_url(url).get("/")
    except Exception as error:
        return repr(error)
    return "no error"


SCENARIOS: dict[str, Callable[[Inside], Any]] = {}


def scenario(function: Callable[[Inside], Any]) -> Callable[[Inside], Any]:
    SCENARIOS[function.__name__] = function
    return function


@scenario
def each_new_connection(inside: Inside) -> Any:
    url = inside.name("one.test", "127.0.0.1")
    with our_session() as session:
        return [session.get(url).status_code for _ in range(3)], inside.dns.count("one.test")


@scenario
def equal_look_ups(inside: Inside) -> Any:
    gate = Event()
    url = inside.name("slow.test", "127.0.0.1", gate=gate)
    clients = [gevent.spawn(outcome, url) for _ in range(20)]
    inside.dns.await_waiting(1)
    while inside.engine.counts()["operations"] < len(clients):
        gevent.sleep(0.001)
    gate.set()
    gevent.joinall(clients, raise_error=True)
    first = inside.dns.count("slow.test")
    outcome(url)
    return sorted({client.value for client in clients}), first, inside.dns.count("slow.test")


@scenario
def at_most_eight(inside: Inside) -> Any:
    urls, gate = inside.names_at_a_gate(20)
    clients = [gevent.spawn(outcome, url) for url in urls]
    inside.dns.await_waiting(8)
    gevent.sleep(0.05)  # time in which a ninth thread would ask
    gate.set()
    gevent.joinall(clients, raise_error=True)
    asked = sum(inside.dns.count(name) for name in inside.dns.names if name.startswith("n"))
    return sorted({client.value for client in clients}), inside.dns.asked.waiting_most, asked


@scenario
def order_of_addresses(inside: Inside) -> Any:
    seen = []
    for addresses in (("127.0.0.3", "127.0.0.2"), ("127.0.0.2", "127.0.0.3", "127.0.0.4")):
        url = inside.name("several.test", *addresses)
        stock = socket.getaddrinfo("several.test", inside.port, 0, socket.SOCK_STREAM)
        seen.append((outcome(url).split()[0], stock[0][4][0]))
    return seen


@scenario
def next_address(inside: Inside) -> Any:
    """One of two addresses has a listener; whichever comes first."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.3", 0))
        listener.listen()
        server = EndsServer(listener)
        server.start()
        inside.name("half.test", "127.0.0.2", "127.0.0.3")
        seen = outcome(f"http://half.test:{server.server_port}/")
        server.stop()
    return seen


def both(inside: Inside, url: str) -> Any:
    return [(outcome(url), stock_outcome(url)), (fast_outcome(url), stock_fast_outcome(url))]


@scenario
def no_such_name(inside: Inside) -> Any:
    return both(inside, inside.name("nothing.test", error=NXDOMAIN))


@scenario
def server_failure(inside: Inside) -> Any:
    return both(inside, inside.name("broken.test", error=SERVFAIL))


@scenario
def no_address(inside: Inside) -> Any:
    return both(inside, inside.name("empty.test"))


@scenario
def silent_name_server(inside: Inside) -> Any:
    url = inside.name("silent.test", silent=True)
    with resolver_options(IMPATIENT):
        clients = [gevent.spawn(client, url) for client in (outcome, stock_outcome)]
        gevent.joinall(clients, raise_error=True)
    return [client.value for client in clients]


@scenario
def connect_time_out(inside: Inside) -> Any:
    url = inside.name("silent.test", silent=True)
    started = time.monotonic()
    seen = outcome(url, timeout=(0.05, 10))
    with our_session() as session, gevent.Timeout(0.05, False):
        session.get(url)
    # Neither waited for the thread, which a later look-up of the name joins.
    seconds, operations = time.monotonic() - started, inside.engine.counts()["operations"]
    return seen, seconds, operations, inside.dns.count("silent.test")


@scenario
def ipv6(inside: Inside) -> Any:
    server = EndsServer(("::1", 0))
    server.start()
    inside.name("six.test", "::1")
    port = server.server_port
    seen = [outcome(f"http://six.test:{port}/"), outcome(f"http://[::1]:{port}/")]
    server.stop()
    return seen, dict(inside.dns.asked.counts.items()).get(("six.test", "AAAA"))


@scenario
def environment(inside: Inside) -> Any:
    url = inside.name("one.test", "127.0.0.1")
    proxies = {"http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"}
    os.environ.update(proxies)
    try:
        return [outcome(url), fast_session().get(url).text]
    finally:
        for name in proxies:
            del os.environ[name]


@scenario
def given_addresses(inside: Inside) -> Any:
    url = inside.name("given.test", "127.0.0.2")
    options = ConnectionOptions(resolve={"given.test": "127.0.0.5"})
    session = HttpSession(base_url="", request_event=EventHook(), user=None, connection_options=options)
    return session.get(url).text, inside.dns.count("given.test")


LEAVES = """
import locust_c, sys, time, gevent
from locust_c import hub
from locust_c.clients import HttpSession
from locust_c.event import EventHook
session = HttpSession(base_url="", request_event=EventHook(), user=None)
gevent.spawn(session.get, sys.argv[1])
gevent.sleep(0.001)
assert hub.get_engine().counts()["operations"] == 1
print(time.monotonic())
"""


@scenario
def leaving_while_it_looks_up(inside: Inside) -> Any:
    url = inside.name("silent.test", silent=True)
    done = subprocess.run([sys.executable, "-c", LEAVES, url], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stderr, time.monotonic() - float(done.stdout)


def main() -> None:
    loopback_up()
    RESOLV_CONF.write_text(f"nameserver 127.0.0.1\noptions {PATIENT}\n")
    inside = Inside()
    print(json.dumps("ready"), flush=True)
    for line in FileObject(sys.stdin.buffer, "r"):
        try:
            seen = {"seen": SCENARIOS[line.strip()](inside)}
        except BaseException:
            seen = {"failed": traceback.format_exc()}
        print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()
