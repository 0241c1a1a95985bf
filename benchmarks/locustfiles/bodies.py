"""Users that fetch a large body, and do nothing with it; one of them may keep bodies and let them go."""

import gc
import json
import os

import gevent

from locust import FastHttpUser, HttpUser, constant, task

KEPT = int(os.environ.get("BENCH_KEPT", "0"))


def resident_kb():
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


class BodiesHttp(HttpUser):
    def on_start(self):
        self.client.verify = os.environ["BENCH_CA"]

    @task
    def get(self):
        self.client.get("/large")


class BodiesFast(FastHttpUser):
    @task
    def get(self):
        self.client.get("/large")


def keep_and_let_go(user):
    """What was resident before, with so many bodies kept, and after they went: written as a line of JSON."""
    user.client.get("/large")
    marks = {"before": resident_kb()}
    kept = [user.client.get("/large") for _ in range(KEPT)]
    marks["bytes"] = sum(len(response.content) for response in kept)
    marks["kept"] = resident_kb()
    kept.clear()
    marks["after"] = resident_kb()
    with open(os.environ["BENCH_RESULT"], "w") as result:
        json.dump(marks, result)
    gevent.spawn(user.environment.runner.quit)
    gevent.sleep(60)


class KeepingHttp(HttpUser):
    wait_time = constant(0)

    @task
    def keep(self):
        keep_and_let_go(self)


class KeepingFast(FastHttpUser):
    wait_time = constant(0)

    @task
    def keep(self):
        keep_and_let_go(self)
