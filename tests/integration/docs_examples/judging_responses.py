"""The task decides whether a response was good."""

from locust import HttpUser, constant, task
from locust.exception import RescheduleTask


class Inspector(HttpUser):
    wait_time = constant(0.05)

    @task
    def a_404_is_what_we_want(self):
        with self.client.get("/status/404", catch_response=True) as answer:
            if answer.status_code == 404:
                answer.success()

    @task
    def a_good_status_is_not_enough(self):
        with self.client.get("/anything/judged", catch_response=True) as answer:
            if "sold out" not in answer.text:
                answer.failure("nothing is sold out")

    @task
    def too_slow_is_a_failure(self):
        with self.client.get("/delay/5", name="judged by time", catch_response=True) as answer:
            if answer.elapsed.total_seconds() > 0.001:
                answer.failure("slower than a millisecond")

    @task
    def give_up(self):
        with self.client.get("/status/503", name="given up", catch_response=True) as answer:
            if answer.status_code == 503:
                raise RescheduleTask
