"""Calls of a REST API: what is asserted about the decoded answer decides the request."""

from locust import FastHttpUser, HttpUser, constant, task


class ApiCaller(HttpUser):
    wait_time = constant(0.05)

    @task
    def create(self):
        with self.rest("POST", "/anything/items", json={"size": 7}) as answer:
            assert answer.js["method"] == "POST"
            assert '"size": 7' in answer.js["body"] or '"size":7' in answer.js["body"]

    @task
    def refuse(self):
        with self.rest("GET", "/anything/refused") as answer:
            assert answer.js["method"] == "PUT", "it was no PUT"


class FastApiCaller(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def list_them(self):
        # A parameter that defeats caches; one row of the statistics all the same.
        with self.rest_("GET", "/anything/items") as answer:
            assert answer.js["query"].startswith("_=")
