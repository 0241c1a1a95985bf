"""Pages of one's own in the web UI as a blueprint of Flask; what they show is reset with the statistics."""

from collections import Counter

from flask import Blueprint, jsonify

from locust import HttpUser, constant, events, task

lengths = Counter()
pages = Blueprint("lengths", __name__)


@pages.route("/lengths")
def show_lengths():
    return jsonify(lengths)


@events.init.add_listener
def extend(environment, web_ui, **kwargs):
    if web_ui is not None:
        web_ui.app.register_blueprint(pages)


@events.request.add_listener
def count(name, response_length, **kwargs):
    lengths[name] += response_length or 0


@events.reset_stats.add_listener
def empty(**kwargs):
    lengths.clear()
    print("lengths are forgotten")


class LengthUser(HttpUser):
    wait_time = constant(0.05)

    @task
    def get_bytes(self):
        self.client.get("/bytes/1000")
