"""An hour of an open page, compressed: the server's memory is flat."""

from __future__ import annotations

import http.client
import signal
from pathlib import Path

import pytest
from command_process import command, write

from benchmarks.measure import resident_kb

#: A page asks for the state, and for what its visible tab shows, every two seconds.
POLLS_IN_AN_HOUR = 1800
TABS = ("/stats/requests?all=1", "/stats/requests", "/stats/phases", "/exceptions", "/tasks", "/logs")
PART = POLLS_IN_AN_HOUR // 4

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


@pytest.mark.slow
def test_an_hour_of_polling_takes_no_memory(tmp_path: Path) -> None:
    write(tmp_path, LOCUSTFILE)
    with command("-P", "0", "--web-host", "127.0.0.1", "--autostart", folder=tmp_path) as subject:
        subject.wait_for("All users spawned")
        connection = http.client.HTTPConnection("127.0.0.1", subject.port, timeout=30)

        def get(path: str) -> int:
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == 200, path
            return len(answer.read())

        resident = []
        for number in range(POLLS_IN_AN_HOUR):
            if number % PART == 0:
                resident.append(resident_kb(subject.process.pid))
            assert get("/stats/live?epoch=1&since=0") > 0
            assert get(TABS[number % len(TABS)]) > 0
        resident.append(resident_kb(subject.process.pid))
        connection.close()
        # The first quarter is for what is made once.
        assert resident[-1] - resident[1] < GROWTH_KB, resident
        subject.send(signal.SIGTERM)
        assert subject.wait() in (0, 1)
