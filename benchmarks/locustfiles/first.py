"""A small locustfile: how long until its first request is made."""

from locust import HttpUser, task


class Visitor(HttpUser):
    @task
    def look(self):
        self.client.get("/")
        self.environment.runner.quit()
