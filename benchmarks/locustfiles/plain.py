"""The smallest task there is. The same file runs under stock Locust and under locust-c."""

import os

from locust import FastHttpUser, HttpUser, events, task

if os.environ.get("BENCH_LISTENER"):

    @events.request.add_listener
    def on_request(**kw):
        """A listener that takes everything and does nothing: its dispatch is what is measured."""


class PlainHttp(HttpUser):
    def on_start(self):
        self.client.verify = os.environ["BENCH_CA"]

    @task
    def get(self):
        self.client.get("/")


class PlainFast(FastHttpUser):
    @task
    def get(self):
        self.client.get("/")
