"""The ways to say which tasks a user has: decorated methods, a list, a dict with weights, none at all."""

from locust import HttpUser, User, constant, task


def open_door(user):
    user.client.get("/anything/door/open")


def close_door(user):
    user.client.get("/anything/door/close")


class FromList(HttpUser):
    wait_time = constant(0.05)
    tasks = [open_door]


class FromDict(HttpUser):
    wait_time = constant(0.05)
    tasks = {open_door: 3, close_door: 1}

    @task(2)
    def ring(self):
        self.client.get("/anything/door/bell")


class Counter(User):
    """Without HTTP: the tasks may do anything."""

    wait_time = constant(0.05)

    @task
    def count(self):
        total = sum(cls.tasks.count(open_door) for cls in (FromList, FromDict))
        print("doors are opened by", total, "of", len(FromList.tasks) + len(FromDict.tasks), "tasks")
