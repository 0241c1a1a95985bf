"""What the benchmarks measure with: the clock of another process, the server's counter, ratios."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

import pytest
import requests

from benchmarks.__main__ import ratio_to
from benchmarks.measure import Cost, cpu_seconds, measure_window, process_tree, resident_kb
from benchmarks.server import Nginx, answer_document

BURN_AND_WAIT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
while time.process_time() < 0.1:
    pass
print("burnt", flush=True)
sys.stdin.read()
child.stdin.close()
child.wait()
"""


def test_cpu_of_another_process_and_its_children_is_read_in_full() -> None:
    command = [sys.executable, "-c", BURN_AND_WAIT]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == b"burnt\n"
        assert len(process_tree(process.pid)) == 2
        assert resident_kb(process.pid) > 1000
        read = cpu_seconds(process.pid)
        process.stdin.close()
        process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert 0.1 <= read <= used + 0.01


def test_a_process_that_is_gone_is_an_error() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises(ProcessLookupError):
        cpu_seconds(process.pid)


def test_a_window_counts_other_requests_but_not_its_own_readings(nginx: Nginx) -> None:
    assert measure_window(nginx, os.getpid(), 0.0).requests == 0
    before = nginx.status().requests
    requests.get(nginx.url, timeout=5)
    assert nginx.status().requests - before - 1 == 1


def test_ratios_are_taken_within_a_repetition() -> None:
    costs = {
        "wrk": [Cost(1000, 0.010, 1.0), Cost(1000, 0.020, 1.0), Cost(1000, 0.040, 1.0)],
        "ours": [Cost(1000, 0.010, 1.0), Cost(1000, 0.030, 1.0), Cost(1000, 0.080, 1.0)],
    }
    ratio = ratio_to(costs, "ours", "wrk")
    assert ratio is not None
    assert (ratio.median, ratio.low, ratio.high) == pytest.approx((1.5, 1.0, 2.0))
    assert ratio_to(costs, "ours", "stock") is None


def test_the_answer_is_json_of_exactly_four_kilobytes() -> None:
    document = answer_document()
    assert len(document) == 4096
    assert json.loads(document)["ok"] is True
