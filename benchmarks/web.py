"""`python -m benchmarks.web`: what the web page costs, how soon it answers, and whether its memory grows.

Processor time of an answer with 2,000 names, none of them remembered; how soon routes answer beside 64 users
that never wait; what three open pages (two requests each every 2 s) take from these users, and of a core; and
resident memory over as many requests as a page makes in an hour.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import clients
from benchmarks.clients import ClientError, Command, Setup
from benchmarks.measure import (
    Cost,
    Spread,
    cpu_seconds,
    measure_window,
    quantile,
    resident_kb,
    wait_until,
)
from benchmarks.server import Nginx, ServerError, checked_nginx

CPU_AIM_MS = 20.0
LATENCY_AIM_MS = 50.0
PAGES_AIM = 0.03
GROWTH_AIM_KB = 1024
START_TIMEOUT_S = 60.0
PAGES = 3
POLL_S = 2.0
POLLED = ("/stats/live", "/stats/requests?all=1")
COSTLY = ("/healthz", "/stats/requests", "/stats/requests?all=1", "/stats/phases", "/stats/live")
PROMPT = ("/healthz", "/own", "/stats/requests", "/stats/requests?all=1", "/stats/live")


@dataclass
class Page:
    """The process under test, and where it serves its page."""

    process: subprocess.Popen[bytes]
    port: int

    def get(self, path: str) -> bytes:
        """The body of an answer, over a connection of its own; ClientError unless it is 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise ClientError(f"{path} answered {answer.status}: {body[:200]!r}")
        return body


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web", description=__doc__)
    clients.add_arguments(parser)
    parser.add_argument("--users", type=int, default=64)
    parser.add_argument("--names", type=int, default=2000)
    parser.add_argument("--times", type=int, default=60, help="requests of each route")
    parser.add_argument("--repeat", type=int, default=10, help="windows of 2 s with, and without, open pages")
    parser.add_argument("--quick", action="store_true", help="few requests, one window of each kind")
    parser.add_argument("--check", action="store_true", help="exit with 1 when an aim is missed")
    options = parser.parse_args()
    options.no_stock = True
    if options.quick:
        options.times, options.repeat = 20, 1
    return options


@contextlib.contextmanager
def running_page(setup: Setup, url: str, users: int, names: int, remember: bool = True) -> Iterator[Page]:
    """Runs a test of so many users, with its page."""
    with tempfile.TemporaryDirectory() as directory:
        port_file = Path(directory) / "port"
        environment = {"BENCH_NAMES": str(names), "BENCH_PORT_FILE": str(port_file)}
        if not remember:
            environment["BENCH_WORK_OUT"] = "1"
        command = Command("ours", _arguments(setup, url, users), clients.ROOT, environment)
        with clients.running(setup, command) as process:
            wait_until(lambda: _has_text(port_file), START_TIMEOUT_S, "the start of the page")
            page = Page(process, int(port_file.read_text()))
            wait_until(lambda: b'"running"' in page.get("/stats/live"), START_TIMEOUT_S, "the test")
            yield page


def _arguments(setup: Setup, url: str, users: int) -> list[str]:
    locustfile = str(clients.LOCUSTFILES / "web.py")
    page = ["--autostart", "--web-host", "127.0.0.1", "--web-port", "0", "-L", "WARNING"]
    load = ["-H", url, "-u", str(users), "-r", "1000"]
    return [setup.ours, "-m", "locust_c", "-f", locustfile, *page, *load]


def _has_text(path: Path) -> bool:
    return path.exists() and bool(path.read_text())


def print_costs(setup: Setup, server: Nginx, options: argparse.Namespace) -> bool:
    """The first table; returns whether the aim is met."""
    print(f"processor time of an answer, {options.names:,} names, no users; aim for /stats/requests: 20 ms")
    met = True
    with running_page(setup, server.url, 0, options.names, remember=False) as page:
        for path in COSTLY:
            values = []
            for _ in range(options.times):
                before = cpu_seconds(page.process.pid)
                size = len(page.get(path))
                values.append((cpu_seconds(page.process.pid) - before) * 1000)
            spread = Spread.of(values)
            met = met and (not path.startswith("/stats/requests") or spread.median <= CPU_AIM_MS)
            print(
                f"{path:<24} {spread.median:7.2f} ms ({spread.low:.2f}-{spread.high:.2f}) {size:>10,} bytes"
            )
    return met


def print_latencies(page: Page, options: argparse.Namespace) -> bool:
    """The second table; returns whether the aim is met."""
    print(f"time to an answer beside {options.users} users without wait; aim: median of 50 ms")
    met = True
    taken: dict[str, list[float]] = {path: [] for path in PROMPT}
    for _ in range(options.times):
        for path, values in taken.items():
            begin = time.perf_counter()
            page.get(path)
            values.append((time.perf_counter() - begin) * 1000)
    for path, values in taken.items():
        median, p99 = statistics.median(values), quantile(values, 0.99)
        met = met and median <= LATENCY_AIM_MS
        print(f"{path:<24} median {median:6.1f} ms, p99 {p99:6.1f} ms", flush=True)
    return met


@contextlib.contextmanager
def open_pages(page: Page) -> Iterator[None]:
    """Three pages that ask again and again, as the front-end does, one after the other."""
    closed = threading.Event()

    def poll(number: int) -> None:
        closed.wait(number * POLL_S / PAGES)
        while not closed.is_set():
            for path in POLLED:
                page.get(path)
            closed.wait(POLL_S)

    threads = [threading.Thread(target=poll, args=(number,)) for number in range(PAGES)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        closed.set()
        for thread in threads:
            thread.join()


def print_pages(page: Page, server: Nginx, options: argparse.Namespace) -> None:
    """The third table, of windows with and without pages; on a busy machine it says little."""
    print(f"{PAGES} open pages, two requests each every {POLL_S:.0f} s, beside {options.users} users")
    alone: list[Cost] = []
    watched: list[Cost] = []
    for _ in range(options.repeat):
        alone.append(measure_window(server, page.process.pid, POLL_S))
        with open_pages(page):
            watched.append(measure_window(server, page.process.pid, POLL_S))
    for name, costs in (("no page", alone), ("pages", watched)):
        rate = Spread.of([cost.requests_per_s for cost in costs])
        cpu = Spread.of([cost.cpu_us_per_request for cost in costs])
        print(
            f"{name:<24} {rate.median:>9,.0f} requests/s ({rate.low:,.0f}-{rate.high:,.0f}),"
            f" {cpu.median:6.2f} us of CPU per request ({cpu.low:.2f}-{cpu.high:.2f})"
        )


def print_share(page: Page, options: argparse.Namespace) -> bool:
    """What the pages take of a core, where nobody else takes any; returns whether the aim is met."""
    with open_pages(page):
        time.sleep(POLL_S)
        begin, before = time.monotonic(), cpu_seconds(page.process.pid)
        time.sleep(options.repeat * POLL_S)
        share = (cpu_seconds(page.process.pid) - before) / (time.monotonic() - begin)
    print(f"{PAGES} open pages by themselves: {share:.2%} of a core; aim: 3 %")
    return share <= PAGES_AIM


def print_memory(page: Page, options: argparse.Namespace) -> bool:
    """The last line; returns whether the aim is met."""
    polls = 3600 if not options.quick else 200
    resident = []
    for _ in range(polls // 2):
        for path in POLLED:
            page.get(path)
        resident.append(resident_kb(page.process.pid))
    settled = resident[len(resident) // 10 :]
    quarter = len(settled) // 4
    growth = statistics.fmean(settled[-quarter:]) - statistics.fmean(settled[:quarter])
    print(f"resident over {polls:,} requests: {settled[0]:,} KB, then {settled[-1]:,} KB ({growth:+.0f} KB)")
    return growth <= GROWTH_AIM_KB


def main() -> int:
    options = parse_arguments()
    try:
        setup = clients.setup_from(options)
        with checked_nginx(setup.server_core) as server:
            met = [print_costs(setup, server, options)]
            with running_page(setup, server.url, options.users, options.names) as page:
                met.append(print_latencies(page, options))
                print_pages(page, server, options)
            with running_page(setup, server.url, 0, options.names) as page:
                met.append(print_share(page, options))
                met.append(print_memory(page, options))
    except (ClientError, ServerError) as error:
        print(f"benchmark failed: {error}", file=sys.stderr)
        return 2
    print("aims met" if all(met) else "aims MISSED")
    return 1 if options.check and not all(met) else 0


if __name__ == "__main__":
    sys.exit(main())
