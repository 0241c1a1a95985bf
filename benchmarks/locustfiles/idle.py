"""Many users that mostly wait, and marks of when they were spawned and what memory was in use then."""

import gc
import json
import os
import time

from locust import FastHttpUser, HttpUser, constant, events, task


def mark(name):
    """Appends the moment and the resident memory to the file that the benchmark reads."""
    with open("/proc/self/statm") as statm:
        resident_kb = int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024
    with open(os.environ["BENCH_MARKS"], "a") as marks:
        marks.write(json.dumps({"name": name, "at_s": time.monotonic(), "resident_kb": resident_kb}) + "\n")


@events.test_start.add_listener
def on_test_start(environment, **kw):
    if IdleTls in environment.user_classes:
        # What TLS needs once in a process, the CA store above all, is no memory of a connection.
        IdleTls.host = environment.host
        first = IdleTls(environment)
        first.on_start()
        first.get()
    gc.collect()
    mark("started")


@events.spawning_complete.add_listener
def on_spawning_complete(**kw):
    mark("spawned")


class IdleHttp(HttpUser):
    wait_time = constant(5)

    @task
    def get(self):
        self.client.get("/")


class IdleOwnHttp(HttpUser):
    """The same with headers of its own and three cookies for each user."""

    wait_time = constant(5)

    def on_start(self):
        self.client.headers["X-User"] = f"user-{id(self):x}"
        self.client.headers["Authorization"] = f"Bearer {id(self):032x}"
        self.client.get("/login")

    @task
    def get(self):
        self.client.get("/")


class IdleAlone(HttpUser):
    """Never asks for anything: what a user is without a connection."""

    wait_time = constant(5)

    @task
    def nothing(self):
        pass


class IdleTls(HttpUser):
    """Asks once, and keeps the connection, plain or TLS."""

    wait_time = constant(3600)

    def on_start(self):
        self.client.verify = os.environ["BENCH_CA"]

    @task
    def get(self):
        self.client.get("/")


class IdleFast(FastHttpUser):
    wait_time = constant(5)

    @task
    def get(self):
        self.client.get("/")
