"""A test from a program of one's own; two of them at once, in this case."""

import sys

import gevent

from locust import HttpUser, constant, events, task
from locust.env import Environment
from locust.log import setup_logging
from locust.stats import stats_history, stats_printer

setup_logging("INFO")


class LibraryUser(HttpUser):
    wait_time = constant(0.02)

    @task
    def ask(self):
        self.client.get("/anything/library")


class OtherUser(HttpUser):
    wait_time = constant(0.02)

    @task
    def ask(self):
        self.client.get("/anything/other")


def make(user_class, **options):
    environment = Environment(user_classes=[user_class], host=sys.argv[1], **options)
    environment.create_local_runner()
    return environment


environment, other = make(LibraryUser, events=events), make(OtherUser)
web_ui = environment.create_web_ui("127.0.0.1", 0)
environment.events.init.fire(environment=environment, runner=environment.runner, web_ui=web_ui)
helpers = [
    gevent.spawn(stats_printer(environment.stats)),
    gevent.spawn(stats_history, environment.runner),
]
for one in (environment, other):
    one.runner.start(2, spawn_rate=100)
while environment.stats.total.num_requests < 5 or other.stats.total.num_requests < 5:
    gevent.sleep(0.01)
for one in (environment, other):
    one.runner.quit()
    one.runner.greenlet.join()
web_ui.stop()
gevent.killall(helpers)

print("of the library", sorted(name for name, _ in environment.stats.entries))
print("of the other", sorted(name for name, _ in other.stats.entries))
print("states", environment.runner.state, other.runner.state)
print("failures", environment.stats.total.num_failures + other.stats.total.num_failures)
