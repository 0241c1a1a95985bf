"""An ordinary locustfile: visitors of a small shop, and a script that polls its stock.

Run it with `./demo`, or against another server with the same pages:
`locust -f examples/locustfile.py -H http://127.0.0.1:8000`
"""

import random

from locust import FastHttpUser, HttpUser, between, constant_throughput, tag, task


class Visitor(HttpUser):
    """Reads the shop, and sometimes orders."""

    wait_time = between(0.2, 1)
    weight = 4

    def on_start(self) -> None:
        self.client.post("/login", json={"name": "visitor", "password": "secret"})

    @task(10)
    def front_page(self) -> None:
        self.client.get("/")

    @task(5)
    def item(self) -> None:
        # One row in the statistics for all items, instead of one for each.
        self.client.get(f"/items/{random.randint(1, 1000)}", name="/items/[id]")

    @tag("order")
    @task
    def order(self) -> None:
        order = {"item": random.randint(1, 1000), "count": 1}
        with self.client.post("/orders", json=order, catch_response=True) as response:
            if response.status_code != 201:
                response.failure(f"the order was answered with status {response.status_code}")
            elif response.json()["item"] != order["item"]:
                response.failure("another item was ordered")


class StockPoller(FastHttpUser):
    """Asks for the stock five times a second, however long an answer takes."""

    wait_time = constant_throughput(5)

    @task
    def stock(self) -> None:
        self.client.get("/stock")
