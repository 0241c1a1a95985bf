"""64 users without wait, and greenlets beside them that note how late their own turns are."""

import json
import os
import time

import gevent
import requests
from gevent.event import Event

from locust import FastHttpUser, HttpUser, events, task

WARM_UP_S = 1.0
WINDOW_S = float(os.environ["BENCH_WINDOW_S"])
NAP_S = 0.01
UNLOADED_ROUNDS = 20


def nap():
    gevent.sleep(NAP_S)


def time_out():
    with gevent.Timeout(NAP_S, False):
        Event().wait()


def fetch():
    requests.get(os.environ["BENCH_URL"], timeout=10)


def seconds_of(action):
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def keep_noting(action, due_s, notes):
    """Does the action over and over; notes by how much each took longer than due, in ms."""
    while True:
        notes.append((seconds_of(action) - due_s) * 1000)


def watch(environment, fetch_s):
    """Runs the three greenlets for the window and writes what they noted."""
    notes = {"gevent.sleep": [], "gevent.Timeout": [], "requests.get": []}
    gevent.sleep(WARM_UP_S)
    watched = [
        gevent.spawn(keep_noting, nap, NAP_S, notes["gevent.sleep"]),
        gevent.spawn(keep_noting, time_out, NAP_S, notes["gevent.Timeout"]),
        gevent.spawn(keep_noting, fetch, fetch_s, notes["requests.get"]),
    ]
    gevent.sleep(WINDOW_S)
    gevent.killall(watched)
    with open(os.environ["BENCH_RESULT"], "w") as result:
        json.dump(
            {"unloaded_ms": fetch_s * 1000, "requests": environment.stats.total.num_requests, **notes}, result
        )
    environment.runner.quit()


@events.init.add_listener
def on_init(environment, **kw):
    # Without users: what one requests.get takes by itself, so that the rest is what it was late by.
    taken = sorted(seconds_of(fetch) for _ in range(UNLOADED_ROUNDS))
    fetch_s = taken[UNLOADED_ROUNDS // 2]

    @environment.events.spawning_complete.add_listener
    def on_spawning_complete(**kw):
        gevent.spawn(watch, environment, fetch_s)


class BusyHttp(HttpUser):
    @task
    def get(self):
        self.client.get("/")


class BusyFast(FastHttpUser):
    @task
    def get(self):
        self.client.get("/")
