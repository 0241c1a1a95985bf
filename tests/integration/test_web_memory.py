"""An hour of an open page, compressed: the server's memory is flat."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from typing import Any

import pytest
from command_process import command, write

from benchmarks.measure import resident_kb

#: A page asks for the state, and for what its visible tab shows, every two seconds.
POLLS_IN_AN_HOUR = 1800
TABS = ("/stats/requests?all=1", "/stats/requests", "/stats/phases", "/exceptions", "/tasks", "/logs")

#: Pages of histograms are touched for the first time, the allocator keeps what it got.
GROWTH_KB = 1500

LOCUSTFILE = """
from locust import User, constant, events, task
import locust.web

locust.web.DEFAULT_CACHE_TIME = 0.02

class Visitor(User):
    wait_time = constant(0.1)

    @task
    def look(self):
        for number in range(20):
            self.environment.events.request.fire(
                request_type="GET", name=f"/{number}", response_time=number, response_length=10,
                exception=ValueError("no") if number == 7 else None, context={})

    @task
    def fail(self):
        raise RuntimeError("counted")
"""


def ask(stream: Any, paths: list[str]) -> None:
    """All of the requests at once, then their answers: one connection, few turns of the scheduler."""
    stream.write(b"".join(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() for path in paths))
    stream.flush()
    for path in paths:
        status = stream.readline()
        assert status.startswith(b"HTTP/1.1 200 "), (path, status)
        length = 0
        while (line := stream.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert len(stream.read(length)) == length > 0


@pytest.mark.slow
def test_an_hour_of_polling_takes_no_memory(tmp_path: Path) -> None:
    write(tmp_path, LOCUSTFILE)
    paths = [path for tab in TABS for path in ("/stats/live?epoch=1&since=0", tab)]
    with command("-P", "0", "--web-host", "127.0.0.1", "--autostart", folder=tmp_path) as subject:
        subject.wait_for("All users spawned")
        resident = []
        with (
            socket.create_connection(("127.0.0.1", subject.port), timeout=60) as connection,
            connection.makefile("rwb") as stream,
        ):
            for _ in range(4):
                for _ in range(POLLS_IN_AN_HOUR // len(TABS) // 4):
                    ask(stream, paths)
                resident.append(resident_kb(subject.process.pid))
        # The first quarter is for what is made once.
        assert resident[-1] - resident[0] < GROWTH_KB, resident
        subject.send(signal.SIGTERM)
        assert subject.wait() in (0, 1)
