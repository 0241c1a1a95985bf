"""`python -m benchmarks.turns`: how late other greenlets get their turn beside 64 users that never wait.

In the generator's own process, `gevent.sleep(0.01)`, `gevent.Timeout(0.01)` and a plain `requests.get` repeat
in a greenlet each. Late is what they took longer than due; for `requests.get`, than its median without users.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks import clients
from benchmarks.clients import ClientError, Setup
from benchmarks.measure import quantile
from benchmarks.server import Nginx, ServerError, checked_nginx

AIM_MS = 20.0
ACTIONS = ("gevent.sleep", "gevent.Timeout", "requests.get")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns", description=__doc__)
    clients.add_arguments(parser)
    parser.add_argument("--users", type=int, default=64)
    parser.add_argument("--window", type=float, default=5.0, help="seconds measured")
    parser.add_argument("--check", action="store_true", help="exit with 1 when ours is over the aim")
    return parser.parse_args()


def measure(
    setup: Setup, server: Nginx, which: str, user_class: str, users: int, window_s: float
) -> dict[str, list[float]]:
    """Runs one Locust; returns what each action was late by, in ms, every time it was done."""
    with tempfile.TemporaryDirectory() as directory:
        result = Path(directory) / "result.json"
        setup.environment = {
            "BENCH_RESULT": str(result),
            "BENCH_WINDOW_S": str(window_s),
            "BENCH_URL": server.url,
        }
        start = clients.ours if which == "ours" else clients.stock
        clients.run_to_end(setup, start(setup, "turns.py", user_class, server.url, users), window_s + 40)
        notes = json.loads(result.read_text())
    return {action: notes[action] for action in ACTIONS}


def print_lines(label: str, late: dict[str, list[float]]) -> float:
    """Prints one line for each action; returns the largest p99 in ms."""
    worst = 0.0
    for action, values in late.items():
        if not values:
            raise ClientError(f"{label}: {action} never got a turn")
        p99 = quantile(values, 0.99)
        worst = max(worst, p99)
        print(
            f"{label:<20} {action:<16} {len(values):>7,} {quantile(values, 0.5):>8.2f} {p99:>8.2f}", end=" "
        )
        print(f"{max(values):>8.2f}", flush=True)
    return worst


def main() -> int:
    options = parse_arguments()
    worst = 0.0
    print(f"{options.users} users without wait; late in ms, aim: p99 of at most {AIM_MS:.0f} ms")
    print(f"{'beside':<20} {'action':<16} {'times':>7} {'p50':>8} {'p99':>8} {'most':>8}")
    try:
        setup = clients.setup_from(options)
        with checked_nginx(setup.server_core) as server:
            for which, user_class in (("ours", "BusyHttp"), ("ours", "BusyFast"), ("stock", "BusyFast")):
                if which not in clients.both(setup):
                    continue
                late = measure(setup, server, which, user_class, options.users, options.window)
                most = print_lines(f"{which} {user_class}", late)
                worst = max(worst, most) if which == "ours" else worst
    except (ClientError, ServerError) as error:
        print(f"benchmark failed: {error}", file=sys.stderr)
        return 2
    print("aim met" if worst <= AIM_MS else "aim MISSED")
    return 1 if options.check and worst > AIM_MS else 0


if __name__ == "__main__":
    sys.exit(main())
