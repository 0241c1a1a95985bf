"""GET over HTTP/2: with prior knowledge, or over TLS where ALPN says so."""

import os

from locust import FastHttpUser, HttpUser, task


class Http2Http(HttpUser):
    http_version = "2"

    def on_start(self):
        self.client.verify = os.environ["BENCH_CA"]

    @task
    def get(self):
        self.client.get("/")


class Http2Fast(FastHttpUser):
    http_version = "2"

    @task
    def get(self):
        self.client.get("/")
