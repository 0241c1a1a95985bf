"""One user in a debugger: `python debugging.py --host ...` runs it like any other program."""

from locust import HttpUser, events, run_single_user, task
from locust.exception import StopUser


@events.init.add_listener
def say_init(runner, web_ui, **kwargs):
    print("init", runner, web_ui)


@events.test_start.add_listener
def say_start(environment, **kwargs):
    print("start")


class Debugged(HttpUser):
    @task
    def step(self):
        self.client.post("/anything/debugged", data="some text", context={"step": 1})
        self.client.get("/status/404")
        raise StopUser


if __name__ == "__main__":
    run_single_user(Debugged, include_length=True, include_context=True, include_payload=True)
    run_single_user(Debugged)
