"""A user that logs in, thinks between its tasks, and prefers one of them."""

from locust import HttpUser, between, task


class Shopper(HttpUser):
    wait_time = between(0.01, 0.05)

    def on_start(self):
        answer = self.client.post("/anything/shop/login", json={"user": "ann", "password": "secret"})
        self.client.headers["X-Session"] = str(len(answer.json()["body"]))

    @task(4)
    def look_around(self):
        # One row of the statistics for all articles.
        for number in range(3):
            self.client.get(f"/anything/shop/article?id={number}", name="/anything/shop/article?id=[id]")

    @task
    def see_the_basket(self):
        sent = dict(self.client.get("/anything/shop/basket").json()["headers"])
        print("shopper sent session", sent["X-Session"])
