"""A new connection for every request, as the header `Connection: close` asks for it."""

from locust import FastHttpUser, HttpUser, task

CLOSE = {"Connection": "close"}


class ClosingHttp(HttpUser):
    @task
    def get(self):
        self.client.get("/", headers=CLOSE)


class ClosingFast(FastHttpUser):
    @task
    def get(self):
        self.client.get("/", headers=CLOSE)
