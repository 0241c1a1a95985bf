"""Each user makes a fixed number of requests and stops; the last one ends the run; the counts are written."""

import json
import os

import gevent

from locust import FastHttpUser, HttpUser, User, constant, events, task
from locust.exception import StopUser

PER_USER = int(os.environ["BENCH_REQUESTS_PER_USER"])
left = {"users": int(os.environ["BENCH_USERS"])}


@events.quitting.add_listener
def on_quitting(environment, **kw):
    total = environment.stats.total
    counts = {
        "num_requests": total.num_requests,
        "num_failures": total.num_failures,
        "response_times": sum(total.response_times.values()),
        "entries": sum(entry.num_requests for entry in environment.stats.entries.values()),
    }
    if hasattr(total, "histogram"):
        counts["histogram"] = sum(count for _, _, count in total.histogram())
    with open(os.environ["BENCH_RESULT"], "w") as result:
        json.dump(counts, result)


class Exact(User):
    abstract = True
    wait_time = constant(0)

    def on_start(self):
        self.requests_left = PER_USER

    @task
    def get(self):
        self.client.get("/")
        self.requests_left -= 1
        if self.requests_left == 0:
            left["users"] -= 1
            if left["users"] == 0:
                # From a greenlet of its own: quit() kills users, and this one is about to stop by itself.
                gevent.spawn(self.environment.runner.quit)
            raise StopUser


class ExactHttp(Exact, HttpUser):
    pass


class ExactFast(Exact, FastHttpUser):
    pass
