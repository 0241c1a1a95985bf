"""The two examples of "Extending Locust", as written there; the first one in Python 3."""

from __future__ import annotations

from pathlib import Path

import requests
from command_process import command, run, write

from benchmarks.server import Nginx

EVENTS = """
from locust import events

def my_success_handler(method, path, response_time, response, **kw):
    print("Successfully fetched: %s" % (path))

events.request_success += my_success_handler
"""

WEB = """
from locust import web

@web.app.route("/added_page")
def my_added_page():
    return "Another page"
"""

USER = """
from locust import HttpUser, constant, task

class Visitor(HttpUser):
    wait_time = constant(0.05)

    @task
    def look(self):
        self.client.get("/")
"""


def test_the_listener_hears_of_every_request(tmp_path: Path, nginx: Nginx) -> None:
    write(tmp_path, EVENTS + USER)
    args = ("--headless", "--only-summary", "-t", "1", "-H", nginx.url)
    code, out, err = run(*args, folder=tmp_path)
    assert code == 0, err
    lines = out.splitlines()
    assert lines
    assert set(lines) == {"Successfully fetched: /"}


def test_the_added_page_is_served(tmp_path: Path) -> None:
    write(tmp_path, WEB + USER)
    with command("-P", "0", "--web-host", "127.0.0.1", folder=tmp_path) as subject:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(f"http://127.0.0.1:{subject.port}/added_page", timeout=10)
        assert (answer.status_code, answer.text) == (200, "Another page")
