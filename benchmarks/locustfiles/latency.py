"""Users against a server of fixed delay: statistics start anew after a warm-up, percentiles are written."""

import json
import os

import gevent

from locust import FastHttpUser, HttpUser, events, task

WARM_UP_S = 2.0
WINDOW_S = float(os.environ["BENCH_WINDOW_S"])


@events.spawning_complete.add_listener
def on_spawning_complete(**kw):
    gevent.spawn(watch)


@events.init.add_listener
def on_init(environment, **kw):
    events.bench_environment = environment


def watch():
    environment = events.bench_environment
    gevent.sleep(WARM_UP_S)
    environment.stats.reset_all()
    gevent.sleep(WINDOW_S)
    total = environment.stats.total
    percentiles = {str(part): total.get_response_time_percentile(part) for part in (0.5, 0.99)}
    with open(os.environ["BENCH_RESULT"], "w") as result:
        json.dump({"requests": total.num_requests, "failures": total.num_failures, **percentiles}, result)
    environment.runner.quit()


class DelayedHttp(HttpUser):
    @task
    def get(self):
        self.client.get("/")


class DelayedFast(FastHttpUser):
    @task
    def get(self):
        self.client.get("/")
