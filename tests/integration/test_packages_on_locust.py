"""Packages that build on Locust, installed beside stock Locust as pip does it, work with locust-c.

What needs nothing of theirs is in test_third_party.py; these import locust themselves.
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import command_process
import pytest
from servers.control import Echo

ROOT = Path(__file__).parents[2]
ADOPTED = ROOT / "locust_c" / "adopted"
STOCK = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"].rpartition(".")[0]

#: The two packages, and what they need that is not in the environment of the tests.
PACKAGES = [f"locust=={STOCK}", "locust-plugins==5.0.3", "locust-grasshopper==1.4.14"]
NEEDED = """
    locust-influxdb-listener tag-matcher influxdb pyyaml termcolor<2 python-dateutil pytz six
    typing-extensions
"""

#: pip needs what the tests take away (a proxy, a trust store): this is read before they do.
ENVIRONMENT = dict(os.environ)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with the packages, without what they depend on: that is in the environment of the tests."""
    folder = str(tmp_path_factory.mktemp("packages"))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run(
        [*command, "--target", folder, *PACKAGES, *NEEDED.split()], env=ENVIRONMENT, check=True, timeout=240
    )
    return folder


PLUGINS = """
import io
import locust
import locust_c
from locust import HttpUser, events, task
from locust_plugins import constant_total_ips
from locust_plugins.csvreader import CSVDictReader
from locust_plugins.distributor import Distributor
from locust_plugins.listeners import RescheduleTaskOnFail, RunOnFail
from locust_plugins.listeners.jmeter import JmeterListener
from locust_plugins.transaction_manager import TransactionManager

print("ours", locust is locust_c)
rows = CSVDictReader(io.StringIO("name\\nann\\nbob\\n"))
made = {}

@events.init.add_listener
def prepare(environment, **kwargs):
    made["names"] = Distributor(environment, rows)
    RunOnFail(environment, lambda exception, name, **kw: print("failed", name))
    JmeterListener(environment, testplan="plan", results_filename="jmeter.csv", flush_size=1)
    RescheduleTaskOnFail(environment)

class Visitor(HttpUser):
    wait_time = constant_total_ips(1000)

    def on_start(self):
        self.transactions = TransactionManager()

    @task(3)
    def visit(self):
        self.transactions.start_transaction("visit")
        self.client.get("/anything/" + next(made["names"])["name"])
        self.transactions.end_transaction("visit")

    @task
    def fail(self):
        self.client.get("/status/500")
        print("never reached")

@events.quit.add_listener
def report(**kwargs):
    print("transactions", {row[2] for row in TransactionManager.transactions})
"""


def test_locust_plugins(installed: str, tmp_path: Path, echo: Echo) -> None:
    command_process.write(tmp_path, PLUGINS)
    checks = ["--check-rps", "1000000", "--check-fail-ratio", "1", "--test-env", "here"]
    options = ["--headless", "-u", "3", "-r", "100", "-t", "60", "--iterations", "60", "-H", echo.url]
    env = {"PYTHONPATH": installed}
    code, out, err = command_process.run(*options, *checks, "--only-summary", folder=tmp_path, env=env)
    assert code == 3, err
    assert "CHECK FAILED: total rps was" in err
    assert "ours True" in out and "never reached" not in out
    assert "transactions {'visit'}" in out
    with (tmp_path / "jmeter.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["label"] for row in rows} == {"/anything/ann", "/anything/bob", "/status/500"}
    assert {row["success"] for row in rows if row["label"] == "/status/500"} == {"false"}
    assert out.count("failed /status/500") == sum(row["success"] == "false" for row in rows)
    assert len(rows) == 60


GRASSHOPPER = """
import locust
import locust_c
from grasshopper.lib.grasshopper import Grasshopper
from grasshopper.lib.journeys.base_journey import BaseJourney
from locust import constant, task

class Trip(BaseJourney):
    wait_time = constant(0.01)

    @task
    def go(self):
        self.client.get("/anything/trip")
        if self.environment.stats.total.num_requests >= 10:
            self.environment.runner.quit()

def test_trip(complete_configuration):
    assert locust is locust_c
    Trip.host = "ECHO"
    environment = Grasshopper.launch_test(Trip, **complete_configuration)
    assert type(environment) is locust_c.env.Environment
    assert environment.stats.total.num_requests >= 10
    assert environment.stats.total.num_failures == 0
"""


def test_grasshopper_in_an_environment_that_is_adopted(installed: str, tmp_path: Path, echo: Echo) -> None:
    (tmp_path / "test_trip.py").write_text(GRASSHOPPER.replace("ECHO", echo.url))
    plugins = ["-p", "no:requests_mock", "-p", "no:cacheprovider"]
    options = ["--users=2", "--spawn_rate=50", "--runtime=60"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ADOPTED}{os.pathsep}{installed}", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^1 passed", done.stdout, re.MULTILINE)
