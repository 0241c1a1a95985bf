"""Messages between the parts of a test; with a single process they arrive in the same one."""

from locust import User, constant, events, task


@events.init.add_listener
def register(environment, runner, **kwargs):
    def take(environment, msg, **kwargs):
        print("message", msg.type, msg.data["users"])

    runner.register_message("names of users", take)


@events.test_start.add_listener
def send(environment, **kwargs):
    environment.runner.send_message("names of users", {"users": ["ann", "bob"]})


class Listening(User):
    wait_time = constant(1)

    @task
    def nothing(self):
        pass
