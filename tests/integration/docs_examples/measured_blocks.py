"""Anything can be a request of the statistics: a block of several steps, or a function call."""

import time

from locust import HttpUser, constant, events, task


class Measurer(HttpUser):
    wait_time = constant(0.05)

    @task
    def checkout(self):
        with events.request.measure("block", "whole checkout") as meta:
            self.client.get("/anything/measured/basket")
            self.client.get("/anything/measured/payment")
            meta["response_length"] = 42

    @task
    def fails_in_the_block(self):
        with events.request.measure("block", "broken checkout"):
            raise ValueError("no basket")

    @task
    def by_hand(self):
        start = time.perf_counter()
        total = sum(range(1000))
        self.environment.events.request.fire(
            request_type="call",
            name="sum of numbers",
            response_time=(time.perf_counter() - start) * 1000,
            response_length=total,
            exception=None,
            context={},
        )
