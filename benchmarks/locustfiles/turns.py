"""64 users without wait, and a greenlet beside them that notes how late its own turns are.

BENCH_ACTIONS names the actions; each has the window for itself. How long one takes without users is measured
first; what it takes longer beside them is what it is late by.
"""

import json
import os
import sys
import time

import gevent
import requests
from gevent.event import Event

from locust import FastHttpUser, HttpUser, events, task

# Behind everything else: the libraries here must not replace what the generator came with.
sys.path.append(os.environ.get("BENCH_EXTRAS", ""))
WARM_UP_S = 1.0
WINDOW_S = float(os.environ["BENCH_WINDOW_S"])
NAP_S = 0.01
UNLOADED_ROUNDS = 20


def nap():
    return lambda: gevent.sleep(NAP_S)


def time_out():
    def action():
        with gevent.Timeout(NAP_S, False):
            Event().wait()

    return action


def fetch():
    return lambda: requests.get(os.environ["BENCH_URL"], timeout=10)


def get_object():
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "s3",
        endpoint_url=os.environ["BENCH_URL"],
        region_name="us-east-1",
        aws_access_key_id="bench",
        aws_secret_access_key="bench",
        config=Config(s3={"addressing_style": "path"}, proxies={}),
    )
    return lambda: client.get_object(Bucket="bucket", Key="key")["Body"].read()


def call():
    import grpc
    import grpc.experimental.gevent

    grpc.experimental.gevent.init_gevent()
    echo = grpc.insecure_channel(os.environ["BENCH_GRPC"]).unary_unary("/bench.Echo/Echo")
    return lambda: echo(b"hello", timeout=10)


def select():
    import psycogreen.gevent
    import psycopg2

    psycogreen.gevent.patch_psycopg()
    cursor = psycopg2.connect(os.environ["BENCH_POSTGRES"]).cursor()

    def action():
        cursor.execute("SELECT 1")
        cursor.fetchone()

    return action


def send_and_receive():
    import websocket

    connection = websocket.create_connection(os.environ["BENCH_WEBSOCKET"], timeout=10)

    def action():
        connection.send("hello")
        connection.recv()

    return action


ACTIONS = {
    "gevent.sleep": nap,
    "gevent.Timeout": time_out,
    "requests": fetch,
    "boto3": get_object,
    "grpc": call,
    "psycopg2": select,
    "websocket-client": send_and_receive,
}


def seconds_of(action):
    """How long it took, and how long the process worked meanwhile."""
    started, worked = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - started, time.process_time() - worked


def median_without_users(action):
    taken = sorted(seconds_of(action)[0] for _ in range(UNLOADED_ROUNDS))
    return taken[UNLOADED_ROUNDS // 2]


def keep_noting(action, due_s, notes):
    """Does the action over and over; notes how much longer than due it, and the CPU's work, took, in ms."""
    while True:
        taken_s, cpu_s = seconds_of(action)
        notes.append(((taken_s - due_s) * 1000, (cpu_s - due_s) * 1000))


def watch(environment, actions, due_s):
    """Runs a greenlet for each action, one after the other, and writes what they noted."""
    gevent.sleep(WARM_UP_S)
    notes = {name: [] for name in actions}
    for name, action in actions.items():
        greenlet = gevent.spawn(keep_noting, action, due_s[name], notes[name])
        gevent.sleep(WINDOW_S)
        greenlet.kill()
    with open(os.environ["BENCH_RESULT"], "w") as result:
        json.dump({"loop": type(gevent.get_hub().loop).__module__, "late_ms": notes}, result)
    environment.runner.quit()


@events.init.add_listener
def on_init(environment, **kw):
    actions = {name: ACTIONS[name]() for name in os.environ["BENCH_ACTIONS"].split(",")}
    due_s = {name: median_without_users(action) for name, action in actions.items()}
    due_s |= dict.fromkeys(("gevent.sleep", "gevent.Timeout"), NAP_S)

    @environment.events.spawning_complete.add_listener
    def on_spawning_complete(**kw):
        gevent.spawn(watch, environment, actions, due_s)


class BusyHttp(HttpUser):
    @task
    def get(self):
        self.client.get("/")


class BusyFast(FastHttpUser):
    @task
    def get(self):
        self.client.get("/")
