"""Samples that any implementation of Locust's statistics can count, and all it then says of them.

``expected/stats_numbers_*.txt`` was written by stock Locust 2.47.0 with these functions, with
`time.time` set as in the test.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

FIGURES = (
    *("num_requests", "num_none_requests", "num_failures", "total_content_length", "start_time"),
    *("last_request_timestamp", "fail_ratio", "avg_response_time", "median_response_time"),
    *("current_rps", "current_fail_per_sec", "total_rps", "total_fail_per_sec", "avg_content_length"),
)
NAMES = (("GET", "/"), ("POST", "/orders"), ("LONGMETHOD", "/c" * 40), ("PUT", 'x,"y"\n'))


def response_time(numbers: random.Random, whole: bool) -> float:
    """One that is rounded to a half, lies at a border or is anything."""
    if whole:
        return numbers.choice([0, 1, 5, *[numbers.randrange(limit) for limit in (200, 3000, 60_000)]])
    anything = [numbers.random() * limit for limit in (200, 3000, 60_000)]
    return numbers.choice([0.2, 0.5, 1.5, 2.5, 99.5, 995.5, 9950.5, *anything])


def count(stats: Any, set_clock: Callable[[float], None], whole: bool, errors: list[Any]) -> Iterator[str]:
    """Counts 150 samples; yields a title whenever the figures are worth a look."""
    numbers, now = random.Random(7), 1000.25
    for _ in range(150):
        now += numbers.random() * 0.4
        set_clock(now)
        method, name = numbers.choice(NAMES)
        untimed = numbers.random() < 0.03
        time_ms = None if untimed else response_time(numbers, whole)
        stats.log_request(method, name, time_ms, numbers.randrange(1000))
        if numbers.random() < 0.1:
            stats.log_error(method, name, numbers.choice(errors))
    stats.log_error("GET", "/only-failed", "text")
    stats.log_request("GET", "/only-untimed", None, 5)
    yield "at the end"
    set_clock(now + 9)
    yield "9 s later"


def figures(entry: Any) -> Iterator[str]:
    """All that an entry says, a line each."""
    for name in FIGURES:
        yield f"{name} {getattr(entry, name)!r}"
    report = entry.serialize()
    for name in ("response_times", "num_reqs_per_sec", "num_fail_per_sec"):
        report[name] = dict(sorted(report[name].items()))
    yield json.dumps(report)
    yield json.dumps(entry.to_dict())
    shares = (0, 0.01, 0.5, 0.95, 0.999, 1.0)
    yield f"percentiles {[entry.get_response_time_percentile(share) for share in shares]}"
    yield f"current {[entry.get_current_response_time_percentile(share) for share in shares[1:]]}"
    yield f"cache {[(second, seen.num_requests) for second, seen in entry.response_times_cache.items()]}"
    yield from (entry.to_string(current) for current in (True, False))


def report(module: Any, environment: Any) -> Iterator[str]:
    """All that the statistics of an environment say."""
    stats = environment.stats
    for key in sorted(stats.entries):
        yield from figures(stats.entries[key])
    yield from figures(stats.total)
    for key, error in stats.errors.items():
        yield f"{key} {json.dumps(error.serialize())} {error.to_name()!r}"
    rows = module.StatsCSV(environment, module.PERCENTILES_TO_REPORT)
    for write in (rows.requests_csv, rows.failures_csv, rows.exceptions_csv):
        text = io.StringIO(newline="")
        write(csv.writer(text))
        yield repr(text.getvalue())
    module.update_stats_history(environment.runner)
    yield json.dumps(stats.history[-1])


def account(
    module: Any, environment: Any, set_clock: Callable[[float], None], whole: bool, unwrapped: Any
) -> str:
    """The whole sequence and its reports; `unwrapped` is the module's `CatchResponseError`."""
    errors = [
        ValueError("x,y"),
        "text",
        unwrapped("bad body"),
        KeyError("k"),
        "CatchResponseError('q')",
        None,
    ]
    lines: list[str] = []
    for title in count(environment.stats, set_clock, whole, errors):
        lines += [f"== {title}", *report(module, environment)]
    environment.stats.reset_all()
    lines += ["== reset", *report(module, environment)]
    return "\n".join(lines) + "\n"
