"""`python -m benchmarks.bodies`: what large bodies cost, and whether their memory goes with the response.

Users without wait fetch 1 MiB from nginx; compared are bytes for each second of the client's CPU. Then one
user keeps bodies, and its resident set is taken before, meanwhile and after they went.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks import clients
from benchmarks.__main__ import Pace, run
from benchmarks.clients import ClientError, Setup
from benchmarks.measure import Spread
from benchmarks.scenarios import Scenario, locust, wrk
from benchmarks.server import LARGE_BYTES, Nginx, ServerError, checked_nginx

SHARE_AIM = 0.8
LEFT_AIM = 0.1  # of what was kept may still be resident afterwards
USERS = 8
KEEP_TIMEOUT_S = 60.0


def scenario(tls: bool) -> Scenario:
    """The comparison with wrk, plain or over TLS."""
    return Scenario(
        name="bodies over TLS" if tls else "bodies",
        title=f"{USERS} users, no wait, GET of {LARGE_BYTES:,} bytes{' over TLS' if tls else ''}",
        users=USERS,
        contenders=(
            wrk("/large", tls=tls),
            locust("ours", "HttpUser", "bodies.py", "Bodies", tls=tls),
            locust("ours", "FastHttpUser", "bodies.py", "Bodies", tls=tls),
            locust("stock", "FastHttpUser", "bodies.py", "Bodies", tls=tls),
        ),
        reference="wrk",
        aim=1 / SHARE_AIM,
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bodies", description=__doc__)
    clients.add_arguments(parser)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--window", type=float, default=2.0, help="seconds measured in each repetition")
    parser.add_argument("--warm-up", type=float, default=1.0, help="seconds before that")
    parser.add_argument("--kept", type=int, default=200, help="bodies that one user keeps")
    parser.add_argument("--tls", action="store_true", help="over TLS")
    parser.add_argument("--quick", action="store_true", help="one short repetition")
    parser.add_argument("--check", action="store_true", help="exit with 1 when ours misses an aim")
    options = parser.parse_args()
    if options.quick:
        options.repetitions, options.window, options.warm_up = 1, 1.0, 0.5
    return options


def print_throughput(setup: Setup, server: Nginx, compared: Scenario, pace: Pace) -> bool:
    """Prints bytes per CPU second of each client; returns False when ours is below the aim."""
    costs = run(setup, server, compared, pace)
    print(f"\n{compared.title}")
    print(f"{'client':<20} {'MiB per CPU s':>14} {'low-high':>15} {'MiB/s':>9}  share of wrk's")
    within = True
    for label, measured in costs.items():
        shares = []
        speeds = Spread.of([cost.requests * LARGE_BYTES / cost.cpu_s / 2**20 for cost in measured])
        rate = Spread.of([cost.requests_per_s * LARGE_BYTES / 2**20 for cost in measured])
        for cost, other in zip(measured, costs[compared.reference], strict=True):
            shares.append(other.cpu_us_per_request / cost.cpu_us_per_request)
        share = Spread.of(shares)
        line = f"{label:<20} {speeds.median:>14,.0f} {f'{speeds.low:,.0f}-{speeds.high:,.0f}':>15}"
        line += f" {rate.median:>9,.0f}  {share.median:.2f} ({share.low:.2f}-{share.high:.2f})"
        if label == "ours HttpUser":
            within = share.median >= SHARE_AIM
            line += f", aim {SHARE_AIM:.2f}: {'met' if within else 'MISSED'}"
        print(line, flush=True)
    return within


def print_memory(setup: Setup, server: Nginx, which: str, user_class: str, kept: int) -> bool:
    """Prints what so many bodies kept resident, and what is left; returns False when that is too much."""
    with tempfile.TemporaryDirectory() as directory:
        result = Path(directory) / "result.json"
        setup.environment = {"BENCH_RESULT": str(result), "BENCH_KEPT": str(kept)}
        start = clients.ours if which == "ours" else clients.stock
        clients.run_to_end(setup, start(setup, "bodies.py", user_class, server.url, 1), KEEP_TIMEOUT_S)
        marks = json.loads(result.read_text())
    grown, left = marks["kept"] - marks["before"], marks["after"] - marks["before"]
    of_body = grown * 1024 / marks["bytes"]
    line = (
        f"{which + ' ' + user_class:<20} {kept} bodies kept: {of_body:.2f} bytes resident for each of theirs"
    )
    print(f"{line}, {left / 1024:.1f} MiB left of {grown / 1024:.1f} after they went", flush=True)
    return bool(left <= LEFT_AIM * grown)


def main() -> int:
    options = parse_arguments()
    try:
        setup = clients.setup_from(options)
        pace = Pace(options.repetitions, options.warm_up, options.window)
        with checked_nginx(setup.server_core) as server:
            within = print_throughput(setup, server, scenario(options.tls), pace)
            print()
            for which, user_class in (
                ("ours", "KeepingHttp"),
                ("ours", "KeepingFast"),
                ("stock", "KeepingFast"),
            ):
                if which in clients.both(setup):
                    freed = print_memory(setup, server, which, user_class, options.kept)
                    within = within and (freed or which != "ours")
    except (ClientError, ServerError, TimeoutError) as error:
        print(f"benchmark failed: {error}", file=sys.stderr)
        return 2
    return 1 if options.check and not within else 0


if __name__ == "__main__":
    sys.exit(main())
