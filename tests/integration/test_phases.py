"""Where the time of a request goes: `response.timings`, the phases of the statistics, and generator lag."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
import requests
from reported import Reports
from servers.control import Echo, OpenScripted, Scripted
from servers.steps import (
    Step,
    body,
    head,
    head_bytes,
    pause,
    repeat,
    reply,
    request,
    send,
    stall,
    start_tls,
    tunnel,
)

from locust_c.stats import StatsEntry
from locust_c.timings import Timings

SLOW_MS = 20.0
FLAVOURS = pytest.mark.parametrize("flavour", ["http", "fast"])
KEPT = {"send": 1, "wait": 1, "receive": 1, "lag": 1}
NEW = {"connect": 1, **KEPT}


@pytest.fixture
def reports() -> Iterator[Reports]:
    reports = Reports()
    yield reports
    reports.environment.runner.quit()


def client_of(reports: Reports, flavour: str, url: str, **attributes: Any) -> Any:
    return getattr(reports, flavour)(url, **attributes)


def total_of(reports: Reports) -> StatsEntry:
    return reports.environment.stats.total


def counts(entry: StatsEntry) -> dict[str, int]:
    """How many requests had each phase that there was."""
    return {name: phase.count for name, phase in entry.phases.items() if phase.count}


def burn(seconds: float) -> None:
    """Keeps the process busy, so that no other greenlet runs."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


# --- which phases there are ---


@FLAVOURS
def test_a_kept_connection_has_neither_look_up_nor_connect(
    reports: Reports, echo: Echo, flavour: str
) -> None:
    client = client_of(reports, flavour, echo.url)
    client.get("/")
    assert counts(total_of(reports)) == NEW, "an address is not looked up"
    client.get("/")
    assert counts(total_of(reports)) == dict.fromkeys(NEW, 2) | {"connect": 1}
    assert counts(reports.environment.stats.get("/", "GET")) == counts(total_of(reports))


@FLAVOURS
def test_a_name_is_looked_up_and_tls_negotiated(reports: Reports, echo: Echo, flavour: str) -> None:
    client = client_of(reports, flavour, echo.tls_url)
    client.verify = False
    timings = client.get("/").timings
    assert counts(total_of(reports)) == {"lookup": 1, "tls": 1, **NEW}
    assert 0 < timings.lookup <= timings.connect < timings.tls == timings.ready <= timings.sent
    client.get("/")
    assert counts(total_of(reports)) == dict.fromkeys(KEPT, 2) | {"lookup": 1, "connect": 1, "tls": 1}


CALLS: dict[str, Callable[[Any], Any]] = {
    "the short way": lambda client: client.get("/"),
    "the long way": lambda client: client.get("/", auth=("user", "secret"), stream=False),
    "a with block": lambda client: with_block(client.get("/", catch_response=True)),
    "a with block that looks at the event": lambda client: with_block(
        client.get("/", catch_response=True), lambda response: response.request_meta.update(name="renamed")
    ),
    "a redirect": lambda client: client.get("/redirect/2"),
    "a redirect on the long way": lambda client: client.get("/redirect/2", auth=("user", "secret")),
    "a wrong status": lambda client: client.get("/status/500"),
}


def with_block(response: Any, act: Callable[[Any], object] = lambda response: None) -> Any:
    with response:
        act(response)
    return response


@FLAVOURS
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_way_makes_one_sample_with_its_phases(
    reports: Reports, echo: Echo, flavour: str, call: Callable[[Any], Any]
) -> None:
    client = client_of(reports, flavour, echo.url)
    client.get("/")
    reports.environment.stats.reset_all()
    response = call(client)
    total = total_of(reports)
    assert (total.num_requests, counts(total)) == (1, KEPT), "of redirects the last exchange counts"
    for name, seconds in response.timings.phases.items():
        assert total.phases[name].quantile(1) == pytest.approx(seconds * 1000, rel=0.005, abs=0.001)


def test_a_hook_of_the_user_keeps_recording(reports: Reports, echo: Echo) -> None:
    client = client_of(reports, "http", echo.url)
    fired: list[dict[str, Any]] = []
    hook: Any = reports.environment.events.request
    ours = hook.fire

    def fire(**values: Any) -> None:
        fired.append(values)
        ours(**values)

    hook.fire = fire
    client.get("/")
    assert (len(fired), total_of(reports).num_requests) == (1, 1)


# --- each phase grows when its step is slow ---

OK = reply(b"ok")
SLOW_STEPS: dict[str, list[Step]] = {
    "wait": [request(), pause(SLOW_MS), OK],
    "receive": [request(), send(head_bytes(headers=[("Content-Length", "2")])), pause(SLOW_MS), send(b"ok")],
    "tls": [pause(SLOW_MS), start_tls(), request(), OK],
    "send": [head(), pause(SLOW_MS), body(), OK],
}


@pytest.mark.parametrize(("slow", "script"), SLOW_STEPS.items(), ids=SLOW_STEPS)
def test_a_slow_step_is_in_its_phase(
    reports: Reports, scripted: OpenScripted, slow: str, script: list[Step]
) -> None:
    server = scripted(script)
    client = client_of(reports, "http", server.url.replace("http:", "https:" if slow == "tls" else "http:"))
    client.verify = False
    # More than the sockets hold, where sending must wait.
    data = b"x" * 6_000_000 if slow == "send" else None
    for _ in range(3):
        response = client.request("POST" if data else "GET", "/", data=data)
        assert response.content == b"ok"
        client.close()
    phases = total_of(reports).phases
    assert phases[slow].quantile(0) >= SLOW_MS * 0.99, "at least in each of the three"
    for name, phase in phases.items():
        # In the quickest of three, whatever else the machine was doing. What the sockets hold of a large
        # body the server reads after the last write.
        if phase.count and name not in (slow, "wait" if data else slow):
            assert phase.quantile(0) < SLOW_MS
    assert response.timings.phases[slow] >= SLOW_MS / 1000


def test_a_proxy_that_takes_its_time_is_part_of_connecting(
    reports: Reports, scripted: OpenScripted, echo: Echo
) -> None:
    established = send(b"HTTP/1.1 200 Connection established\r\n\r\n")
    proxy = scripted([head(), pause(SLOW_MS), established, tunnel(echo.tls_port)])
    client = client_of(reports, "http", echo.tls_url)
    response = client.get("/", proxies={"https": proxy.url}, verify=False)
    assert response.status_code == 200
    assert response.timings.phases["connect"] >= SLOW_MS / 1000
    assert response.timings.connect >= SLOW_MS / 1000


# --- lag ---


@FLAVOURS
def test_a_busy_generator_lengthens_the_lag_and_not_the_response_time(
    reports: Reports, scripted: OpenScripted, flavour: str
) -> None:
    server = scripted([repeat(request(), pause(10), OK)])
    client = client_of(reports, flavour, server.url)
    for _ in range(10):
        client.get("/")
        reports.environment.stats.reset_all()
        waiting = gevent.spawn(client.get, "/")
        gevent.sleep(0)
        burn(0.05)
        timings = waiting.get().timings
        total = total_of(reports)
        assert timings.last_byte + timings.lag >= 0.049, "no time is lost between the two"
        assert total.generator_lag.quantile(1) == pytest.approx(timings.lag * 1000, rel=0.005)
        assert total.max_response_time == pytest.approx(timings.last_byte * 1000, rel=0.001)
        # The server answers after 10 ms, if the machine lets it.
        if timings.last_byte < 0.025 and timings.lag > 0.025 and timings.arrival == "kernel":
            return
    pytest.fail("the response time was never that of the server")


@FLAVOURS
@pytest.mark.parametrize("tls", [None, "good"], ids=["plain", "tls"])
def test_arrivals_are_stamped_by_the_kernel(
    reports: Reports, scripted: OpenScripted, flavour: str, tls: str | None
) -> None:
    client = client_of(reports, flavour, scripted([repeat(request(), OK)], tls=tls).url)
    client.verify = False
    # Stamps begin a moment after the first socket of a machine asks for them.
    deadline = time.monotonic() + 10
    while (arrival := client.get("/").timings.arrival) != "kernel":
        assert arrival == "read"
        assert time.monotonic() < deadline, "the kernel gives no receive timestamps"


# --- what fails ---


def long_way(client: Any, **arguments: Any) -> Any:
    return client.get("/", auth=("user", "secret"), **arguments)


def short_way(client: Any, **arguments: Any) -> Any:
    return client.get("/", **arguments)


WAYS = pytest.mark.parametrize("way", [short_way, long_way])


@FLAVOURS
@WAYS
def test_a_refused_connection_has_only_its_end(
    reports: Reports, refused_url: str, flavour: str, way: Callable[..., Any]
) -> None:
    response = way(client_of(reports, flavour, refused_url))
    assert counts(total_of(reports)) == {"lag": 1}
    timings = response.timings
    assert dataclasses.asdict(timings) | {"due": 0.0, "lag": 0.0, "_durations": ()} == {
        "due": 0.0,
        "lookup": None,
        "connect": None,
        "tls": None,
        "ready": None,
        "sent": None,
        "first_byte": None,
        "last_byte": None,
        "lag": 0.0,
        "arrival": None,
        "_durations": (),
    }


@FLAVOURS
@WAYS
def test_a_time_out_ends_when_it_was_due(
    reports: Reports, scripted: OpenScripted, flavour: str, way: Callable[..., Any]
) -> None:
    server = scripted([request(), stall("never")])
    client = client_of(reports, flavour, server.url)
    for _ in range(10):
        reports.environment.stats.reset_all()
        waiting = gevent.spawn(way, client, timeout=0.02)
        server.wait_for("requests")
        burn(0.06)
        timings = waiting.get().timings
        total = total_of(reports)
        assert (total.num_failures, counts(total)) == (1, {"connect": 1, "send": 1, "lag": 1})
        assert (timings.first_byte, timings.last_byte, timings.arrival) == (None, None, None)
        assert total.max_response_time >= timings.sent * 1000 + 20
        if total.max_response_time < 40 and timings.lag > 0.02:
            return
    pytest.fail("the time-out never ended when it was due")


@FLAVOURS
def test_a_response_that_was_cut_short_was_not_received(
    reports: Reports, scripted: OpenScripted, flavour: str
) -> None:
    part = head_bytes(headers=[("Content-Length", "10")]) + b"12345"
    response = client_of(reports, flavour, scripted([request(), send(part)]).url).get("/")
    assert reports.last["exception"] is not None
    assert counts(total_of(reports)) == {"connect": 1, "send": 1, "wait": 1, "lag": 1}
    assert response.timings.first_byte is not None
    assert response.timings.last_byte is None


def test_too_many_redirects_have_the_phases_of_the_last(reports: Reports, echo: Echo) -> None:
    client = client_of(reports, "http", echo.url)
    client.max_redirects = 2
    response = client.get("/redirect/5")
    assert isinstance(response.error, requests.TooManyRedirects)
    assert counts(total_of(reports)) == KEPT


def test_a_killed_user_leaves_no_late_sample(reports: Reports, scripted: OpenScripted) -> None:
    server = scripted([request(), stall("go"), OK, stall("answered")], [request(), OK])
    client = client_of(reports, "http", server.url)
    greenlet = gevent.spawn(client.get, "/")
    server.wait_for("stalled")
    greenlet.kill()
    server.release("go")
    assert client.get("/", name="after").content == b"ok"
    assert list(reports.environment.stats.entries) == [("after", "GET")]
    assert counts(total_of(reports)) == NEW


# --- the object itself ---


@FLAVOURS
def test_the_moments_are_in_order_and_add_up(reports: Reports, scripted: OpenScripted, flavour: str) -> None:
    server: Scripted = scripted([request(), OK])
    client = client_of(reports, flavour, server.url.replace("127.0.0.1", "localhost"))
    before = time.time()
    response = client.get("/")
    after = time.time()
    timings: Timings = response.timings
    assert response.timings is timings
    assert before - 0.001 <= timings.due <= after
    moments = [
        timings.lookup,
        timings.connect,
        timings.ready,
        timings.sent,
        timings.first_byte,
        timings.last_byte,
    ]
    assert None not in moments and moments == sorted(moments, key=float)
    assert timings.tls is None
    assert list(timings.phases) == ["lookup", "connect", "send", "wait", "receive", "lag"]
    assert timings.last_byte is not None and timings.ready is not None and timings.lag is not None
    exchanged = sum(timings.phases[name] for name in ("send", "wait", "receive"))
    assert exchanged == pytest.approx(timings.last_byte - timings.ready, abs=1e-6)
    assert timings.last_byte * 1000 == pytest.approx(reports.last["response_time"], abs=0.001)
    assert before + timings.last_byte + timings.lag <= after + 0.001
    assert response.elapsed.total_seconds() == pytest.approx(timings.first_byte, abs=2e-6)


def test_a_streamed_response_is_measured_up_to_its_head(reports: Reports, scripted: OpenScripted) -> None:
    server = scripted(
        [request(), send(head_bytes(headers=[("Content-Length", "2")])), stall("go"), send(b"ok")]
    )
    client = client_of(reports, "http", server.url)
    response = client.get("/", stream=True)
    assert counts(total_of(reports)) == {"connect": 1, "send": 1, "wait": 1, "lag": 1}
    server.release("go")
    assert response.content == b"ok"
    assert response.timings.last_byte is None
    assert response.timings.first_byte * 1000 == pytest.approx(reports.last["response_time"], abs=0.001)


def test_timings_are_frozen_and_readable(reports: Reports, echo: Echo) -> None:
    timings: Any = client_of(reports, "http", echo.url).get("/").timings
    with pytest.raises(dataclasses.FrozenInstanceError):
        timings.sent = 1.0
    text = repr(timings)
    assert text.startswith("Timings(due=") and text.endswith(f"arrival={timings.arrival!r})")
    assert f"first_byte={timings.first_byte:.6f}" in text
    assert "tls" not in text, "what did not happen is left out"


def test_each_response_of_a_chain_has_its_own(reports: Reports, echo: Echo) -> None:
    response = client_of(reports, "http", echo.url).get("/redirect/1")
    (first,) = response.history
    assert first.timings.connect is not None and response.timings.connect is None
    assert first.timings.due < response.timings.due


@FLAVOURS
def test_what_this_process_does_between_redirects_is_no_response_time(
    reports: Reports, scripted: OpenScripted, flavour: str
) -> None:
    to_next = reply(status=302, headers=[("Location", "/next")])
    server = scripted([repeat(request(), to_next, request(), OK)])
    client = client_of(reports, flavour, server.url)
    for _ in range(10):
        waiting = gevent.spawn(client.get, "/")
        gevent.sleep(0)
        for _ in range(8):
            burn(0.01)
            gevent.sleep(0)
        response = waiting.get()
        steps = [*response.history, response]
        exchanged = sum(step.timings.last_byte for step in steps) * 1000
        assert len(steps) == 2
        assert reports.last["response_time"] == pytest.approx(exchanged, abs=0.002)
        if exchanged < 10 and sum(step.timings.lag for step in steps) > 0.015:
            return
    pytest.fail("the response time was never that of the server")


def test_a_response_of_another_adapter_has_none(reports: Reports, echo: Echo) -> None:
    client = client_of(reports, "http", echo.url)

    class Other(requests.adapters.HTTPAdapter):
        def send(self, *args: Any, **kwargs: Any) -> requests.Response:
            return super().send(*args, **kwargs)

    client.mount("http://", Other())
    response = client.get("/")
    assert response.status_code == 200
    assert response.timings is None
    assert total_of(reports).num_requests == 1
    assert counts(total_of(reports)) == {}
