"""Users against a server of fixed delay: statistics start anew after a warm-up, percentiles are written.

With BENCH_BURN_US each task burns so much of the processor in Python; with BENCH_TRACE each request carries
its number as its path, and what was measured of each is written too.
"""

import itertools
import json
import os
import time

import gevent

from locust import FastHttpUser, HttpUser, events, task

WARM_UP_S = float(os.environ["BENCH_WARM_UP_S"])
WINDOW_S = float(os.environ["BENCH_WINDOW_S"])
BURN_S = float(os.environ.get("BENCH_BURN_US", "0")) / 1e6
TRACED = bool(os.environ.get("BENCH_TRACE"))
PARTS = (0.5, 0.99, 0.999)
numbers = itertools.count(1)
measured = {}


def measure(context, response_time, **kw):
    measured[context["number"]] = response_time


@events.init.add_listener
def on_init(environment, **kw):
    if TRACED:
        environment.events.request.add_listener(measure)

    @environment.events.spawning_complete.add_listener
    def on_spawning_complete(**kw):
        gevent.spawn(watch, environment)


def percentiles(entry):
    """Ours to three digits; stock Locust has no more than its rounded ones."""
    exact = getattr(entry, "quantile", entry.get_response_time_percentile)
    return {part: exact(part) for part in PARTS}


def watch(environment):
    gevent.sleep(WARM_UP_S)
    environment.stats.reset_all()
    measured.clear()
    with open(os.environ["BENCH_RESULT"] + ".began", "w"):
        pass
    gevent.sleep(WINDOW_S)
    total = environment.stats.total
    said = {
        "requests": total.num_requests,
        "failures": total.num_failures,
        "max": total.max_response_time,
        "percentiles": percentiles(total),
        "measured": dict(measured),
    }
    if hasattr(total, "generator_lag"):
        said["lag_p99"] = total.generator_lag.quantile(0.99)
        said["lag_max"] = total.generator_lag.quantile(1)
    with open(os.environ["BENCH_RESULT"], "w") as result:
        json.dump(said, result)
    environment.runner.quit()


def request(client):
    if TRACED:
        number = next(numbers)
        client.get(f"/{number}", name="/", context={"number": number})
    else:
        client.get("/")
    if BURN_S:
        end = time.perf_counter() + BURN_S
        while time.perf_counter() < end:
            pass


class DelayedHttp(HttpUser):
    @task
    def get(self):
        request(self.client)


class DelayedFast(FastHttpUser):
    @task
    def get(self):
        request(self.client)
