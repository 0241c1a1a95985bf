"""What a process costs: CPU time and resident memory, set against the requests that the server counted."""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.server import Nginx

PAGE_KB = os.sysconf("SC_PAGESIZE") // 1024


@dataclass(frozen=True)
class Cost:
    """One measured window: requests finished (the server's count), the client's CPU time, wall-clock time."""

    requests: int
    cpu_s: float
    wall_s: float

    @property
    def cpu_us_per_request(self) -> float:
        return self.cpu_s / self.requests * 1e6

    @property
    def requests_per_s(self) -> float:
        return self.requests / self.wall_s

    @property
    def core_percent(self) -> float:
        return self.cpu_s / self.wall_s * 100


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of several values."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


def quantile(values: list[float], part: float) -> float:
    """The smallest value that at least `part` of all are not above."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


def process_tree(pid: int) -> list[int]:
    """The process and all its descendants that are alive now."""
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        for children in Path(f"/proc/{current}/task").glob("*/children"):
            waiting.extend(int(child) for child in children.read_text().split())
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of the process tree so far.

    Read from each process's CPU clock (clock_getcpuclockid(3)): in nanoseconds, all threads.
    Raises ProcessLookupError when the process is gone.
    """
    try:
        return sum(time.clock_gettime(_cpu_clock(member)) for member in process_tree(pid))
    except OSError as error:
        raise ProcessLookupError(f"process {pid} or a child of it ended during the measurement") from error


def resident_kb(pid: int) -> int:
    """Resident memory of the process tree in KB."""
    return sum(
        int(Path(f"/proc/{member}/statm").read_text().split()[1]) * PAGE_KB for member in process_tree(pid)
    )


def measure_window(server: Nginx, pid: int, seconds: float) -> Cost:
    """Lets the client run for `seconds` and returns what it did and what that cost."""
    cpu_before, wall_before = cpu_seconds(pid), time.monotonic()
    requests_before = server.status().requests
    time.sleep(seconds)
    cpu_after, wall_after = cpu_seconds(pid), time.monotonic()
    # The second reading of the counter is the one request in between that is ours.
    finished = server.status().requests - requests_before - 1
    return Cost(finished, cpu_after - cpu_before, wall_after - wall_before)


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Polls `condition` every 20 ms; raises TimeoutError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.02)


def _cpu_clock(pid: int) -> int:
    """The clock id of a process's CPU time: the kernel's encoding of (pid, CPUCLOCK_SCHED)."""
    return (~pid << 3) | 2
