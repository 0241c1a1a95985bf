"""`python -m benchmarks.http2`: CPU per request over HTTP/2 beside h2load, on the same nginx.

64 connections with one stream at a time each: with prior knowledge (h2c), and over TLS.
"""

from __future__ import annotations

import argparse
import shutil
import sys

from benchmarks import clients
from benchmarks.__main__ import Pace, print_table, run
from benchmarks.clients import ROOT, ClientError, Command, Setup
from benchmarks.scenarios import WRK_SECONDS, Contender, Scenario
from benchmarks.server import Nginx, ServerError, checked_nginx

AIM = 2.5
USERS = 64


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.http2", description=__doc__)
    clients.add_arguments(parser)
    parser.add_argument("--only", choices=["h2c", "h2"], help="without TLS, or over TLS")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--window", type=float, default=2.0, help="seconds measured in each repetition")
    parser.add_argument("--warm-up", type=float, default=1.0, help="seconds before that")
    parser.add_argument("--quick", action="store_true", help="one short repetition")
    parser.add_argument("--check", action="store_true", help="exit with 1 when ours is over the aim")
    options = parser.parse_args()
    options.no_stock = True
    if options.quick:
        options.repetitions, options.window, options.warm_up = 1, 1.0, 0.5
    return options


def url_of(server: Nginx, tls: bool) -> str:
    return server.http2_tls_url if tls else server.http2_url


def h2load(tls: bool) -> Contender:
    """h2load with one thread and one stream for each connection; the run ends it."""

    def build(setup: Setup, server: Nginx, users: int) -> Command:
        binary = shutil.which("h2load")
        if binary is None:
            raise ClientError("h2load is not installed (Debian: apt install nghttp2-client)")
        arguments = [binary, "-t1", f"-c{users}", "-m1", f"-D{WRK_SECONDS:.0f}", url_of(server, tls) + "/"]
        return Command("h2load", arguments, ROOT, dict(setup.environment))

    return Contender("h2load", build)


def ours(label: str, user_class: str, tls: bool) -> Contender:
    def build(setup: Setup, server: Nginx, users: int) -> Command:
        return clients.ours(setup, "http2.py", user_class, url_of(server, tls), users)

    return Contender(label, build)


def scenario(tls: bool) -> Scenario:
    return Scenario(
        name="h2" if tls else "h2c",
        title=f"{USERS} users, no wait, GET / over HTTP/2 {'and TLS' if tls else 'with prior knowledge'}",
        users=USERS,
        contenders=(
            h2load(tls),
            ours("ours HttpUser", "Http2Http", tls),
            ours("ours FastHttpUser", "Http2Fast", tls),
        ),
        reference="h2load",
        aim=AIM,
    )


def main() -> int:
    options = parse_arguments()
    pace = Pace(options.repetitions, options.warm_up, options.window)
    within = True
    try:
        setup = clients.setup_from(options)
        with checked_nginx(setup.server_core) as server:
            for tls in (False, True):
                if options.only in (None, "h2" if tls else "h2c"):
                    compared = scenario(tls)
                    within = print_table(compared, run(setup, server, compared, pace)) and within
    except (ClientError, ServerError, TimeoutError) as error:
        print(f"benchmark failed: {error}", file=sys.stderr)
        return 2
    return 1 if options.check and not within else 0


if __name__ == "__main__":
    sys.exit(main())
