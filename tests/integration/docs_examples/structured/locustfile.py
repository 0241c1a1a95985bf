"""A locustfile that imports from the packages next to it."""

from shop import steps

from locust import HttpUser, constant, task


class Structured(HttpUser):
    wait_time = constant(0.05)

    def on_start(self):
        steps.log_in(self.client, "ann")

    @task
    def search(self):
        steps.search(self.client, "lamp")
