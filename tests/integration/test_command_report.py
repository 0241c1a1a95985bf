"""``--html``: the report is there after every kind of end."""

from __future__ import annotations

import signal
from argparse import Namespace
from pathlib import Path

import pytest
from command_process import REQUESTS, command, run, write
from report_page import Report

from benchmarks.server import Nginx
from locust_c.command.outputs import Outputs
from locust_c.env import Environment
from locust_c.event import Events

SHAPE = """
from locust import LoadTestShape

class Short(LoadTestShape):
    def tick(self):
        return (1, 10) if self.get_run_time() < 0.2 else None
"""


def read(path: Path) -> Report:
    return Report(path.read_text(encoding="utf-8"))


def test_the_report_of_a_run_with_a_run_time(tmp_path: Path, nginx: Nginx) -> None:
    write(tmp_path, REQUESTS)
    load = ("--headless", "-u", "2", "-r", "2.5", "-t", "1", "-H", nginx.url)
    code, _, err = run(
        *load, "--html", "new/folder/{u}_{r}_{t}.html", "--profile", "nightly", folder=tmp_path
    )
    assert code == 0, err
    page = read(tmp_path / "new/folder/2_2.5_1.html")
    assert (page.args["host"], page.args["profile"]) == (nginx.url, "nightly")
    total = page.args["requests_statistics"][-1]
    assert total["num_requests"] > 0
    phases = page.rows("Phases and Generator Lag")
    assert phases[0] == ["Type", "Name", "Connect", "Send", "Wait", "Receive", "Lag"]
    assert [row[1] for row in phases[1:]] == [row["name"] for row in page.args["requests_statistics"]]
    assert page.args["tasks"]["total"] != {}


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_report_of_a_run_that_a_signal_ends(tmp_path: Path, nginx: Nginx, end: signal.Signals) -> None:
    write(tmp_path, REQUESTS)
    args = ("--headless", "-H", nginx.url, "--html", "{u}_{t}.html")
    with command(*args, folder=tmp_path) as test:
        test.wait_for("All users spawned")
        test.process.send_signal(end)
        test.wait()
    assert read(tmp_path / "1_{t}.html").args["is_report"] is True


def test_the_report_of_a_shape_that_ends(tmp_path: Path, nginx: Nginx) -> None:
    write(tmp_path, REQUESTS + SHAPE)
    code, _, err = run("--headless", "-H", nginx.url, "--html", "report.html", folder=tmp_path)
    assert code == 0, err
    assert read(tmp_path / "report.html").args["requests_statistics"][-1]["num_requests"] > 0


def test_a_report_that_cannot_be_written_costs_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "file" / "report.html"
    path.parent.write_text("no folder")
    options = Namespace(csv_prefix=None, json=False, json_file=None, html_file=str(path))
    Outputs(Environment(events=Events()), options).finish()
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.getMessage().startswith(f"--html: cannot write to '{path}': ")
    assert record.exc_info is None
