"""A process that is stopped from outside: response times stay the server's, and no pause is a time-out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import pytest
from servers.control import Echo, OpenScripted, Scripted
from servers.steps import Step, reply, request, stall, start_tls

CLIENT = Path(__file__).with_name("paused_client.py")
PATIENCE_S = 20.0
ANSWER: list[Step] = [request(), stall("answer"), reply(b"ok"), stall("answered")]


def wait_until(condition: Callable[[], object]) -> None:
    with gevent.Timeout(PATIENCE_S):
        while not condition():
            gevent.sleep(0.002)


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def while_stopped(
    echo: Echo, server: Scripted, url: str, pause_s: float, timeout_s: float, answered: int | None = 2
) -> tuple[dict[str, Any], float, float]:
    """Stops a client when the server stalls, lets the server go on, and wakes the client after the pause.

    Returns what the client saw, when the server had answered (`answered`: the number of its stall after the
    answer), and when the client was woken, in epoch seconds.
    """
    arguments = [echo.url, url, str(timeout_s), str(timeout_s)]
    with subprocess.Popen([sys.executable, CLIENT, *arguments], stdout=subprocess.PIPE) as client:
        try:
            server.wait_for("stalled", seconds=PATIENCE_S)
            os.kill(client.pid, signal.SIGSTOP)
            wait_until(lambda: is_stopped(client.pid))
            stopped_at = time.time()
            server.release("answer")
            if answered is not None:
                server.wait_for("stalled", count=answered)
            answered_at = time.time()
            wait_until(lambda: time.time() >= stopped_at + pause_s)
            woken_at = time.time()
            os.kill(client.pid, signal.SIGCONT)
            output, _ = client.communicate(timeout=PATIENCE_S)
        finally:
            client.kill()
    return json.loads(output), answered_at, woken_at


@pytest.mark.parametrize("tls", [None, "good"], ids=["plain", "tls"])
def test_a_pause_is_lag_and_no_response_time(echo: Echo, scripted: OpenScripted, tls: str | None) -> None:
    server = scripted(ANSWER, tls=tls)
    pause_s = 0.2
    seen, answered_at, woken_at = while_stopped(echo, server, server.url, pause_s, timeout_s=10)
    assert seen["status"] == 200, seen
    assert seen["due"] + seen["response_time_s"] <= answered_at + pause_s / 2
    # Two digits.
    assert seen["lag_s"] >= (woken_at - answered_at) * 0.99


def test_a_response_that_came_in_a_pause_longer_than_the_time_out_counts(
    echo: Echo, scripted: OpenScripted
) -> None:
    server = scripted(ANSWER)
    seen, _, _ = while_stopped(echo, server, server.url, pause_s=0.45, timeout_s=0.4)
    assert seen["status"] == 200, seen


def test_a_pause_in_the_handshake_costs_no_connection(echo: Echo, scripted: OpenScripted) -> None:
    # TLS 1.2: when the client is woken, the server has yet to hear from it and to answer.
    server = scripted([stall("answer"), start_tls(), request(), reply(b"ok")], max_version="1.2")
    url = server.url.replace("http:", "https:")
    seen, _, _ = while_stopped(echo, server, url, pause_s=0.45, timeout_s=0.4, answered=None)
    assert seen["status"] == 200, seen
