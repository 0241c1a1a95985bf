"""How long users wait between two tasks."""

from locust import User, between, constant, constant_pacing, constant_throughput, poisson, task


class Waiting(User):
    abstract = True

    @task
    def say(self):
        seconds = self.wait_time()
        print(type(self).__name__, "waits", "a bit" if 0 <= seconds <= 5 else "too long")


class Always(Waiting):
    wait_time = constant(0.02)


class Somehow(Waiting):
    wait_time = between(0.01, 0.02)


class Paced(Waiting):
    wait_time = constant_pacing(0.02)


class SoOften(Waiting):
    wait_time = constant_throughput(50)


class AtRandom(Waiting):
    wait_time = poisson(100)


class Growing(Waiting):
    last = 0.0

    def wait_time(self):
        self.last = min(self.last + 0.001, 0.02)
        return self.last
