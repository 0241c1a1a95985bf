"""The shortest locustfile that is of use: one kind of user, one task."""

from locust import HttpUser, task


class Reader(HttpUser):
    @task
    def read(self):
        self.client.get("/anything/first/front")
        self.client.get("/anything/first/article")
