"""A program: what events of a custom client and the dispatching of users cost, as JSON."""

import json
import time

from locust import User
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.runners import WorkerNode

FIRED, ROUNDS = 100_000, 5
USERS, CLASSES = 100_000, 50


def fire_us(**kwargs):
    """CPU microseconds of one event, recorded in the statistics; the lowest of some rounds."""
    environment = Environment()
    environment.create_local_runner()
    fire = environment.events.request.fire
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(FIRED):
            fire(request_type="custom", name="call", response_time=12.5, response_length=10, **kwargs)
        rounds.append((time.process_time() - started) / FIRED * 1e6)
    assert environment.stats.total.num_requests == ROUNDS * FIRED
    return min(rounds)


def dispatch_s():
    """CPU seconds until all users are dispatched at once."""
    classes = [type(f"User{i}", (User,), {"weight": 1 + i % 7}) for i in range(CLASSES)]
    dispatcher = UsersDispatcher([WorkerNode("worker")], classes)
    dispatcher.new_dispatch(USERS, USERS)
    started = time.process_time()
    dispatched = next(dispatcher)["worker"]
    assert sum(dispatched.values()) == USERS
    return time.process_time() - started


everything = {"response": object(), "context": {}, "start_time": time.time(), "url": "custom://call"}
print(
    json.dumps(
        {
            "fire_us": fire_us(exception=None),
            "fire_everything_us": fire_us(exception=None, **everything),
            "fire_failed_us": fire_us(exception=ValueError("no"), **everything),
            "dispatch_s": dispatch_s(),
        }
    )
)
