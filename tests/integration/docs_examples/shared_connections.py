"""Connections that all users of a class share, instead of each having its own."""

from geventhttpclient.client import HTTPClientPool
from urllib3 import PoolManager

from locust import FastHttpUser, HttpUser, constant, task


class Sharing(HttpUser):
    wait_time = constant(0.05)
    pool_manager = PoolManager(maxsize=5, block=True)

    @task
    def ask(self):
        self.client.get("/anything/shared/manager")


class FastSharing(FastHttpUser):
    wait_time = constant(0.05)
    client_pool = HTTPClientPool(concurrency=5)

    @task
    def ask(self):
        self.client.get("/anything/shared/pool")
