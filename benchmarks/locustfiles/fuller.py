"""A task as people write them: JSON out, bearer token, cookies, gzip back, and the answer is looked at."""

import os

from locust import FastHttpUser, HttpUser, task

TOKEN = os.environ["BENCH_BEARER"]
ORDER = {"customer": 4711, "items": [{"sku": "A-1", "count": 2}, {"sku": "B-7", "count": 1}], "express": True}


def place_order(user):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with user.client.post("/api", json=ORDER, headers=headers, catch_response=True) as response:
        if not response.json()["ok"]:
            response.failure("the answer is not ok")


class FullerHttp(HttpUser):
    def on_start(self):
        self.client.get("/login")

    @task
    def order(self):
        place_order(self)


class FullerFast(FastHttpUser):
    def on_start(self):
        self.client.get("/login")

    @task
    def order(self):
        place_order(self)
