"""The web page extended as users do it: routes, blueprints, hooks, replaced views, tabs and tables."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from command_process import Command, command, write

LOCAL = ("-P", "0", "--web-host", "127.0.0.1")


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def url(subject: Command, path: str) -> str:
    return f"http://127.0.0.1:{subject.port}{path}"


EXTENSION = """
import json

from flask import Blueprint, g, jsonify, make_response, redirect, render_template, request, session

from locust import HttpUser, User, constant, events, task, web


@web.app.route("/at_import")
def at_import():
    return "made at import"


@web.app.before_request
def note():
    g.noted = request.args.get("note", "nothing")


@web.app.teardown_request
def torn_down(error):
    print("teardown", request.path, type(error).__name__, flush=True)


@web.app.errorhandler(ZeroDivisionError)
def on_zero(error):
    return {"mistake": str(error)}, 418


@web.app.template_filter("shout")
def shout(text):
    return text.upper()


shop = Blueprint("shop", __name__, template_folder="shop_templates", static_folder="shop_static",
                 static_url_path="/shop_files", url_prefix="/shop")


@shop.route("/page")
def shop_page():
    return render_template("shop.html", name="<tom>")


@shop.errorhandler(404)
def shop_404(error):
    return "no such shop", 404


lengths = {}


@events.request.add_listener
def on_request(name, response_length, **kwargs):
    lengths[name] = lengths.get(name, 0) + response_length


@events.reset_stats.add_listener
def on_reset():
    lengths.clear()


@events.init.add_listener
def on_init(environment, web_ui, **kwargs):
    if not web_ui:
        return
    app = web_ui.app
    assert environment.web_ui is web_ui and web.app is app
    app.config["SECRET_KEY"] = "not very secret"

    @app.route("/in_init")
    def in_init():
        return jsonify(noted=g.noted, users=environment.runner.user_count, host=environment.host)

    @app.route("/visits")
    def visits():
        session["visits"] = session.get("visits", 0) + 1
        return str(session["visits"])

    @app.route("/zero")
    def zero():
        return 1 / 0

    @app.route("/raises")
    def raises():
        raise KeyError("lost")

    @app.route("/submit", methods=["POST"])
    def submit():
        return redirect("/in_init")

    @app.after_request
    def extend_stats(response):
        response.headers["X-Extended"] = "yes"
        if request.path != "/stats/requests":
            return response
        rows = [{"name": name, "content_length": length} for name, length in sorted(lengths.items())]
        extended = [{"key": "length", "data": rows}]
        response.set_data(json.dumps({**response.get_json(), "extended_stats": extended}))
        return response

    @app.route("/length/csv")
    def length_csv():
        response = make_response("".join(f"{name},{length}\\\\n" for name, length in sorted(lengths.items())))
        response.headers["Content-Disposition"] = "attachment;filename=length.csv"
        response.headers["Content-Type"] = "text/csv"
        return response

    @app.route("/extended")
    def extended():
        web_ui.update_template_args()
        return render_template("index.html", template_args={
            **web_ui.template_args,
            "extended_tabs": [{"title": "Content length", "key": "length"}],
            "extended_tables": [{"key": "length", "structure": [
                {"key": "name", "title": "Name"}, {"key": "content_length", "title": "Total"}]}],
            "extended_csv_files": [{"href": "/length/csv", "title": "Download"}],
        })

    @app.route("/guarded")
    @web_ui.auth_required_if_enabled
    def guarded():
        return "guarded"

    logs = app.view_functions["locust.logs"]

    def replaced():
        return jsonify(replaced=True, lines=len(logs().get_json()["master"]))

    app.view_functions["locust.logs"] = replaced
    app.register_blueprint(shop)


class Visitor(User):
    wait_time = constant(0.02)

    @task
    def look(self):
        self.environment.events.request.fire(
            request_type="GET", name="/look", response_time=5, response_length=10, exception=None, context={})
"""


def write_extension(folder: Path) -> None:
    write(folder, EXTENSION.replace("\\\\n", "\\n"))
    for name, text in (
        ("shop_templates/shop.html", "Shop of {{ name|shout }}"),
        ("shop_static/shop.css", "body {}"),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def test_a_page_that_is_extended_in_every_way(tmp_path: Path, http: requests.Session) -> None:
    write_extension(tmp_path)
    with command(*LOCAL, folder=tmp_path) as subject:
        for path, status, text in (
            ("/at_import", 200, "made at import"),
            ("/shop/page", 200, "Shop of &lt;TOM&gt;"),
            ("/shop/shop_files/shop.css", 200, "body {}"),
            ("/guarded", 200, "guarded"),
            ("/visits", 200, "1"),
            ("/visits", 200, "2"),
            ("/nowhere", 404, "Not Found"),
        ):
            answer = http.get(url(subject, path), timeout=10)
            assert (path, answer.status_code, text in answer.text) == (path, status, True), answer.text
            assert answer.headers["X-Extended"] == "yes"
        assert http.get(url(subject, "/in_init?note=this"), timeout=10).json() == {
            "noted": "this",
            "users": 0,
            "host": None,
        }
        assert http.post(url(subject, "/submit"), timeout=10).json()["noted"] == "nothing"
        assert http.get(url(subject, "/zero"), timeout=10).json() == {"mistake": "division by zero"}
        assert http.get(url(subject, "/logs"), timeout=10).json()["replaced"] is True
        _check_raising_route(subject, http)
        _check_extended_statistics(subject, http)
        subject.send(signal.SIGINT)
        assert subject.wait() == 0
        assert "teardown /at_import NoneType" in subject.out


def _check_raising_route(subject: Command, http: requests.Session) -> None:
    """One request is answered with 500 and logged once, with its traceback; the others are as before."""
    answer = http.get(url(subject, "/raises"), timeout=10)
    assert (answer.status_code, "Internal Server Error" in answer.text) == (500, True)
    assert "lost" not in answer.text
    subject.wait_for("KeyError: 'lost'")
    assert http.get(url(subject, "/at_import"), timeout=10).status_code == 200
    assert subject.err.count("KeyError: 'lost'") == 1
    assert subject.err.count("Traceback (most recent call last)") == 1
    assert "Exception on /raises [GET]" in subject.err


def _check_extended_statistics(subject: Command, http: requests.Session) -> None:
    form = {"user_count": "2", "spawn_rate": "10"}
    assert http.post(url(subject, "/swarm"), data=form, timeout=10).json()["success"]
    end = time.monotonic() + 20
    data: list[Any] = []
    while not data:
        assert time.monotonic() < end, "no extended statistics"
        figures = http.get(url(subject, "/stats/requests?all=1"), timeout=10).json()
        data = figures["extended_stats"][0]["data"]
    assert (data[0]["name"], data[0]["content_length"] >= 10) == ("/look", True)
    assert figures["stats"][-1]["name"] == "Aggregated"
    page = http.get(url(subject, "/extended"), timeout=10)
    args = json.loads(page.text.partition("window.templateArgs = ")[2].partition(";")[0])
    assert args["extended_tabs"] == [{"title": "Content length", "key": "length"}]
    assert args["extended_tables"][0]["structure"][1] == {"key": "content_length", "title": "Total"}
    assert args["extended_csv_files"] == [{"href": "/length/csv", "title": "Download"}]
    assert (args["user_count"], args["state"]) == (2, "running")
    saved = http.get(url(subject, "/length/csv"), timeout=10)
    assert saved.text.startswith("/look,")
    assert saved.headers["Content-Disposition"] == "attachment;filename=length.csv"
    assert http.post(url(subject, "/stop"), timeout=10).json()["success"]
    assert http.post(url(subject, "/stats/reset"), timeout=10).text == "ok"
    figures = http.get(url(subject, "/stats/requests"), timeout=10).json()
    assert figures["extended_stats"] == [{"key": "length", "data": []}]


SLOW = """
import threading
import time as blocked_time

import gevent
import requests
from gevent.monkey import get_original

from locust import User, constant, events, task

never = gevent.event.Event()


@events.init.add_listener
def on_init(environment, web_ui, **kwargs):
    @web_ui.app.route("/never")
    def wait_for_ever():
        print("waiting for ever", flush=True)
        never.wait()

    @web_ui.app.route("/asks")
    def asks():
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"http://127.0.0.1:{web_ui.port}/worker-count", timeout=10).text

    @web_ui.app.route("/blocks")
    def blocks():
        get_original("time", "sleep")(1.6)
        return "blocked"


class Visitor(User):
    wait_time = constant(0.02)

    @task
    def look(self):
        pass
"""


def test_slow_routes_of_users_keep_nobody_waiting(tmp_path: Path, http: requests.Session) -> None:
    write(tmp_path, SLOW)
    with command(*LOCAL, "--autostart", "-u", "2", folder=tmp_path) as subject:
        subject.wait_for("All users spawned")
        with pytest.raises(requests.exceptions.ReadTimeout):
            http.get(url(subject, "/never"), timeout=0.2)
        subject.wait_for("waiting for ever")
        assert http.get(url(subject, "/stats/requests"), timeout=10).json()["user_count"] == 2
        assert http.get(url(subject, "/asks"), timeout=10).json() == {"worker_count": 0}
        assert http.get(url(subject, "/blocks"), timeout=20).text == "blocked"
        subject.wait_for("by on_init.<locals>.blocks() at locustfile.py:")
        assert http.post(url(subject, "/stop"), timeout=10).json()["success"]
        subject.send(signal.SIGTERM)
        assert subject.wait() == 0
        assert "Traceback" not in subject.err
