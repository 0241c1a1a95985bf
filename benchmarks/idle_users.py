"""`python -m benchmarks.idle_users`: what users cost that mostly wait, in memory, CPU and time to spawn.

10,000 users with `wait_time = constant(5)` make 2,000 requests a second. Memory is the growth of the resident
set from just before the first user is spawned to when all have settled; CPU is taken over rounds of 5 s.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import clients
from benchmarks.clients import ClientError, Setup
from benchmarks.measure import Cost, measure_window, resident_kb, wait_until
from benchmarks.server import Nginx, ServerError, checked_nginx

ROUND_S = 5.0
CORE_PERCENT_AIM = 15.0
SPAWN_AIM_S = 3.0
START_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Crowd:
    """One kind of users to measure; `aim_kb` is the growth of memory per user that ours is to stay within."""

    label: str
    which: str
    user_class: str
    aim_kb: float | None = None


CROWDS = (
    Crowd("ours HttpUser", "ours", "IdleHttp", 12.0),
    Crowd("ours HttpUser, headers and cookies", "ours", "IdleOwnHttp", 15.0),
    Crowd("ours FastHttpUser", "ours", "IdleFast"),
    Crowd("stock FastHttpUser", "stock", "IdleFast"),
)


@dataclass(frozen=True)
class Outcome:
    """What a crowd cost. Times are from the start of the test to all users spawned, and to all connected."""

    kb_per_user: float
    spawned_s: float
    connected_s: float
    cost: Cost


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.idle_users", description=__doc__)
    clients.add_arguments(parser)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=2, help="rounds of 5 s that CPU is measured over")
    parser.add_argument("--only", choices=[crowd.user_class for crowd in CROWDS], help="this class only")
    parser.add_argument("--check", action="store_true", help="exit with 1 when ours is over an aim")
    return parser.parse_args()


def read_marks(path: Path) -> dict[str, dict[str, float]]:
    """The marks that the locustfile wrote so far, by name."""
    if not path.exists():
        return {}
    marks = [json.loads(line) for line in path.read_text().splitlines()]
    return {mark["name"]: mark for mark in marks}


def measure(setup: Setup, server: Nginx, crowd: Crowd, users: int, rounds: int) -> Outcome:
    """Starts one crowd, lets it settle for a round, and measures `rounds` more."""
    with tempfile.TemporaryDirectory() as directory:
        marks = Path(directory) / "marks"
        setup.environment = {**clients.bench_environment(server), "BENCH_MARKS": str(marks)}
        start = clients.ours if crowd.which == "ours" else clients.stock
        command = start(setup, "idle.py", crowd.user_class, server.url, users)
        with clients.running(setup, command) as process:

            def all_there() -> bool:
                if process.poll() is not None:
                    raise ClientError(f"ended with code {process.returncode} before its users were there")
                return "spawned" in read_marks(marks) and server.status().connections > users

            wait_until(all_there, START_TIMEOUT_S, f"spawning and connecting {users} users")
            connected_at = time.monotonic()
            time.sleep(ROUND_S)
            cost = measure_window(server, process.pid, rounds * ROUND_S)
            grown_kb = resident_kb(process.pid) - read_marks(marks)["started"]["resident_kb"]
        seen = read_marks(marks)
        started_at = seen["started"]["at_s"]
        return Outcome(
            grown_kb / users, seen["spawned"]["at_s"] - started_at, connected_at - started_at, cost
        )


def print_outcome(crowd: Crowd, outcome: Outcome, users: int) -> bool:
    """Prints one line; returns False when ours is over an aim."""
    cost = outcome.cost
    # A window may catch a burst more or less than its share: the aim is for the rate that the users make.
    due_percent = cost.cpu_us_per_request * users / ROUND_S / 1e6 * 100
    line = f"{crowd.label:<36} {outcome.kb_per_user:>8.1f} {cost.core_percent:>7.1f} {due_percent:>9.1f}"
    line += f" {cost.requests_per_s:>10,.0f} {outcome.spawned_s:>9.2f} {outcome.connected_s:>11.2f}"
    over = []
    if crowd.aim_kb is not None:
        over += [f"over {crowd.aim_kb:.0f} KB"] if outcome.kb_per_user > crowd.aim_kb else []
        over += [f"over {CORE_PERCENT_AIM:.0f} %"] if due_percent > CORE_PERCENT_AIM else []
        over += [f"over {SPAWN_AIM_S:.0f} s"] if outcome.spawned_s > SPAWN_AIM_S else []
        line += "  " + (", ".join(over) or "all aims met")
    print(line, flush=True)
    return not over


def main() -> int:
    options = parse_arguments()
    within = True
    try:
        setup = clients.setup_from(options)
        print(f"{options.users:,} users, wait_time = constant(5), -r {options.users}")
        titles = f"{'client':<36} {'KB/user':>8} {'% core':>7} {'% at rate':>9} {'requests/s':>10}"
        print(titles, f"{'spawned s':>9} {'connected s':>11}")
        for crowd in CROWDS:
            if crowd.which not in clients.both(setup) or options.only not in (None, crowd.user_class):
                continue
            with checked_nginx(setup.server_core) as server:
                outcome = measure(setup, server, crowd, options.users, options.rounds)
            within = print_outcome(crowd, outcome, options.users) and within
    except (ClientError, ServerError) as error:
        print(f"benchmark failed: {error}", file=sys.stderr)
        return 2
    return 1 if options.check and not within else 0


if __name__ == "__main__":
    sys.exit(main())
