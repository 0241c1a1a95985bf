"""What is compared: for each scenario the clients, what they send, and what ours is measured against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import clients
from benchmarks.clients import LOCUSTFILES, Command, Setup
from benchmarks.server import Nginx

# wrk ends by itself; this is longer than any run takes, and the run ends it before.
WRK_SECONDS = 60.0

Build = Callable[[Setup, Nginx, int], Command]


@dataclass(frozen=True)
class Contender:
    """One line of a table: its label and how its command is built from set-up, server and number of users."""

    label: str
    build: Build
    is_stock: bool = False


@dataclass(frozen=True)
class Scenario:
    """One table. `reference` is the label that ratios are to; `aim` is the ratio ours is to stay within.

    `keeps`: the clients keep their connections.
    """

    name: str
    title: str
    users: int
    contenders: tuple[Contender, ...]
    reference: str
    aim: float
    environment: tuple[tuple[str, str], ...] = ()
    keeps: bool = True


def wrk(path: str, *options: str, tls: bool = False, script: str | None = None) -> Contender:
    """wrk on a path of the server, with more options of its own."""

    def build(setup: Setup, server: Nginx, users: int) -> Command:
        scripted = ["-s", str(LOCUSTFILES / script)] if script else []
        base = server.tls_url if tls else server.url
        return clients.wrk(setup, base + path, users, WRK_SECONDS, *options, *scripted)

    return Contender("wrk", build)


def locust(which: str, user: str, locustfile: str, prefix: str, tls: bool = False) -> Contender:
    """Stock Locust or ours (`which`) with the class `prefix` + "Http" or "Fast" of a bundled locustfile."""
    start = clients.stock if which == "stock" else clients.ours
    user_class = prefix + ("Http" if user == "HttpUser" else "Fast")

    def build(setup: Setup, server: Nginx, users: int) -> Command:
        return start(setup, locustfile, user_class, server.tls_url if tls else server.url, users)

    return Contender(f"{which} {user}", build, is_stock=which == "stock")


SCENARIOS = (
    Scenario(
        name="plain",
        title='64 users, no wait, self.client.get("/"), 51-byte body',
        users=64,
        contenders=(
            wrk("/"),
            locust("ours", "HttpUser", "plain.py", "Plain"),
            locust("ours", "FastHttpUser", "plain.py", "Plain"),
            locust("stock", "FastHttpUser", "plain.py", "Plain"),
            locust("stock", "HttpUser", "plain.py", "Plain"),
        ),
        reference="wrk",
        aim=1.5,
    ),
    Scenario(
        name="listener",
        title="the same with a listener of events.request that takes **kw",
        users=64,
        contenders=(wrk("/"), locust("ours", "HttpUser", "plain.py", "Plain")),
        reference="wrk",
        aim=2.2,
        environment=(("BENCH_LISTENER", "1"),),
    ),
    Scenario(
        name="tls",
        title="64 users, no wait, GET / over TLS",
        users=64,
        contenders=(wrk("/", tls=True), locust("ours", "HttpUser", "plain.py", "Plain", tls=True)),
        reference="wrk",
        aim=1.6,
    ),
    Scenario(
        name="fuller",
        title="64 users, POST json, bearer header, 3 cookies, gzip answer (4 KB), catch_response, json()",
        users=64,
        contenders=(
            wrk("/api", script="fuller.lua"),
            locust("ours", "HttpUser", "fuller.py", "Fuller"),
            locust("ours", "FastHttpUser", "fuller.py", "Fuller"),
            locust("stock", "FastHttpUser", "fuller.py", "Fuller"),
        ),
        reference="stock FastHttpUser",
        aim=1 / 3,
    ),
    Scenario(
        name="many",
        title="4,000 users, no wait, GET /",
        users=4000,
        contenders=(wrk("/"), locust("ours", "HttpUser", "plain.py", "Plain")),
        reference="wrk",
        aim=1.5,
    ),
)
