"""Programs that people have for Locust's HTTP API, unchanged: pipelines, exporters, operators, probes."""

from __future__ import annotations

import csv
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from command_process import REQUESTS, Command, command, write

from benchmarks.server import Nginx

LOCAL = ("-P", "0", "--web-host", "127.0.0.1")

PIPELINE = """
set -eu
curl -sSf -o ready.html "$LOCUST/"
curl -sSf -X POST -F user_count=3 -F spawn_rate=10 -F "host=$HOST" "$LOCUST/swarm" > swarm.json
python3 -c 'import json; assert json.load(open("swarm.json"))["success"]'
for i in $(seq 400); do
    state=$(curl -sSf "$LOCUST/stats/requests" |
        python3 -c 'import json, sys; d = json.load(sys.stdin)
print(d["state"], d["stats"][-1]["num_requests"])')
    case "$state" in "running 0") ;; running*) break ;; esac
    sleep 0.05
done
echo "$state"
curl -sSf "$LOCUST/stats/requests" > stats.json
curl -sSf -X POST "$LOCUST/stop" > stop.json
curl -sSf "$LOCUST/stats/requests/csv" > requests.csv
curl -sSf -OJ "$LOCUST/stats/failures/csv"
curl -sSf "$LOCUST/stats/report?download=1&theme=dark" > report.html
curl -sSf "$LOCUST/exceptions" > exceptions.json
curl -sSf -X POST "$LOCUST/stats/reset"
"""


def call(subject: Command, method: str, path: str, **arguments: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, f"http://127.0.0.1:{subject.port}{path}", timeout=20, **arguments)


def get(subject: Command, path: str, **arguments: Any) -> requests.Response:
    return call(subject, "GET", path, **arguments)


@pytest.mark.parametrize("base", ["", "/load"])
def test_a_pipeline_of_curl(tmp_path: Path, nginx: Nginx, base: str) -> None:
    write(tmp_path, REQUESTS)
    options = ("--web-base-path", base) if base else ()
    with command(*LOCAL, *options, folder=tmp_path) as subject:
        script = subprocess.run(
            ["bash", "-c", PIPELINE],
            cwd=tmp_path,
            env={
                "PATH": "/usr/bin:/bin",
                "LOCUST": f"http://127.0.0.1:{subject.port}{base}",
                "HOST": nginx.url,
                "no_proxy": "*",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )
        assert script.returncode == 0, script.stderr
        first, last = script.stdout.split("\n", 1)
        assert (first.split()[0], last) == ("running", "ok")
        assert "<html" in (tmp_path / "ready.html").read_text()
        rows = list(csv.DictReader((tmp_path / "requests.csv").read_text().splitlines()))
        assert [(row["Type"], row["Name"]) for row in rows] == [("GET", "/"), ("", "Aggregated")]
        assert int(rows[-1]["Request Count"]) > 0
        assert len(list(tmp_path.glob("Locust_*_failures.csv"))) == 1
        assert "</html>" in (tmp_path / "report.html").read_text()
        _check_programs(subject, base)
        subject.send(signal.SIGTERM)
        assert subject.wait() == 0


def _check_programs(subject: Command, base: str) -> None:
    """The test is over and its statistics are reset."""
    assert get(subject, f"{base}/").status_code == 200
    assert get(subject, f"{base}/healthz").json() == {"status": "ok", "state": "stopped"}
    figures = get(subject, f"{base}/stats/requests", headers={"User-Agent": "Go-http-client/1.1"}).json()
    assert (figures["user_count"], figures["state"], figures["fail_ratio"]) == (0, "stopped", 0)
    assert get(subject, f"{base}/stats/requests_full_history/csv").status_code == 404
    large = (b"x" * 65_536 for _ in range(48))
    assert call(subject, "POST", f"{base}/swarm", data=large).status_code == 413
    form = iter([b"user_count=1&", b"spawn_rate=10"])
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert call(subject, "POST", f"{base}/swarm", data=form, headers=headers).json()["success"]
    assert call(subject, "POST", f"{base}/stop").json()["success"]


FAILING = """
from locust import User, constant, task

class Visitor(User):
    wait_time = constant(0.01)

    @task
    def look(self):
        for name, error in (("/good", None), ("/bad", ValueError("no"))):
            self.environment.events.request.fire(request_type="GET", name=name, response_time=12.5,
                                                 response_length=10, exception=error, context={})
"""


def exporter_reads(figures: dict[str, Any]) -> dict[str, float]:
    """What locust_exporter takes from an answer: all has to be there, and a number where it wants one."""
    numbers = {
        "users": figures["user_count"],
        "p50": figures["current_response_time_percentile_50"],
        "p95": figures["current_response_time_percentile_95"],
        "fail_ratio": figures["fail_ratio"],
        "total_rps": figures["total_rps"],
    }
    for row in figures["stats"]:
        key = f"{row['method']} {row['name']}"
        for field in (
            "num_requests",
            "num_failures",
            "avg_response_time",
            "min_response_time",
            "max_response_time",
            "median_response_time",
            "current_rps",
            "current_fail_per_sec",
            "avg_content_length",
        ):
            numbers[f"{key} {field}"] = row[field]
    for error in figures["errors"]:
        numbers[f"error {error['method']} {error['name']} {error['error']}"] = error["occurrences"]
    for worker in figures.get("workers", []):
        numbers[f"worker {worker['id']} {worker['state']}"] = worker["user_count"]
    wrong = {name: value for name, value in numbers.items() if type(value) not in (int, float)}
    assert not wrong
    return numbers


def test_exporters_and_operators_read_the_statistics(tmp_path: Path) -> None:
    write(tmp_path, FAILING)
    with command(*LOCAL, "--autostart", "-u", "2", folder=tmp_path) as subject:
        end = time.monotonic() + 30
        numbers = exporter_reads(get(subject, "/stats/requests").json())
        # Current figures look back ten seconds at most, and leave out the last two.
        while not (numbers["p95"] and numbers["GET /good current_rps"]):
            assert time.monotonic() < end, numbers
            time.sleep(0.05)
            numbers = exporter_reads(get(subject, "/stats/requests").json())
        assert (numbers["users"], numbers["p50"], numbers["p95"]) == (2, 12, 12)
        assert (numbers["fail_ratio"], numbers["GET /bad num_failures"] > 0) == (0.5, True)
        assert numbers["error GET /bad ValueError('no')"] > 0
        # Operator and KEDA: the state, and how many users there are, at the top of the document.
        figures = get(subject, "/stats/requests").json()
        assert (figures["state"], figures["user_count"]) == ("running", 2)
        assert figures.get("worker_count") or len(figures.get("workers") or []) == 0
        subject.send(signal.SIGTERM)
        assert subject.wait() == 1
