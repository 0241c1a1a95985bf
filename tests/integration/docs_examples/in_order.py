"""Tasks one after the other, as they are declared: a checkout."""

from locust import HttpUser, SequentialTaskSet, constant, task


class Checkout(SequentialTaskSet):
    @task
    def fill(self):
        self.steps = ["fill"]

    @task(2)
    def add(self):
        self.steps.append("add")

    @task
    def pay(self):
        self.steps.append("pay")
        self.client.get("/anything/checkout/pay", name=" ".join(self.steps))
        self.interrupt()


class Buyer(HttpUser):
    wait_time = constant(0.01)
    tasks = [Checkout]
