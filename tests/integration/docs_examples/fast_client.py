"""The other HTTP client, for more requests per core, and its settings; users that never wait."""

from locust import FastHttpUser, task


class Hasty(FastHttpUser):
    network_timeout = 20.0
    connection_timeout = 5.0
    max_redirects = 2
    default_headers = {"X-Hasty": "yes"}

    @task
    def hurry(self):
        with self.client.get("/anything/hasty", catch_response=True) as answer:
            if dict(answer.json()["headers"]).get("X-Hasty") != "yes":
                answer.failure("the default header was not sent")
        with self.client.rename_request("hasty redirect"):
            self.client.get("/redirect/1")
        for line in self.client.iter_lines("/text", name="hasty lines"):
            print("hasty line", line)
