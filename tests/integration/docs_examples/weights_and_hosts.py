"""Several kinds of users: how many there are of each, what they share, and where they go."""

from locust import HttpUser, constant, task


class Visitor(HttpUser):
    """What all of them have; is not spawned itself."""

    abstract = True
    wait_time = constant(0.05)

    @task
    def visit(self):
        self.client.get(f"/anything/visited-by/{type(self).__name__}")


class Guest(Visitor):
    weight = 3


class Member(Visitor):
    weight = 1


class Caretaker(Visitor):
    """Exactly one, however many there are of the others."""

    fixed_count = 1
