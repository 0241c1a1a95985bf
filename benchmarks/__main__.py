"""`python -m benchmarks`: wrk, stock Locust and locust-c against one nginx, in one run, as tables.

Each client has one core, the server the other. The figure to look at is CPU microseconds of the client per
finished request: noise moves it least. Clients alternate; medians and the spread are printed.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

from benchmarks import clients
from benchmarks.clients import ClientError, Setup
from benchmarks.measure import Cost, Spread, measure_window, wait_until
from benchmarks.scenarios import SCENARIOS, Contender, Scenario
from benchmarks.server import Nginx, ServerError, checked_nginx

START_TIMEOUT_S = 60.0
MANY = 20  # requests of each user: it has long been running


@dataclass(frozen=True)
class Pace:
    """How often and how long each client is measured."""

    repetitions: int
    warm_up_s: float
    window_s: float


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    clients.add_arguments(parser)
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument(
        "--only", action="append", choices=names, metavar="NAME", help=f"one of {', '.join(names)}"
    )
    parser.add_argument(
        "--quick", action="store_true", help="one short repetition: about a minute, a wide spread"
    )
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--window", type=float, default=2.0, help="seconds measured in each repetition")
    parser.add_argument("--warm-up", type=float, default=1.0, help="seconds before that")
    parser.add_argument("--check", action="store_true", help="exit with 1 when ours is over an aim")
    return parser.parse_args(arguments)


def measure(
    setup: Setup, server: Nginx, contender: Contender, users: int, pace: Pace, keeps: bool = True
) -> Cost:
    """Starts one client, waits until all its connections stand, and measures one window.

    A client that does not keep its connections (`keeps`) is waited for until it makes requests.
    """
    before = server.status().requests
    with clients.running(setup, contender.build(setup, server, users)) as process:

        def all_there() -> bool:
            if process.poll() is not None:
                raise ClientError(f"ended with code {process.returncode} before its users were there")
            status = server.status()
            return status.connections > users if keeps else status.requests - before > MANY * users

        wait_until(all_there, START_TIMEOUT_S, f"{users} connections")
        time.sleep(pace.warm_up_s)
        cost = measure_window(server, process.pid, pace.window_s)
        if cost.requests == 0:
            raise ClientError("no request finished")
        return cost


def run(setup: Setup, server: Nginx, scenario: Scenario, pace: Pace) -> dict[str, list[Cost]]:
    """All repetitions of one scenario, the clients in turn and every other time backwards."""
    contenders = [one for one in scenario.contenders if setup.stock or not one.is_stock]
    costs: dict[str, list[Cost]] = {one.label: [] for one in contenders}
    setup.environment = {**clients.bench_environment(server), **dict(scenario.environment)}
    for repetition in range(pace.repetitions):
        for contender in contenders if repetition % 2 == 0 else reversed(contenders):
            costs[contender.label].append(
                measure(setup, server, contender, scenario.users, pace, scenario.keeps)
            )
            wait_until(
                lambda: server.status().connections == 1, START_TIMEOUT_S, "the end of all connections"
            )
    return costs


def ratio_to(costs: dict[str, list[Cost]], label: str, reference: str) -> Spread | None:
    """CPU per request of `label` over that of `reference`, for each repetition; None without the latter."""
    if reference not in costs:
        return None
    pairs = zip(costs[label], costs[reference], strict=True)
    return Spread.of([one.cpu_us_per_request / other.cpu_us_per_request for one, other in pairs])


def print_table(scenario: Scenario, costs: dict[str, list[Cost]]) -> bool:
    """Prints one scenario's table; returns False when ours is over the aim."""
    print(f"\n{scenario.name}: {scenario.title}")
    print(
        f"{'client':<20} {'CPU µs/request':>16} {'low-high':>15} {'requests/s':>11} {'low-high':>17}  ",
        end="",
    )
    print(f"CPU to {scenario.reference}")
    within = True
    for label, measured in costs.items():
        cpu = Spread.of([cost.cpu_us_per_request for cost in measured])
        rate = Spread.of([cost.requests_per_s for cost in measured])
        line = f"{label:<20} {cpu.median:>16.2f} {f'{cpu.low:.2f}-{cpu.high:.2f}':>15} {rate.median:>11,.0f} "
        line += f"{f'{rate.low:,.0f}-{rate.high:,.0f}':>17}  "
        ratio = ratio_to(costs, label, scenario.reference)
        if ratio is not None:
            line += f"{ratio.median:.2f} ({ratio.low:.2f}-{ratio.high:.2f})"
            if label == "ours HttpUser":
                met = ratio.median <= scenario.aim
                within = within and met
                line += f", aim {scenario.aim:.2f}: {'met' if met else 'MISSED'}"
        print(line, flush=True)
    return within


def main() -> int:
    options = parse_arguments()
    pace = Pace(options.repetitions, options.warm_up, options.window)
    if options.quick:
        pace = Pace(1, 0.5, 1.0)
    chosen = [scenario for scenario in SCENARIOS if not options.only or scenario.name in options.only]
    started = time.monotonic()
    within = True
    try:
        setup = clients.setup_from(options)
        with checked_nginx(setup.server_core) as server:
            print(f"nginx on core {setup.server_core}, clients on core {setup.client_core}; ", end="")
            print(f"{pace.repetitions} x {pace.window_s} s each after {pace.warm_up_s} s; ", end="")
            print(f"the JSON answer is {server.answer_wire_bytes} bytes of gzip")
            for scenario in chosen:
                within = print_table(scenario, run(setup, server, scenario, pace)) and within
    except (ClientError, ServerError) as error:
        print(f"benchmark failed: {error}", file=sys.stderr)
        return 2
    print(f"\n{time.monotonic() - started:.0f} s in all")
    return 1 if options.check and not within else 0


if __name__ == "__main__":
    sys.exit(main())
