"""Users whose task does nothing and waits for nothing: what spawning and the loop around a task cost."""

import json
import os
import time

import gevent

from locust import User, constant, events, task

WARM_UP_S = 1.0
WINDOW_S = float(os.environ["BENCH_WINDOW_S"])
done = {"tasks": 0}
spawning = {}


@events.test_start.add_listener
def on_test_start(**kw):
    spawning["cpu_ns"] = time.process_time_ns()


@events.spawning_complete.add_listener
def on_spawning_complete(**kw):
    spawning["cpu_ns"] = time.process_time_ns() - spawning["cpu_ns"]


@events.init.add_listener
def on_init(environment, **kw):
    @environment.events.spawning_complete.add_listener
    def on_spawned(**kw):
        gevent.spawn(watch, environment)


def watch(environment):
    """Counts tasks and CPU time over the window and writes what one of each costs."""
    gevent.sleep(WARM_UP_S)
    tasks, cpu_ns = done["tasks"], time.process_time_ns()
    gevent.sleep(WINDOW_S)
    tasks, cpu_ns = done["tasks"] - tasks, time.process_time_ns() - cpu_ns
    users = environment.runner.user_count
    counts = {"tasks": tasks, "cpu_ns": cpu_ns, "users": users, "spawn_cpu_ns": spawning["cpu_ns"]}
    with open(os.environ["BENCH_RESULT"], "w") as result:
        json.dump(counts, result)
    environment.runner.quit()


class Looping(User):
    wait_time = constant(0)

    @task
    def nothing(self):
        done["tasks"] += 1


class Waiting(User):
    """Never runs its task twice within a measurement: for the cost of spawning alone."""

    wait_time = constant(3600)

    @task
    def nothing(self):
        done["tasks"] += 1
