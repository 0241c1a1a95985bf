"""`python -m benchmarks.connections`: what a new connection costs, and what an idle TLS connection keeps.

A new connection for every request is set beside `wrk -H 'Connection: close'`. Memory is the resident set of
users that have asked once and wait, less that of the same users without a connection.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import clients
from benchmarks.__main__ import START_TIMEOUT_S, Pace, print_table, run
from benchmarks.clients import LOCUSTFILES, ROOT, ClientError, Command, Setup
from benchmarks.idle_users import read_marks
from benchmarks.measure import resident_kb, wait_until
from benchmarks.scenarios import Scenario, locust, wrk
from benchmarks.server import Nginx, ServerError, checked_nginx

TLS_AIM_KB = 24.0
SETTLE_S = 1.0
ALONE_S = 2.0
SPAWN_RATE = 200  # all at once, handshakes in flight would be what memory was needed for
CLOSING = Scenario(
    name="close",
    title="64 users, no wait, GET / with Connection: close",
    users=64,
    contenders=(
        wrk("/", "-H", "Connection: close"),
        locust("ours", "HttpUser", "connections.py", "Closing"),
        locust("ours", "FastHttpUser", "connections.py", "Closing"),
        locust("stock", "FastHttpUser", "connections.py", "Closing"),
    ),
    reference="wrk",
    aim=1.6,
    keeps=False,
)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.connections", description=__doc__)
    clients.add_arguments(parser)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--window", type=float, default=2.0, help="seconds measured in each repetition")
    parser.add_argument("--warm-up", type=float, default=1.0, help="seconds before that")
    parser.add_argument("--idle", type=int, default=2000, help="users with an idle connection")
    parser.add_argument("--quick", action="store_true", help="one short repetition, few users")
    parser.add_argument("--check", action="store_true", help="exit with 1 when ours is over an aim")
    options = parser.parse_args()
    if options.quick:
        options.repetitions, options.window, options.warm_up, options.idle = 1, 1.0, 0.5, 500
    return options


def kb_per_user(setup: Setup, server: Nginx, which: str, user_class: str, host: str, users: int) -> float:
    """The growth of the resident set for each user, from before the first to when all wait."""
    with tempfile.TemporaryDirectory() as directory:
        marks = Path(directory) / "marks"
        setup.environment = {**clients.bench_environment(server), "BENCH_MARKS": str(marks)}
        start = clients.ours if which == "ours" else clients.stock
        connections = 0 if user_class == "IdleAlone" else users
        command = start(setup, "idle.py", user_class, host, users, "-r", str(SPAWN_RATE))
        with clients.running(setup, command) as process:

            def all_there() -> bool:
                if process.poll() is not None:
                    raise ClientError(f"ended with code {process.returncode} before its users were there")
                return "spawned" in read_marks(marks) and server.status().connections > connections

            wait_until(all_there, START_TIMEOUT_S, f"spawning and connecting {users} users")
            time.sleep(SETTLE_S)
            return (resident_kb(process.pid) - read_marks(marks)["started"]["resident_kb"]) / users


def print_idle(setup: Setup, users: int) -> bool:
    """Prints what idle connections keep; returns False when ours is over the aim."""
    print(f"\n{users:,} users with one idle connection each, KB per user")
    print(f"{'client':<16} {'no connection':>14} {'plain':>8} {'TLS':>8} {'TLS connection':>15}")
    within = True
    for which in clients.both(setup):
        with checked_nginx(setup.server_core) as server:
            alone = kb_per_user(setup, server, which, "IdleAlone", server.url, users)
            plain = kb_per_user(setup, server, which, "IdleTls", server.url, users)
            over_tls = kb_per_user(setup, server, which, "IdleTls", server.tls_url, users)
        added = over_tls - alone
        line = f"{which + ' HttpUser':<16} {alone:>14.1f} {plain:>8.1f} {over_tls:>8.1f} {added:>15.1f}"
        if which == "ours":
            within = added <= TLS_AIM_KB
            line += f"  aim {TLS_AIM_KB:.0f}: {'met' if within else 'MISSED'}"
        print(line, flush=True)
    return within


def medians_of_locust(setup: Setup, server: Nginx, which: str, user_class: str) -> str:
    """What one user says that connects anew, over TLS, for each request: in words."""
    with tempfile.TemporaryDirectory() as directory:
        result = Path(directory) / "result.json"
        setup.environment = {
            **clients.bench_environment(server),
            "BENCH_RESULT": str(result),
            "BENCH_WINDOW_S": str(ALONE_S),
        }
        start = clients.ours if which == "ours" else clients.stock
        command = start(setup, "connections.py", user_class, server.tls_url, 1)
        clients.run_to_end(setup, command, ALONE_S + START_TIMEOUT_S)
        said = json.loads(result.read_text())
    return ", ".join(f"{name} {value:.2f}" for name, value in said.items() if value is not None)


def medians_of_wrk(setup: Setup, server: Nginx) -> str:
    command = clients.wrk(setup, server.tls_url, 1, ALONE_S, "--latency", "-H", "Connection: close")
    median = re.search(r"50%\s+(\S+)", clients.run_to_end(setup, command, ALONE_S + START_TIMEOUT_S))
    if median is None:
        raise ClientError("wrk printed no latencies")
    return f"latency {median[1]}"


def medians_of_k6(setup: Setup, server: Nginx) -> str:
    environment = {"BENCH_SECONDS": f"{ALONE_S:.0f}", "BENCH_URL": server.tls_url + "/"}
    arguments = ["k6", "run", "--quiet", "--no-color", str(LOCUSTFILES / "connections.js")]
    text = clients.run_to_end(setup, Command("k6", arguments, ROOT, environment), ALONE_S + START_TIMEOUT_S)
    said = json.loads(next(line for line in reversed(text.splitlines()) if line.startswith("{")))
    return ", ".join(f"{name} {value:.2f}" for name, value in said.items())


def print_phases(setup: Setup, server: Nginx) -> None:
    """Prints what each client calls the time of a request that needs a new connection."""
    print("\none user, a new TLS connection for each request: medians in ms, as each client says them")
    print(f"{'wrk':<20} {medians_of_wrk(setup, server)}", flush=True)
    for which in clients.both(setup):
        for user_class in ("ClosingHttp", "ClosingFast"):
            said = medians_of_locust(setup, server, which, user_class)
            print(f"{which + ' ' + user_class:<20} {said}", flush=True)
    if shutil.which("k6"):
        print(f"{'k6':<20} {medians_of_k6(setup, server)}", flush=True)


def main() -> int:
    options = parse_arguments()
    try:
        setup = clients.setup_from(options)
        pace = Pace(options.repetitions, options.warm_up, options.window)
        with checked_nginx(setup.server_core) as server:
            within = print_table(CLOSING, run(setup, server, CLOSING, pace))
            print_phases(setup, server)
        within = print_idle(setup, options.idle) and within
    except (ClientError, ServerError, TimeoutError) as error:
        print(f"benchmark failed: {error}", file=sys.stderr)
        return 2
    return 1 if options.check and not within else 0


if __name__ == "__main__":
    sys.exit(main())
