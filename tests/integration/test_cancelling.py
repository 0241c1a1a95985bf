"""Requests and waits that are given up: no late sample, nothing kept, however often; forks and the end.

Single kills in each phase are in test_killed_requests, those of streamed bodies in test_streams, of look-ups
in test_names.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import gevent
import pytest
from gevent.monkey import get_original
from leftovers import holdings
from reported import Reports
from servers.control import Echo, OpenScripted
from servers.steps import head, head_bytes, repeat, reply, request, send, stall

from locust_c import FastHttpUser, HttpUser, _core, constant, hub, task
from locust_c.env import Environment

FLAVOURS = pytest.mark.parametrize("flavour", ["http", "fast"])
USERS = pytest.mark.parametrize("base", [HttpUser, FastHttpUser])
PART = head_bytes(headers=[("Content-Length", "10")]) + b"12345"
LARGE = b"x" * 5_000_000

# In each phase: what the server does, the scheme, and the call.
PHASES: dict[str, tuple[list[Any], str, Callable[[Any], object]]] = {
    "handshake": ([stall("on")], "https", lambda client: client.get("/")),
    "upload": ([head(), stall("on")], "http", lambda client: client.post("/", data=LARGE)),
    "head": ([request(), stall("on"), reply(b"late")], "http", lambda client: client.get("/")),
    "body": ([request(), send(PART), stall("on"), send(b"67890")], "http", lambda client: client.get("/")),
    "with block": (
        [request(), stall("on"), reply(b"late")],
        "http",
        lambda client: client.get("/", catch_response=True),
    ),
    "long way": (
        [request(), stall("on"), reply(b"late")],
        "http",
        lambda client: client.post("/", files={"f": b"x"}),
    ),
}


@pytest.fixture
def reports() -> Reports:
    return Reports()


def turn_until(condition: Callable[[], object]) -> None:
    """Lets the hub turn until it holds."""
    with gevent.Timeout(10):
        while not condition():
            gevent.sleep(0.001)


# A gevent.Timeout is a failed request of the fast client, as in stock: see test_fasthttp_failures.
@pytest.mark.parametrize(("flavour", "by"), [("http", "kill"), ("http", "timeout"), ("fast", "kill")])
@pytest.mark.parametrize("phase", PHASES)
def test_what_is_given_up_is_no_sample_and_answers_nothing_later(
    reports: Reports, scripted: OpenScripted, flavour: str, by: str, phase: str
) -> None:
    script, scheme, call = PHASES[phase]
    server = scripted(script, [repeat(request(), reply(b"next"))])
    client = getattr(reports, flavour)(server.url.replace("http:", f"{scheme}:"))
    reason = gevent.Timeout() if by == "timeout" else gevent.GreenletExit()
    ended: list[BaseException] = []

    def run() -> None:
        try:
            call(client)
        except BaseException as error:
            ended.append(error)

    greenlet = gevent.spawn(run)
    gevent.sleep(0)
    server.wait_for("stalled")
    greenlet.kill(reason)
    assert ended == [reason]
    server.release("on")
    server.wait_for("ended")
    assert client.get(f"{server.url}/next", name="next").content == b"next"
    assert reports.names == [("GET", "next")], "nothing of the request that was given up"
    assert reports.environment.stats.total.num_requests == 1


def test_a_silent_address_is_given_up(reports: Reports, silent_url: str) -> None:
    client = reports.http(silent_url)
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.02):
        client.get("/")
    assert reports.events == []


@pytest.mark.parametrize("where", ["connecting", "waiting", "half a body", "streamed"])
@FLAVOURS
def test_thousands_of_kills_leave_nothing(
    reports: Reports, scripted: OpenScripted, silent_url: str, flavour: str, where: str
) -> None:
    server = scripted([repeat(request(), send(PART), *([stall("never")] if where != "connecting" else []))])
    if where == "waiting":
        server = scripted([repeat(request())])
    client = getattr(reports, flavour)(silent_url if where == "connecting" else server.url)
    victims_at_once = 20

    def victim() -> None:
        client.get("/", stream=where == "streamed")

    def round_of_kills() -> None:
        before = _core._counts()["operations"][0]
        greenlets = [gevent.spawn(victim) for _ in range(victims_at_once)]
        turn_until(lambda: _core._counts()["operations"][0] >= before + victims_at_once)
        gevent.sleep(0)
        gevent.killall(greenlets)
        hub.sleep(0)

    def settled() -> tuple[int, int, dict[str, int]]:
        gc.collect()
        hub.sleep(0)
        return _core._blocks(), len(os.listdir("/proc/self/fd")), holdings().live

    rounds = 5 if where in ("half a body", "streamed") else 50
    for _ in range(3):
        round_of_kills()
    before = settled()
    for _ in range(rounds):
        round_of_kills()
    assert settled() == before
    assert reports.environment.stats.total.num_requests == 0 or where == "streamed"


@USERS
@pytest.mark.parametrize("stop_timeout", [0, 0.05])
def test_users_are_stopped_wherever_they_are(scripted: OpenScripted, base: Any, stop_timeout: float) -> None:
    server = scripted([repeat(request(), stall("on"), reply(b"ok"))])
    at: dict[str, int] = {"waiting": 0, "stopped": 0}

    def on_stop(self: Any) -> None:
        at["stopped"] += 1

    @task
    def ask(self: Any) -> None:
        self.client.get("/")

    @task
    def wait(self: Any) -> None:
        at["waiting"] += 1

    asking = type("Asking", (base,), {"host": server.url, "ask": ask, "on_stop": on_stop, "tasks": [ask]})
    waiting = type(
        "Waiting",
        (base,),
        {"host": server.url, "tasks": [wait], "wait_time": constant(3600), "on_stop": on_stop},
    )
    environment = Environment(user_classes=[asking, waiting], stop_timeout=stop_timeout)
    runner = environment.create_local_runner()
    runner.start(10, 1e6)
    turn_until(lambda: at["waiting"] == 5)
    server.wait_for("stalled", 5)
    with gevent.Timeout(10):
        runner.stop()
    assert (at["stopped"], runner.user_count) == (10, 0)
    server.release("on")
    server.wait_for("ended", 5)
    hub.sleep(0.001)
    assert environment.stats.total.num_requests == 0, "no late sample"
    runner.quit()


@USERS
def test_a_stop_time_out_lets_requests_end(scripted: OpenScripted, base: Any) -> None:
    server = scripted([request(), stall("on"), reply(b"ok")])

    @task
    def ask(self: Any) -> None:
        self.client.get("/")

    user_class = type("Asking", (base,), {"host": server.url, "tasks": [ask]})
    environment = Environment(user_classes=[user_class], stop_timeout=10)
    runner = environment.create_local_runner()
    runner.start(1, 1e6)
    server.wait_for("stalled")
    stopping = gevent.spawn(runner.stop)
    turn_until(lambda: runner.state in ("cleanup", "stopping", "stopped"))
    server.release("on")
    with gevent.Timeout(8):
        stopping.get()
    assert environment.stats.total.num_requests == 1
    assert environment.stats.total.num_failures == 0
    runner.quit()


@FLAVOURS
@pytest.mark.parametrize("how", ["close", "drop", "kill"])
def test_a_half_read_response_is_given_up(
    reports: Reports, scripted: OpenScripted, flavour: str, how: str
) -> None:
    server = scripted([request(), send(PART), stall("never")], [repeat(request(), reply(b"next"))])
    client = getattr(reports, flavour)(server.url)
    response: Any = client.get("/", stream=True)
    before = holdings().live["connections"]
    if how == "kill":
        reader = gevent.spawn(list, response.iter_content(100))
        gevent.sleep(0)
        reader.kill()
        del reader
    if how == "close":
        response.close()
    response = None
    reports.events.clear()
    reports.environment.stats.clear_all()
    gc.collect()
    turn_until(lambda: holdings().live["connections"] < before)
    assert client.get("/").content == b"next"


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@FLAVOURS
def test_a_forked_child_makes_requests_of_its_own(reports: Reports, echo: Echo, flavour: str) -> None:
    client = getattr(reports, flavour)(echo.url)
    assert client.get("/anything").status_code == 200
    # gevent's own fork now and then misses the end of a child that is quick.
    child = get_original("os", "fork")()
    if child == 0:
        code = 1
        try:
            gevent.reinit()
            own = getattr(Reports(), flavour)(echo.url)
            bodies = [own.get(f"/anything?n={number}").json()["query"] for number in range(3)]
            code = 0 if bodies == ["n=0", "n=1", "n=2"] else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(get_original("os", "waitpid")(child, 0)[1]) == 0
    assert client.get("/anything").status_code == 200, "on the connection that the child had as well"
    assert reports.environment.stats.total.num_requests == 2


AT_THE_END = """
import sys
import gevent
import locust_c
from locust_c import hub
from locust_c.clients import HttpSession
from locust_c.contrib.fasthttp import FastHttpSession
from locust_c.event import EventHook

url = sys.argv[1]
sessions = [kind(url, EventHook(), None) for kind in (HttpSession, FastHttpSession) for _ in range(3)]
kept = [sessions[0].get("/part", stream=True), sessions[3].get("/part", stream=True)]
for session in sessions:
    gevent.spawn(session.get, "/never")
    gevent.spawn(session.get, "/never", stream=True)
    gevent.spawn(session.post, "/never", data=b"x" * 5_000_000)
gevent.spawn(hub.sleep, 3600)
hub.sleep(0.05)
print("ends", flush=True)
"""


def test_the_interpreter_ends_with_requests_in_flight(scripted: OpenScripted) -> None:
    server = scripted([head(), send(PART), stall("never")])
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore", "-c", AT_THE_END, server.url],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("ends\n", "", 0)
