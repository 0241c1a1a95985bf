"""The engine on each of gevent's loops, which is chosen before gevent is imported, so in processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_process import run, write

from benchmarks.server import Nginx

TESTS = Path(__file__).resolve().parent.parent
LOOPS = ["libev-cext", "libuv"]

LOCUSTFILE = """
import gevent, requests
from locust import HttpUser, constant, events, task

class Visitor(HttpUser):
    wait_time = constant(0.001)

    @task
    def look(self):
        for _ in range(10):
            self.client.get("/")
        requests.get(self.host)
        gevent.sleep(0.001)
        if self.environment.stats.total.num_requests >= 60:
            gevent.spawn(self.environment.runner.quit)

@events.quitting.add_listener
def on_quitting(environment, **kw):
    print(type(gevent.get_hub().loop).__module__, environment.stats.total.num_failures)
"""


KEEP_ALIVE = """
import locust_c, gevent
from locust_c import hub

sleeper = gevent.spawn(hub.sleep, 3600)
gevent.sleep(0)
print(gevent.wait(timeout=0.01))
sleeper.kill()
print(gevent.wait(timeout=10))
sleepers = [gevent.spawn(hub.sleep, seconds) for seconds in (0, 0.0001, 0.002, 0.01)]
print(gevent.wait(timeout=10), [sleeper.ready() for sleeper in sleepers])
"""

FORK = """
import locust_c, gevent, os
from locust_c import hub

gevent.spawn(hub.sleep, 3600)
hub.sleep(0.001)
child = os.fork()
if child == 0:
    hub.sleep(0.001)
    gevent.sleep(0.001)
    print("child", hub.get_engine().counts()["operations"])
else:
    hub.sleep(0.001)
    _, status = os.waitpid(child, 0)
    print("parent", status, hub.get_engine().counts()["operations"])
"""


def python(loop: str, *arguments: str) -> tuple[int, str, str]:
    """Runs Python on one of gevent's loops, warnings as errors: exit code, stdout, stderr."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        # So gevent says which of its watchers nobody closed: libuv would go on using them.
        env={**os.environ, "GEVENT_LOOP": loop, "GEVENT_DEBUG": "debug"},
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("loop", LOOPS)
def test_a_locustfile_runs(loop: str, tmp_path: Path, nginx: Nginx) -> None:
    write(tmp_path, LOCUSTFILE)
    arguments = ("--headless", "--only-summary", "-u", "3", "-r", "9", "-H", nginx.url)
    environment = {"GEVENT_LOOP": loop, "PYTHONWARNINGS": "error::UserWarning"}
    code, out, err = run(*arguments, folder=tmp_path, env=environment)
    module, failures = out.split()
    assert (code, failures) == (0, "0"), err
    assert loop.partition("-")[0] in module


@pytest.mark.parametrize("loop", LOOPS)
def test_the_hub_lives_as_long_as_somebody_waits(loop: str) -> None:
    answers = "False\nTrue\nTrue [True, True, True, True]\n"
    assert python(loop, "-c", KEEP_ALIVE) == (0, answers, "")


@pytest.mark.parametrize("loop", LOOPS)
def test_parent_and_child_have_an_engine_each_after_a_fork(loop: str) -> None:
    code, out, err = python(loop, "-c", FORK)
    assert (code, sorted(out.splitlines()), err) == (0, ["child 0", "parent 0 1"], "")


def test_the_engine_parks_and_wakes_on_libuv_as_on_libev() -> None:
    tests = [str(TESTS / "unit" / name) for name in ("test_engine.py", "test_engine_timer.py")]
    code, out, err = python("libuv", "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert code == 0, out + err
