"""Users that never wait, a page with a route of its own, and as many names as asked for."""

import os

from locust import HttpUser, events, task

NAMES = int(os.environ["BENCH_NAMES"])
TIMES = 20


class BusyHttp(HttpUser):
    @task
    def get(self):
        self.client.get("/")


@events.init.add_listener
def on_init(environment, web_ui, **kw):
    with open(os.environ["BENCH_PORT_FILE"], "w") as file:
        file.write(str(web_ui.port))

    @web_ui.app.route("/own")
    def own():
        return "own"

    if os.environ.get("BENCH_WORK_OUT"):
        # Each answer is worked out, none is a remembered one.
        web_ui.app.before_request(web_ui.figures.clear)


@events.test_start.add_listener
def on_test_start(environment, **kw):
    for number in range(NAMES):
        for time_ms in range(TIMES):
            environment.stats.log_request("GET", f"/shop/category/{number}/item", 1 + 7.3 * time_ms, 100)
