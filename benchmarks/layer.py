"""`python -m benchmarks.layer`: what the Python layer costs where no request is made.

CPU of a custom client's `events.request.fire(...)` without listeners, recorded in the statistics; of
dispatching 100,000 users of 50 classes; and of the command up to the first request of a small locustfile,
beside `python -c "import gevent, requests"`.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from collections.abc import Callable

from benchmarks import clients
from benchmarks.clients import LOCUSTFILES, ROOT, ClientError, Command, Setup
from benchmarks.measure import Spread, cpu_seconds

AIMS = {"fire_us": 2.0, "fire_everything_us": 2.0, "fire_failed_us": 2.0, "dispatch_s": 2.0}
START_UP_AIM = (1.2, 0.150)  # times what the imports take, and seconds more
PATIENCE_S = 60.0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layer", description=__doc__)
    clients.add_arguments(parser)
    parser.add_argument("--repetitions", type=int, default=7, help="of each start; one more comes before")
    parser.add_argument("--check", action="store_true", help="exit code 1 when an aim is missed")
    return parser.parse_args()


def costs_inside(setup: Setup, which: str) -> dict[str, float]:
    """What one Locust's events and dispatching cost, by the names of AIMS."""
    python = setup.ours if which == "ours" else setup.stock
    program = Command(which, [str(python), str(LOCUSTFILES / "layer.py")], LOCUSTFILES, {})
    costs: dict[str, float] = json.loads(clients.run_to_end(setup, program, PATIENCE_S).splitlines()[-1])
    return costs


def import_s(setup: Setup) -> float:
    """CPU seconds of a Python that imports gevent and requests, and ends."""
    before = os.times()
    program = Command("imports", [setup.ours, "-c", "import gevent, requests"], ROOT, {})
    clients.run_to_end(setup, program, PATIENCE_S)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def first_request_s(setup: Setup, start: Callable[..., Command]) -> float:
    """CPU seconds of a Locust up to the moment in which its first request has arrived."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)
        host = f"http://127.0.0.1:{server.getsockname()[1]}"
        with clients.finishing(setup, start(setup, "first.py", "Visitor", host, 1), PATIENCE_S) as process:
            connection, _ = server.accept()
            with connection:
                connection.recv(1)
                seconds = cpu_seconds(process.pid)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    return seconds


def starts(setup: Setup, repetitions: int) -> dict[str, Spread]:
    """CPU seconds of each start, in turns."""
    kinds: dict[str, Callable[[], float]] = {
        "imports": lambda: import_s(setup),
        "ours": lambda: first_request_s(setup, clients.ours),
    }
    if setup.stock:
        kinds["stock"] = lambda: first_request_s(setup, clients.stock)
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    for repetition in range(repetitions + 1):
        for name, start in kinds.items():
            taken = start()
            # The first one compiles modules and reads them from the disk.
            seconds[name] += [taken] if repetition else []
    return {name: Spread.of(values) for name, values in seconds.items()}


def main() -> int:
    options = parse_arguments()
    try:
        setup = clients.setup_from(options)
        inside = {which: costs_inside(setup, which) for which in clients.both(setup)}
        spreads = starts(setup, options.repetitions)
    except (ClientError, OSError) as error:
        print(f"benchmark failed: {error}", file=sys.stderr)
        return 2
    print(f"{'':<20} {'aim':>8}" + "".join(f" {which:>18}" for which in inside))
    for name, aim in AIMS.items():
        print(f"{name:<20} {aim:>8.2f}" + "".join(f" {costs[name]:>18.2f}" for costs in inside.values()))
    factor, more_s = START_UP_AIM
    limit_s = spreads["imports"].median * factor + more_s
    for name, spread in spreads.items():
        aim_ms = f"{limit_s * 1e3:.0f}" if name == "ours" else ""
        shown = f"{spread.median * 1e3:.0f} ({spread.low * 1e3:.0f}-{spread.high * 1e3:.0f})"
        print(f"{'start_ms ' + name:<20} {aim_ms:>8} {shown:>18}")
    reached = all(inside["ours"][name] <= aim for name, aim in AIMS.items())
    reached &= spreads["ours"].median <= limit_s
    return 1 if options.check and not reached else 0


if __name__ == "__main__":
    sys.exit(main())
