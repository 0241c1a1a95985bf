"""What the benchmarks measure with: the clock of another process, the server's counter, ratios."""

from __future__ import annotations

import importlib
import json
import os
import resource
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from benchmarks.__main__ import ratio_to
from benchmarks.capture import CaptureError, exchanges
from benchmarks.measure import Cost, cpu_seconds, measure_window, process_tree, quantile, resident_kb
from benchmarks.server import Nginx, answer_document
from benchmarks.soak import growth_of

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
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


def frame(source: int, destination: int, data: bytes) -> bytes:
    """An Ethernet frame with an IPv4 packet with a TCP segment, as far as a reader looks at it."""
    tcp = struct.pack(">HHIIBBHHH", source, destination, 0, 0, 5 << 4, 0, 0, 0, 0) + data
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
    return bytes(12) + b"\x08\x00" + ip + tcp


def capture_of(*packets: tuple[int, bytes]) -> bytes:
    """A pcap file with nanoseconds of (moment in ns, frame)."""
    content = struct.pack("<IHHIIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
    for at_ns, packet in packets:
        content += struct.pack("<IIII", at_ns // 10**9, at_ns % 10**9, len(packet), len(packet)) + packet
    return content


def test_a_capture_says_when_each_request_was_sent_and_when_the_last_of_its_answer_came(
    tmp_path: Path,
) -> None:
    path = tmp_path / "capture.pcap"
    path.write_bytes(
        capture_of(
            (1_000, frame(5001, 80, b"GET /7 HTTP/1.1\r\n")),
            (1_500, frame(5002, 80, b"GET /8 HTTP/1.1\r\n")),
            (2_000, frame(80, 5001, b"")),
            (3_000_000_000, frame(80, 5001, b"HTTP/1.1 200 OK\r\n")),
            (3_000_000_500, frame(80, 5001, b"the rest")),
            (3_000_000_600, frame(5001, 80, b"GET /9 HTTP/1.1\r\n")),
            (3_000_000_700, frame(80, 5001, b"HTTP/1.1 200 OK\r\n")),
        )
        + b"cut short"
    )
    assert exchanges(path, 80) == {7: (1_000, 3_000_000_500), 9: (3_000_000_600, 3_000_000_700)}


def test_what_is_no_capture_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"
    path.write_bytes(bytes(100))
    with pytest.raises(CaptureError, match="no pcap file"):
        exchanges(path, 80)


def test_memory_that_only_settles_is_flat_and_memory_that_climbs_is_not() -> None:
    settles = [(count, 40_000 if count < 50 else 50_000) for count in range(0, 1001, 5)]
    growth = growth_of(settles)
    assert (growth.first_kb, growth.last_kb, growth.most_kb) == (50_000, 50_000, 50_000)
    assert growth.kb_per_million == pytest.approx(0)
    climbs = growth_of([(count, 50_000 + count) for count in range(0, 1001, 5)])
    assert climbs.last_kb - climbs.first_kb == pytest.approx(710, abs=10)
    assert climbs.kb_per_million == pytest.approx(1e6)


def test_a_quantile_is_the_smallest_value_that_enough_are_not_above() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert (quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1)) == (50, 99, 100)


COMMANDS = sorted(path.stem for path in BENCHMARKS.glob("*.py") if "def parse_arguments" in path.read_text())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_benchmark_says_what_it_shows(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        module.parse_arguments()
    assert ended.value.code == 0
    command = "python -m benchmarks" if name == "__main__" else f"python -m benchmarks.{name}"
    assert command in capsys.readouterr().out
    assert f"`{command}`" in (BENCHMARKS / "README.md").read_text()


def test_the_answer_is_json_of_exactly_four_kilobytes() -> None:
    document = answer_document()
    assert len(document) == 4096
    assert json.loads(document)["ok"] is True
