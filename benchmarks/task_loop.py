"""`python -m benchmarks.task_loop`: what the loop around a task and spawning a user cost, without requests.

Users of an empty task with `wait_time = constant(0)` loop; CPU nanoseconds per iteration are taken inside the
process. Spawning is measured with 10,000 users that wait for an hour, from the start to all users spawned.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks import clients
from benchmarks.clients import ClientError, Setup


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.task_loop", description=__doc__)
    clients.add_arguments(parser)
    parser.add_argument("--users", type=int, default=64, help="users that loop")
    parser.add_argument("--spawned", type=int, default=10_000, help="users that are spawned")
    parser.add_argument("--window", type=float, default=2.0, help="seconds measured")
    return parser.parse_args()


def counts_of(setup: Setup, which: str, user_class: str, users: int, window_s: float) -> dict[str, int]:
    """Runs one Locust; returns its counts of tasks, users and CPU nanoseconds."""
    with tempfile.TemporaryDirectory() as directory:
        result = Path(directory) / "result.json"
        setup.environment = {"BENCH_RESULT": str(result), "BENCH_WINDOW_S": str(window_s)}
        start = clients.ours if which == "ours" else clients.stock
        command = start(setup, "loop.py", user_class, "http://127.0.0.1", users)
        clients.run_to_end(setup, command, window_s + 60)
        counts: dict[str, int] = json.loads(result.read_text())
    if user_class == "Looping" and counts["tasks"] == 0:
        raise ClientError(f"{which}: no task ran")
    return counts


def main() -> int:
    options = parse_arguments()
    print(f"{'client':<8} {'CPU ns per empty task':>22} {'CPU µs per spawned user':>24}")
    try:
        setup = clients.setup_from(options)
        for which in clients.both(setup):
            looping = counts_of(setup, which, "Looping", options.users, options.window)
            waiting = counts_of(setup, which, "Waiting", options.spawned, 0.1)
            task_ns = looping["cpu_ns"] / looping["tasks"]
            spawn_us = waiting["spawn_cpu_ns"] / options.spawned / 1000
            print(f"{which:<8} {task_ns:>22,.0f} {spawn_us:>24.1f}", flush=True)
    except ClientError as error:
        print(f"benchmark failed: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
