"""`python -m benchmarks.latency`: what each client says of a server that answers after exactly 20 ms.

The server (tick_server.c) spins on its own core and reports how late its own answers were; what a client says
beyond that and the loopback is the client's own queueing. wrk's figure in the same run is the yardstick.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import clients
from benchmarks.clients import ClientError, Setup
from benchmarks.server import ServerError

SOURCE = Path(__file__).resolve().parent / "tick_server.c"
WARM_UP_S = 2.0
UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass
class TickServer:
    """The running server: its URL, and after its end how late it was, in words."""

    url: str
    lateness: str = ""


@dataclass(frozen=True)
class Said:
    """What a client said of the response times, in ms."""

    median_ms: float
    p99_ms: float
    requests: int


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    clients.add_arguments(parser)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--delay-ms", type=float, default=20.0)
    parser.add_argument("--window", type=float, default=5.0, help="seconds measured, after 2 s of warm-up")
    return parser.parse_args()


@contextlib.contextmanager
def tick_server(core: int, delay_ms: float) -> Iterator[TickServer]:
    """Compiles the server, runs it on its core, and ends it; raises ServerError when that is not possible."""
    with tempfile.TemporaryDirectory(prefix="locust-c-tick-") as directory:
        binary = Path(directory) / "tick_server"
        try:
            subprocess.run(["cc", "-O2", "-o", binary, SOURCE], check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise ServerError(f"tick_server.c does not compile: {error}") from error
        command = ["taskset", "-c", str(core), str(binary), str(round(delay_ms * 1000))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            server = TickServer(f"http://127.0.0.1:{int(process.stdout.readline())}")
            try:
                yield server
            finally:
                process.send_signal(signal.SIGTERM)
                count, median, p99, most = (int(word) for word in process.stdout.readline().split())
                server.lateness = (
                    f"{count:,} answers, late by p50 {median} µs, p99 {p99} µs, at most {most} µs"
                )


def ask_wrk(setup: Setup, url: str, users: int, window_s: float) -> Said:
    """Runs wrk and reads its latency table."""
    text = clients.run_to_end(setup, clients.wrk(setup, url, users, window_s, "--latency"), window_s + 20)
    found = {
        name: float(value) * UNITS_MS[unit]
        for name, value, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)", text)
    }
    requests = re.search(r"(\d+) requests in", text)
    if requests is None or not {"50", "99"} <= found.keys():
        raise ClientError(f"wrk printed no latencies:\n{text}")
    return Said(found["50"], found["99"], int(requests[1]))


def ask_locust(setup: Setup, which: str, user_class: str, url: str, users: int, window_s: float) -> Said:
    """Runs one of the Locusts and reads what its statistics say."""
    with tempfile.TemporaryDirectory() as directory:
        result = Path(directory) / "result.json"
        setup.environment = {"BENCH_RESULT": str(result), "BENCH_WINDOW_S": str(window_s)}
        start = clients.ours if which == "ours" else clients.stock
        clients.run_to_end(setup, start(setup, "latency.py", user_class, url, users), window_s + 40)
        said = json.loads(result.read_text())
    if said["failures"]:
        raise ClientError(f"{which} {user_class}: {said['failures']} requests failed")
    return Said(said["0.5"], said["0.99"], said["requests"])


def main() -> int:
    options = parse_arguments()
    print(f"a server that answers after {options.delay_ms} ms, {options.users} users without wait")
    print(f"{'client':<20} {'p50 ms':>8} {'p99 ms':>8} {'requests':>10}   the server itself")
    asked = [("wrk", ""), ("ours", "DelayedHttp"), ("ours", "DelayedFast")]
    asked += [("stock", "DelayedFast"), ("stock", "DelayedHttp")]
    try:
        setup = clients.setup_from(options)
        for which, user_class in asked:
            if which == "stock" and not setup.stock:
                continue
            with tick_server(setup.server_core, options.delay_ms) as server:
                if which == "wrk":
                    said = ask_wrk(setup, server.url, options.users, options.window + WARM_UP_S)
                else:
                    said = ask_locust(setup, which, user_class, server.url, options.users, options.window)
            label = f"{which} {user_class}".strip()
            print(f"{label:<20} {said.median_ms:>8.2f} {said.p99_ms:>8.2f} {said.requests:>10,}", end="   ")
            print(server.lateness, flush=True)
    except (ClientError, ServerError) as error:
        print(f"benchmark failed: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
