"""A long run: users make a number of requests in all; resident memory is written down again and again."""

import json
import os

import gevent

from locust import FastHttpUser, HttpUser, events, task

REQUESTS = int(os.environ["BENCH_REQUESTS"])
SAMPLES = int(os.environ["BENCH_SAMPLES"])
POLL_S = 0.05


def resident_kb():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


@events.init.add_listener
def on_init(environment, **kw):
    @environment.events.spawning_complete.add_listener
    def on_spawning_complete(**kw):
        gevent.spawn(watch, environment)


def watch(environment):
    """Notes requests and memory, evenly spread over the requests; ends the run after the last of them."""
    total = environment.stats.total
    samples = []
    while total.num_requests < REQUESTS:
        if total.num_requests * SAMPLES >= REQUESTS * len(samples):
            samples.append((total.num_requests, resident_kb()))
        gevent.sleep(POLL_S)
    samples.append((total.num_requests, resident_kb()))
    with open(os.environ["BENCH_RESULT"], "w") as result:
        json.dump({"samples": samples, "failures": total.num_failures}, result)
    environment.runner.quit()


class SoakHttp(HttpUser):
    @task
    def get(self):
        self.client.get("/")


class SoakFast(FastHttpUser):
    @task
    def get(self):
        self.client.get("/")
