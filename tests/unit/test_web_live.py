"""What the open page asks for again and again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from run_fixtures import wait_until
from web_fixtures import Visitor, make_environment, options, page

from locust_c import LoadTestShape, log
from locust_c.env import Environment
from locust_c.event import Events
from locust_c.log import LogReader
from locust_c.progress import KnowsProgress


@pytest.fixture
def web_ui(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(KnowsProgress, "timeline_interval_s", 0.01)
    with page(monkeypatch) as subject:
        yield subject


@pytest.fixture
def client(web_ui: Any) -> Any:
    return web_ui.app.test_client()


def test_a_page_can_tell_that_it_comes_from_another_server(
    client: Any, web_ui: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    web_ui.update_template_args()
    assert client.get("/stats/live").json["instance"] == web_ui.template_args["instance"]
    with page(monkeypatch) as another:
        assert another.instance != web_ui.instance


def test_before_a_test(client: Any, web_ui: Any) -> None:
    answer = client.get("/stats/live")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    values = answer.json
    line = values.pop("timeline")
    assert values == {
        "instance": web_ui.instance,
        "state": "ready",
        "host": None,
        "shape": None,
        "user_count": 0,
        "target_user_count": 0,
        "spawn_rate": None,
        "run_time_s": None,
        "elapsed_s": None,
        "time_left_s": None,
        "worker_count": 0,
        "workers": [],
        "total": {
            "num_requests": 0,
            "num_failures": 0,
            "current_rps": 0,
            "current_fail_per_sec": 0,
            "fail_ratio": 0,
            "total_rps": 0,
            "median_response_time": 0,
            "avg_response_time": 0,
            "generator_lag_p99": None,
        },
        "counts": {"names": 0, "errors": 0, "exceptions": 0, "log_lines": log.count_lines()},
    }
    assert set(line) == {
        *("epoch", "next", "step_s", "percentiles", "time", "users", "rps", "failures"),
        *("response_times", "lag", "heat", "marks"),
    }
    assert (line["next"], line["time"], line["marks"], len(line["heat"]["edges"])) == (0, [], [], 41)


def test_a_test_that_runs_for_a_time(web_ui: Any, client: Any) -> None:
    environment = web_ui.environment
    environment.host = "http://user:secret@shop.example"
    client.post("/swarm", data={"user_count": "2", "spawn_rate": "50", "run_time": "5m"})
    wait_until(lambda: environment.runner.state == "running")
    for _ in range(3):
        environment.stats.log_request("GET", "/a", 12, 100)
    environment.stats.log_error("GET", "/a", "broken")
    environment.stats.total.record_phases(None, None, None, 0.1, 12, 0.1, 4)
    environment.runner.log_exception("local", "message", "traceback")
    count = len(environment.runner.timeline.points)
    wait_until(lambda: len(environment.runner.timeline.points) > count)
    first = client.get("/stats/live").json
    assert (first["state"], first["host"]) == ("running", "http://shop.example")
    assert (first["user_count"], first["target_user_count"], first["spawn_rate"]) == (2, 2, 50)
    assert first["run_time_s"] == 300
    assert first["elapsed_s"] + first["time_left_s"] == pytest.approx(300, abs=20)
    assert (first["total"]["num_requests"], first["total"]["num_failures"]) == (3, 1)
    assert first["total"]["generator_lag_p99"] == pytest.approx(4, rel=0.01)
    counts = first["counts"]
    assert (counts["names"], counts["errors"], counts["exceptions"]) == (1, 1, 1)
    line = first["timeline"]
    assert sum(sum(cell[1::2]) for cell in line["heat"]["points"]) == 3
    wait_until(lambda: len(environment.runner.timeline.points) > line["next"])
    more = client.get(f"/stats/live?epoch={line['epoch']}&since={line['next']}").json["timeline"]
    assert more["time"][0] > line["time"][-1]
    assert (more["epoch"], more["next"]) == (line["epoch"], line["next"] + len(more["time"]))
    client.post("/stop")
    after = client.get("/stats/live").json
    assert (after["state"], after["run_time_s"], after["time_left_s"]) == ("stopped", None, None)
    assert after["elapsed_s"] >= first["elapsed_s"]
    assert [mark["text"] for mark in after["timeline"]["marks"]] == ["Test started", "Test stopped"]


def test_a_reset_is_seen_at_once(web_ui: Any, client: Any) -> None:
    web_ui.environment.runner.start(1, 100)
    wait_until(lambda: web_ui.environment.runner.timeline.points)
    line = client.get("/stats/live").json["timeline"]
    assert line["time"]
    client.post("/stats/reset")
    answer = client.get(f"/stats/live?epoch={line['epoch']}&since={line['next']}").json["timeline"]
    assert answer["epoch"] > line["epoch"]
    assert all(at > line["time"][-1] for at in answer["time"])


@pytest.mark.parametrize(
    "query", ["epoch=x&since=y", "epoch=&since=-5", "epoch=1e9", "since=99999999999999999999"]
)
def test_odd_numbers_get_all_points(web_ui: Any, client: Any, query: str) -> None:
    web_ui.environment.runner.start(1, 100)
    web_ui.environment.runner.stop()
    points = web_ui.environment.runner.timeline.points
    answer = client.get(f"/stats/live?{query}")
    assert points
    assert (answer.status_code, len(answer.json["timeline"]["time"])) == (200, len(points))


class Stages(LoadTestShape):
    """Two users."""

    def tick(self) -> tuple[int, float]:
        return 2, 100


def test_a_shape_has_a_name_and_no_limit() -> None:
    environment = make_environment(shape_class=Stages(), parsed_options=options())
    with page(environment=environment) as web_ui:
        client = web_ui.app.test_client()
        assert client.post("/swarm").json["success"]
        wait_until(lambda: environment.runner is not None and environment.runner.user_count == 2)
        values = client.get("/stats/live").json
        assert (values["shape"], values["target_user_count"]) == ("Stages", 2)
        assert (values["run_time_s"], values["time_left_s"]) == (None, None)


def test_without_a_runner() -> None:
    environment = Environment(user_classes=[Visitor], events=Events())
    with page(environment=environment) as web_ui:
        values = web_ui.app.test_client().get("/stats/live").json
        assert (values["state"], values["user_count"], values["elapsed_s"]) == ("missing", 0, None)
        assert values["timeline"]["time"] == []


def test_lines_of_the_log_are_counted_for_ever(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    logger, reader = logging.getLogger("locust"), LogReader()
    monkeypatch.setattr(logger, "handlers", [reader])
    for number in range(600):
        logger.error("line %d", number)
    assert client.get("/stats/live").json["counts"]["log_lines"] == 600
    assert len(log.get_logs()) == 500
