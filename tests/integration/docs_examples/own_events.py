"""Listeners: every request, begin and end of a test, an event of one's own, a page of one's own."""

from locust import HttpUser, constant, events, task
from locust.event import EventHook
from locust.runners import MasterRunner, WorkerRunner

order_placed = EventHook()
placed = []


@events.init.add_listener
def add_a_page(environment, web_ui, **kwargs):
    if web_ui is not None:

        @web_ui.app.route("/orders")
        def orders():
            return f"{len(placed)} orders at {environment.host}"


@events.test_start.add_listener
def announce(environment, **kwargs):
    # With several processes, only the master says it.
    if not isinstance(environment.runner, WorkerRunner):
        print("the test starts at", environment.host, isinstance(environment.runner, MasterRunner))


@events.request.add_listener
def watch(request_type, name, response_time, response_length, exception, context, **kwargs):
    if exception is None and "order" in context:
        order_placed.fire(number=context["order"], took=response_time)


@order_placed.add_listener
def note(number, took):
    placed.append(number)
    print("order", number, "was placed in less than a minute:", took < 60000)


@events.test_stop.add_listener
def close_the_books(environment, **kwargs):
    print("the books are closed:", len(placed) > 0)


@events.quitting.add_listener
def say_good_bye(environment, **kwargs):
    print("failures so far:", environment.stats.total.num_failures)


class Orderer(HttpUser):
    wait_time = constant(0.05)

    def context(self):
        return {"order": len(placed) + 1}

    @task
    def place(self):
        self.client.post("/anything/order", json={})
