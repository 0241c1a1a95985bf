"""`python -m benchmarks.soak`: resident memory over a long run: flat after the first 5 % of the requests.

Memory is noted 200 times, evenly over the requests. Two figures say whether it grows: the mean of the last
quarter less that of the first behind those 5 %, and the slope of a line through all notes after them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import clients
from benchmarks.clients import ClientError, Setup
from benchmarks.server import Nginx, ServerError, checked_nginx

SAMPLES = 200
SETTLED = 0.05
GROWTH_AIM_KB = 256  # rare response times touch pages of the histograms for the first time
SLOWEST_PER_S = 2000


@dataclass(frozen=True)
class Growth:
    """How memory went after the first 5 %: first and last quarter, KB for each million requests, the most."""

    first_kb: float
    last_kb: float
    kb_per_million: float
    most_kb: int


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    clients.add_arguments(parser)
    parser.add_argument("--requests", type=int, default=1_000_000, help="in all; the aim is for 10,000,000")
    parser.add_argument("--users", type=int, default=64)
    parser.add_argument("--user-class", choices=["SoakHttp", "SoakFast"], default="SoakHttp")
    parser.add_argument("--quick", action="store_true", help="100,000 requests")
    parser.add_argument("--check", action="store_true", help="exit with 1 when memory grew")
    options = parser.parse_args()
    options.no_stock = True
    if options.quick:
        options.requests = 100_000
    return options


def growth_of(samples: list[tuple[int, int]]) -> Growth:
    """What the notes (requests so far, resident KB) say; raises ClientError when they are too few."""
    settled = [(count, kb) for count, kb in samples if count >= SETTLED * samples[-1][0]]
    if len(settled) < 8:
        raise ClientError(f"only {len(settled)} notes of memory")
    quarter = len(settled) // 4
    resident = [kb for _, kb in settled]
    slope = statistics.linear_regression([count for count, _ in settled], resident).slope
    return Growth(
        statistics.fmean(resident[:quarter]),
        statistics.fmean(resident[-quarter:]),
        slope * 1e6,
        max(resident),
    )


def run(setup: Setup, server: Nginx, options: argparse.Namespace) -> list[tuple[int, int]]:
    """Makes the run; returns its notes of memory."""
    with tempfile.TemporaryDirectory() as directory:
        result = Path(directory) / "result.json"
        setup.environment = {
            "BENCH_RESULT": str(result),
            "BENCH_REQUESTS": str(options.requests),
            "BENCH_SAMPLES": str(SAMPLES),
        }
        command = clients.ours(setup, "soak.py", options.user_class, server.url, options.users)
        clients.run_to_end(setup, command, options.requests / SLOWEST_PER_S + 60)
        said = json.loads(result.read_text())
    if said["failures"]:
        raise ClientError(f"{said['failures']} requests failed")
    return [(count, kb) for count, kb in said["samples"]]


def main() -> int:
    options = parse_arguments()
    try:
        setup = clients.setup_from(options)
        with checked_nginx(setup.server_core) as server:
            started = time.monotonic()
            samples = run(setup, server, options)
            seconds = time.monotonic() - started
        growth = growth_of(samples)
    except (ClientError, ServerError) as error:
        print(f"benchmark failed: {error}", file=sys.stderr)
        return 2
    flat = growth.last_kb - growth.first_kb <= GROWTH_AIM_KB
    print(f"{samples[-1][0]:,} requests of {options.users} users in {seconds:.0f} s; resident KB")
    print(f"{'first notes':>12} {'behind 5 %':>12} {'at the end':>12} {'most':>10} {'per million':>12}")
    line = f"{samples[0][1]:>12,} {growth.first_kb:>12,.0f} {growth.last_kb:>12,.0f} {growth.most_kb:>10,}"
    print(f"{line} {growth.kb_per_million:>12,.1f}")
    print("flat" if flat else "GROWING")
    return 1 if options.check and not flat else 0


if __name__ == "__main__":
    sys.exit(main())
