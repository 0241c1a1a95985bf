"""`python -m benchmarks.latency`: what each client says of a server that answers after exactly 20 ms.

The server (tick_server.c) spins on its own core and reports how late its own answers were; what a client says
beyond that and the loopback is the client's own queueing. wrk's figure in the same run is the yardstick; k6
is asked too where it is in the path.

`--burn-us 300`: each task also burns so much of the processor in Python, so that the core is full; the
yardstick is a packet capture, for each single request. `--pauses`: the process is stopped from outside for
200 ms, ten times in 10 s; the yardstick is the undisturbed run.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import clients
from benchmarks.capture import capturing, exchanges
from benchmarks.clients import LOCUSTFILES, ROOT, ClientError, Command, Setup
from benchmarks.measure import quantile, wait_until
from benchmarks.server import ServerError
from benchmarks.tick import TickServer, tick_server

WRK_LATENCIES = r"(\d+%|Latency\s+[\d.]+\w+\s+[\d.]+\w+)\s+([\d.]+)(us|ms|s)"
UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
PAUSE_S = 0.2
PAUSE_PERIOD_S = 1.0
P50_AIM_MS = 1.0
P99_AIM_MS = 3.0
PAUSE_AIM_MS = 5.0
BEGIN_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Said:
    """What a client said of the response times, in ms; `measured` by the number of the request."""

    median_ms: float
    p99_ms: float
    p999_ms: float
    most_ms: float
    requests: int
    lag_p99_ms: float | None = None
    lag_most_ms: float | None = None
    measured: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Load:
    """What is asked of a Locust: users, seconds, and what each task burns beside its request."""

    users: int
    warm_up_s: float
    window_s: float
    burn_us: float = 0.0
    traced: bool = False
    pauses: int = 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.latency",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    clients.add_arguments(parser)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--delay-ms", type=float, default=20.0)
    parser.add_argument("--window", type=float, help="seconds measured (default: 5, with --pauses 10)")
    parser.add_argument("--warm-up", type=float, default=2.0, help="seconds before that")
    parser.add_argument("--burn-us", type=float, default=0.0, help="burn so much Python in each task")
    parser.add_argument("--pauses", action="store_true", help="stop the process for 200 ms each second")
    parser.add_argument("--quick", action="store_true", help="2 s measured after 1 s: a rough figure")
    parser.add_argument("--check", action="store_true", help="exit with 1 when ours misses an aim")
    options = parser.parse_args()
    if options.pauses and options.burn_us:
        parser.error("--pauses and --burn-us are two measurements")
    if options.quick:
        options.window, options.warm_up = 2.0, 1.0
    options.window = options.window or (10.0 if options.pauses else 5.0)
    return options


def ask_wrk(setup: Setup, url: str, load: Load) -> Said:
    """Runs wrk and reads its latency table."""
    command = clients.wrk(setup, url, load.users, load.window_s + load.warm_up_s, "--latency")
    text = clients.run_to_end(setup, command, load.window_s + 30)
    values = {name: float(value) * UNITS_MS[unit] for name, value, unit in re.findall(WRK_LATENCIES, text)}
    most = next((value for name, value in values.items() if name.startswith("Latency")), None)
    requests = re.search(r"(\d+) requests in", text)
    if requests is None or most is None or not {"50%", "99%"} <= values.keys():
        raise ClientError(f"wrk printed no latencies:\n{text}")
    return Said(values["50%"], values["99%"], float("nan"), most, int(requests[1]))


def ask_k6(setup: Setup, url: str, load: Load) -> Said:
    """Runs k6, which has to be in the path, and reads its `http_req_duration`."""
    seconds = load.window_s + load.warm_up_s
    setup.environment = {
        "BENCH_USERS": str(load.users),
        "BENCH_SECONDS": f"{seconds:.0f}",
        "BENCH_URL": url,
        "K6_NO_USAGE_REPORT": "true",
    }
    arguments = ["k6", "run", "--quiet", "--no-color", str(LOCUSTFILES / "latency.js")]
    command = Command("k6", arguments, ROOT, setup.environment)
    text = clients.run_to_end(setup, command, seconds + BEGIN_TIMEOUT_S)
    said = next((line for line in reversed(text.splitlines()) if line.startswith("{")), None)
    if said is None:
        raise ClientError(f"k6 printed no summary:\n{text[-1000:]}")
    times = json.loads(said)
    return Said(times["med"], times["p(99)"], times["p(99.9)"], times["max"], times["count"])


def pause(process: subprocess.Popen[bytes], times: int) -> None:
    """Stops the process from outside for 200 ms, once a second."""
    for _ in range(times):
        time.sleep(PAUSE_PERIOD_S - PAUSE_S)
        process.send_signal(signal.SIGSTOP)
        time.sleep(PAUSE_S)
        process.send_signal(signal.SIGCONT)


def ask_locust(setup: Setup, which: str, user_class: str, url: str, load: Load) -> Said:
    """Runs one of the Locusts and reads what its statistics say."""
    with tempfile.TemporaryDirectory() as directory:
        result = Path(directory) / "result.json"
        setup.environment = {
            "BENCH_RESULT": str(result),
            "BENCH_WARM_UP_S": str(load.warm_up_s),
            "BENCH_WINDOW_S": str(load.window_s),
            "BENCH_BURN_US": str(load.burn_us),
            "BENCH_TRACE": "1" if load.traced else "",
        }
        start = clients.ours if which == "ours" else clients.stock
        command = start(setup, "latency.py", user_class, url, load.users)
        with clients.finishing(setup, command, load.warm_up_s + load.window_s + BEGIN_TIMEOUT_S) as process:
            if load.pauses:
                began = Path(f"{result}.began")
                wait_until(began.exists, BEGIN_TIMEOUT_S, "the begin of the window")
                pause(process, load.pauses)
        said = json.loads(result.read_text())
    if said["failures"]:
        raise ClientError(f"{which} {user_class}: {said['failures']} requests failed")
    percentiles = said["percentiles"]
    return Said(
        percentiles["0.5"],
        percentiles["0.99"],
        percentiles["0.999"],
        said["max"],
        said["requests"],
        said.get("lag_p99"),
        said.get("lag_max"),
        {int(number): value for number, value in said["measured"].items()},
    )


def print_titles(first: str, last: str) -> None:
    print(f"{first:<24} {'p50 ms':>8} {'p99 ms':>8} {'p99.9 ms':>9} {'most ms':>9} {'requests':>9}   {last}")


def print_said(label: str, said: Said, last: str) -> None:
    line = f"{label:<24} {said.median_ms:>8.2f} {said.p99_ms:>8.2f} {said.p999_ms:>9.2f} {said.most_ms:>9.2f}"
    print(f"{line} {said.requests:>9,}   {last}", flush=True)


def compare_with_wrk(setup: Setup, options: argparse.Namespace) -> bool:
    """wrk, ours, stock and k6 against the same server; False when ours is too far off.

    Clients do not meet the same server: wrk's requests come in bursts, of which the last waits for the first.
    What the server says of itself in the same run is the truth that ours must be near.
    """
    load = Load(options.users, options.warm_up, options.window)
    asked = [("wrk", ""), ("ours", "DelayedHttp"), ("ours", "DelayedFast")]
    asked += [("stock", "DelayedFast"), ("stock", "DelayedHttp")] if setup.stock else []
    asked += [("k6", "")] if shutil.which("k6") else []
    within = True
    print_titles("client", "the server itself")
    yardstick = None
    for which, user_class in asked:
        with tick_server(setup.server_core, options.delay_ms) as server:
            if which == "wrk":
                said = yardstick = ask_wrk(setup, server.url, load)
            elif which == "k6":
                said = ask_k6(setup, server.url, load)
            else:
                said = ask_locust(setup, which, user_class, server.url, load)
        print_said(f"{which} {user_class}".strip(), said, server.lateness)
        if which == "ours" and yardstick is not None:
            off = abs(said.median_ms - options.delay_ms - server.late_p50_ms)
            off_p99 = abs(said.p99_ms - options.delay_ms - server.late_p99_ms)
            within = within and max(off, said.median_ms - yardstick.median_ms) <= P50_AIM_MS
            within = within and max(off_p99, said.p99_ms - yardstick.p99_ms) <= P99_AIM_MS
    print("aim: ours off from the server's own log, and above wrk, by at most ", end="")
    print(f"{P50_AIM_MS:.0f} ms (p50) and {P99_AIM_MS:.0f} ms (p99)", end=": ")
    return within


def capture_run(
    setup: Setup, server: TickServer, which: str, user_class: str, load: Load
) -> tuple[Said, dict[int, float]]:
    """What a Locust says, and what a packet capture says of the requests that it measured, in ms."""
    with tempfile.TemporaryDirectory(prefix="locust-c-capture-") as directory:
        path = Path(directory) / "capture.pcap"
        with capturing(server.port, path, setup.server_core):
            said = ask_locust(setup, which, user_class, server.url, load)
        seen = exchanges(path, server.port)
    both = seen.keys() & said.measured.keys()
    if not both or len(both) < 0.99 * len(said.measured):
        raise ClientError(f"the capture has {len(both)} of {len(said.measured)} requests")
    return said, {number: (seen[number][1] - seen[number][0]) / 1e6 for number in both}


def compare_with_capture(setup: Setup, options: argparse.Namespace) -> bool:
    """Ours and stock with busy tasks, request by request beside a capture; False when ours is too far off."""
    load = Load(options.users, options.warm_up, options.window, options.burn_us, traced=True)
    asked = [("ours", "DelayedHttp"), ("ours", "DelayedFast")]
    asked += [("stock", "DelayedFast"), ("stock", "DelayedHttp")] if setup.stock else []
    within = True
    print(f"each task also burns {options.burn_us:.0f} µs of Python")
    print_titles("client", "error of a request: p50, p99, most ms")
    for which, user_class in asked:
        with tick_server(setup.server_core, options.delay_ms) as server:
            said, true_ms = capture_run(setup, server, which, user_class, load)
        errors = [abs(said.measured[number] - value) for number, value in true_ms.items()]
        truth = list(true_ms.values())
        seen = Said(
            quantile(truth, 0.5), quantile(truth, 0.99), quantile(truth, 0.999), max(truth), len(truth)
        )
        of_each = f"{quantile(errors, 0.5):.2f}, {quantile(errors, 0.99):.2f}, {max(errors):.2f}"
        print_said(f"{which} {user_class}", said, of_each)
        print_said("  the capture of it", seen, server.lateness)
        if which == "ours":
            off = (abs(said.median_ms - seen.median_ms), abs(said.p99_ms - seen.p99_ms))
            within = within and off[0] <= P50_AIM_MS and off[1] <= P99_AIM_MS
    print(f"aim: ours within {P50_AIM_MS:.0f} ms (p50), {P99_AIM_MS:.0f} ms (p99) of the capture", end=": ")
    return within


def compare_with_pauses(setup: Setup, options: argparse.Namespace) -> bool:
    """Ours and stock undisturbed and stopped from outside; False when ours shows the pauses."""
    pauses = int(options.window / PAUSE_PERIOD_S)
    asked = [("ours", "DelayedHttp"), ("ours", "DelayedFast")]
    asked += [("stock", "DelayedFast")] if setup.stock else []
    within = True
    print(f"stopped for {PAUSE_S * 1000:.0f} ms {pauses} times")
    print_titles("client", "generator lag: p99, most ms")
    for which, user_class in asked:
        runs = []
        for times in (0, pauses):
            load = Load(options.users, options.warm_up, options.window, pauses=times)
            with tick_server(setup.server_core, options.delay_ms) as server:
                said = ask_locust(setup, which, user_class, server.url, load)
            runs.append(said)
            lag = f"{said.lag_p99_ms:.2f}, {said.lag_most_ms:.2f}" if said.lag_most_ms is not None else ""
            print_said(f"{which} {user_class}{', stopped' if times else ''}", said, lag)
        quiet, stopped = runs
        if which == "ours":
            worst = max(stopped.p999_ms - quiet.p999_ms, stopped.most_ms - quiet.most_ms)
            seen = stopped.lag_most_ms is not None and stopped.lag_most_ms >= PAUSE_S * 1000 * 0.9
            within = within and worst <= PAUSE_AIM_MS and seen
    print(f"aim: ours within {PAUSE_AIM_MS:.0f} ms of undisturbed, and the lag shows the pauses", end=": ")
    return within


def main() -> int:
    options = parse_arguments()
    print(f"a server that answers after {options.delay_ms} ms, {options.users} users without wait")
    compare = compare_with_wrk
    if options.burn_us:
        compare = compare_with_capture
    elif options.pauses:
        compare = compare_with_pauses
    try:
        within = compare(clients.setup_from(options), options)
    except (ClientError, ServerError, TimeoutError) as error:
        print(f"benchmark failed: {error}", file=sys.stderr)
        return 2
    print("met" if within else "MISSED")
    return 1 if options.check and not within else 0


if __name__ == "__main__":
    sys.exit(main())
