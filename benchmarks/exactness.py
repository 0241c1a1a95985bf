"""`python -m benchmarks.exactness`: a million requests, counted by the server and by us: the counts agree.

Each user makes a fixed number of requests. The server's counter (less its own status requests),
`num_requests` and the sums of the histograms are compared; the exit code is 1 unless all agree exactly.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import clients
from benchmarks.clients import ClientError, Setup
from benchmarks.server import Nginx, ServerError, checked_nginx

TIMEOUT_S = 300.0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exactness", description=__doc__)
    clients.add_arguments(parser)
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--requests", type=int, default=1_000_000, help="in all; a multiple of --users")
    parser.add_argument("--user-class", choices=["ExactHttp", "ExactFast"], default="ExactHttp")
    parser.add_argument("--which", choices=["ours", "stock"], default="ours")
    options = parser.parse_args()
    if options.requests % options.users:
        parser.error(f"--requests: {options.requests} is not a multiple of --users {options.users}")
    options.no_stock = options.which == "ours"
    return options


def run(setup: Setup, server: Nginx, options: argparse.Namespace) -> dict[str, int]:
    """Makes the run; returns every count by its name."""
    with tempfile.TemporaryDirectory() as directory:
        result = Path(directory) / "result.json"
        setup.environment = {
            **clients.bench_environment(server),
            "BENCH_RESULT": str(result),
            "BENCH_USERS": str(options.users),
            "BENCH_REQUESTS_PER_USER": str(options.requests // options.users),
        }
        start = clients.ours if options.which == "ours" else clients.stock
        before = server.status().requests
        clients.run_to_end(
            setup, start(setup, "exact.py", options.user_class, server.url, options.users), TIMEOUT_S
        )
        # The second reading of the counter is the one request in between that is ours.
        counted = server.status().requests - before - 1
        counts: dict[str, int] = json.loads(result.read_text())
    return {"asked for": options.requests, "server": counted, **counts}


def main() -> int:
    options = parse_arguments()
    try:
        setup = clients.setup_from(options)
        with checked_nginx(setup.server_core) as server:
            started = time.monotonic()
            counts = run(setup, server, options)
            seconds = time.monotonic() - started
    except (ClientError, ServerError) as error:
        print(f"benchmark failed: {error}", file=sys.stderr)
        return 2
    failures = counts.pop("num_failures")
    for name, count in counts.items():
        print(f"{name:<16} {count:>12,}")
    print(f"{'num_failures':<16} {failures:>12,}")
    equal = len(set(counts.values())) == 1 and failures == 0
    print(f"{'equal' if equal else 'NOT EQUAL'}, {seconds:.1f} s")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
