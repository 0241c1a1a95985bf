"""Tests whose number of users follows a function of the time."""

import math

from locust import HttpUser, LoadTestShape, constant, task


class Steady(HttpUser):
    wait_time = constant(0.05)

    @task
    def load(self):
        self.client.get("/anything/steady")


class Rare(HttpUser):
    wait_time = constant(0.05)

    @task
    def load(self):
        self.client.get("/anything/rare")


class Stages(LoadTestShape):
    """Stages, each with an end; the kinds of users may differ."""

    stages = [
        {"until": 1, "users": 2, "spawn_rate": 100, "user_classes": [Steady]},
        {"until": 3, "users": 4, "spawn_rate": 100, "user_classes": [Steady, Rare]},
    ]

    def tick(self):
        for stage in self.stages:
            if self.get_run_time() < stage["until"]:
                return stage["users"], stage["spawn_rate"], stage["user_classes"]
        return None


class Steps(LoadTestShape):
    """More users after each step."""

    step_users, step_seconds, steps = 10, 30, 4
    abstract = True

    def tick(self):
        step = int(self.get_run_time() // self.step_seconds) + 1
        return (step * self.step_users, self.step_users) if step <= self.steps else None


class TwoPeaks(LoadTestShape):
    """Two peaks, as of a lunch and an evening; the options of the command say how high and how long."""

    abstract = True
    use_common_options = True

    def tick(self):
        options = self.runner.environment.parsed_options
        share = self.get_run_time() / options.run_time
        if share > 1:
            return None
        height = math.exp(-((share * 8 - 2.5) ** 2)) + 0.6 * math.exp(-((share * 8 - 5.5) ** 2))
        users = max(1, round(options.num_users * height))
        return users, max(1, abs(users - self.get_current_user_count()))
