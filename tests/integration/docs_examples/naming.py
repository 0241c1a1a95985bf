"""Under which name a request is counted: one name for many URLs."""

from locust import HttpUser, constant, task


class Namer(HttpUser):
    wait_time = constant(0.05)

    @task
    def by_argument(self):
        for number in range(2):
            self.client.get(f"/anything/blog?post={number}", name="named by argument")

    @task
    def for_several_requests(self):
        with self.client.rename_request("named by a block"):
            self.client.get("/anything/a")
            self.client.get("/anything/b")

    @task
    def until_changed(self):
        self.client.request_name = "named until changed"
        self.client.get("/anything/c")
        self.client.request_name = None

    @task
    def afterwards(self):
        with self.client.get("/anything/d", catch_response=True) as answer:
            answer.request_meta["name"] = "named by " + answer.json()["method"]
            answer.request_meta["context"]["why"] = "the answer decides"
