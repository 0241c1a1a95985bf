"""A new connection for every request, as the header `Connection: close` asks for it.

With BENCH_RESULT the run ends after a window, and the medians of response time and phases are written.
"""

import json
import os

import gevent

from locust import FastHttpUser, HttpUser, events, task

CLOSE = {"Connection": "close"}


@events.init.add_listener
def on_init(environment, **kw):
    if "BENCH_RESULT" in os.environ:
        environment.events.spawning_complete.add_listener(lambda **kw: gevent.spawn(watch, environment))


def watch(environment):
    gevent.sleep(float(os.environ["BENCH_WINDOW_S"]))
    total = environment.stats.total
    medians = {"response time": getattr(total, "quantile", total.get_response_time_percentile)(0.5)}
    for name, phase in getattr(total, "phases", {}).items():
        medians[name] = phase.quantile(0.5)
    with open(os.environ["BENCH_RESULT"], "w") as result:
        json.dump(medians, result)
    environment.runner.quit()


class ClosingHttp(HttpUser):
    def on_start(self):
        self.client.verify = os.environ["BENCH_CA"]

    @task
    def get(self):
        self.client.get("/", headers=CLOSE)


class ClosingFast(FastHttpUser):
    @task
    def get(self):
        self.client.get("/", headers=CLOSE)
