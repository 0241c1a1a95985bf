"""`python -m benchmarks.turns`: how late other greenlets get their turn beside 64 users that never wait.

In the generator's own process a greenlet repeats `gevent.sleep(0.01)`, `gevent.Timeout(0.01)`, `requests.get`
or a call of boto3, gRPC, psycopg2 (with psycogreen) or websocket-client. Late is what they took longer than
due; for the libraries, than their median without users. CPU is what the process worked longer than due: what
is late by more was late for the sake of other processes. On each of gevent's loops, libev and libuv.
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
from benchmarks.peers import Peers, running_peers
from benchmarks.server import Nginx, ServerError, checked_nginx

AIM_MS = 20.0
NGINX_NICENESS = 10  # 64 users keep it busy: the libraries' servers on the same core go first
START_TIMEOUT_S = 60.0
ACTIONS = ("gevent.sleep", "gevent.Timeout", "requests", "boto3", "grpc", "psycopg2", "websocket-client")
LOOPS = ("libev-cext", "libuv")
CROWDS = (("ours", "BusyHttp"), ("ours", "BusyFast"), ("stock", "BusyFast"))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns", description=__doc__)
    clients.add_arguments(parser)
    parser.add_argument("--users", type=int, default=64)
    parser.add_argument("--window", type=float, default=3.0, help="seconds measured of each")
    parser.add_argument("--only", action="append", choices=ACTIONS, metavar="NAME", help=", ".join(ACTIONS))
    parser.add_argument("--loop", choices=LOOPS, help="this loop of gevent's only")
    parser.add_argument("--quick", action="store_true", help="1 s measured of each, HttpUser only")
    parser.add_argument("--check", action="store_true", help="exit with 1 when ours is over the aim")
    options = parser.parse_args()
    if options.quick:
        options.window = 1.0
    return options


def measure(
    setup: Setup, url: str, which: str, user_class: str, loop: str, options: argparse.Namespace
) -> dict[str, list[tuple[float, float]]]:
    """Runs one Locust; returns what each action was late by, every time: in ms, and in ms of its own CPU."""
    with tempfile.TemporaryDirectory() as directory:
        result = Path(directory) / "result.json"
        setup.environment |= {
            "BENCH_RESULT": str(result),
            "BENCH_WINDOW_S": str(options.window),
            "BENCH_URL": url,
            "GEVENT_LOOP": loop,
        }
        start = clients.ours if which == "ours" else clients.stock
        command = start(setup, "turns.py", user_class, url, options.users)
        clients.run_to_end(setup, command, options.window * len(ACTIONS) + START_TIMEOUT_S)
        notes = json.loads(result.read_text())
    if loop.partition("-")[0] not in notes["loop"]:
        raise ClientError(f"{which} ran on {notes['loop']}, not on {loop}")
    late: dict[str, list[tuple[float, float]]] = notes["late_ms"]
    return late


def print_lines(label: str, late: dict[str, list[tuple[float, float]]]) -> float:
    """Prints one line for each action; returns the largest p99 in ms."""
    worst = 0.0
    for action, values in late.items():
        if not values:
            raise ClientError(f"{label}: {action} never got a turn")
        waited, worked = [wall for wall, _ in values], [cpu for _, cpu in values]
        p99 = quantile(waited, 0.99)
        worst = max(worst, p99)
        line = f"{label:<24} {action:<16} {len(values):>7,} {quantile(waited, 0.5):>8.2f} {p99:>8.2f}"
        line += f" {max(waited):>8.2f} {quantile(worked, 0.5):>8.2f} {quantile(worked, 0.99):>8.2f}"
        print(line, flush=True)
    return worst


def run(setup: Setup, server: Nginx, peers: Peers, options: argparse.Namespace) -> float:
    """All measurements; returns the largest p99 of ours in ms."""
    actions = [action for action in options.only or ACTIONS if action != "psycopg2" or peers.postgres]
    if peers.postgres is None:
        print("psycopg2 is left out: PostgreSQL is not installed (Debian: apt install postgresql)")
    setup.environment = {**peers.environment(), "BENCH_ACTIONS": ",".join(actions)}
    worst = 0.0
    for loop in [options.loop] if options.loop else LOOPS:
        for which, user_class in CROWDS[:1] if options.quick else CROWDS:
            # gevent on libuv needs cffi, which stock Locust does not bring along.
            if which not in clients.both(setup) or (which == "stock" and loop == "libuv"):
                continue
            late = measure(setup, server.url, which, user_class, loop, options)
            most = print_lines(f"{which} {user_class} {loop.partition('-')[0]}", late)
            worst = max(worst, most) if which == "ours" else worst
    return worst


def main() -> int:
    options = parse_arguments()
    print(f"{options.users} users without wait; late in ms, aim: p99 of at most {AIM_MS:.0f} ms")
    try:
        setup = clients.setup_from(options)
        core = setup.server_core
        with checked_nginx(core, NGINX_NICENESS) as server, running_peers(setup.ours, core) as peers:
            titles = f"{'beside':<24} {'action':<16} {'times':>7} {'p50':>8} {'p99':>8} {'most':>8}"
            print(titles, f"{'CPU p50':>8} {'p99':>8}")
            worst = run(setup, server, peers, options)
    except (ClientError, ServerError) as error:
        print(f"benchmark failed: {error}", file=sys.stderr)
        return 2
    print("aim met" if worst <= AIM_MS else "aim MISSED")
    return 1 if options.check and worst > AIM_MS else 0


if __name__ == "__main__":
    sys.exit(main())
