"""What the page answers about statistics: all of them, in JSON, remembered for a moment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from web_fixtures import Visitor, make_environment, options, page

import locust_c.web
from locust_c.env import Environment
from locust_c.event import Events
from locust_c.stats import StatsEntry
from locust_c.stats_json import json_of


@pytest.fixture
def web_ui(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(locust_c.web, "DEFAULT_CACHE_TIME", 0.0)
    with page(
        monkeypatch, environment=make_environment(host="http://h", parsed_options=options())
    ) as subject:
        yield subject


@pytest.fixture
def client(web_ui: Any) -> Any:
    return web_ui.app.test_client()


def test_figures_of_a_test_that_has_not_started(client: Any) -> None:
    figures = client.get("/stats/requests").json
    assert sorted(figures) == [
        "current_fail_per_sec",
        "current_response_time_percentile_1",
        "current_response_time_percentile_2",
        "current_response_time_percentile_50",
        "current_response_time_percentile_95",
        "current_response_time_percentiles",
        "current_rps",
        "errors",
        "fail_ratio",
        "state",
        "stats",
        "total_fail_per_sec",
        "total_rps",
        "user_count",
    ]
    assert (figures["state"], figures["user_count"], figures["errors"]) == ("ready", 0, [])
    assert figures["current_response_time_percentiles"] == {
        "response_time_percentile_0.5": None,
        "response_time_percentile_0.95": None,
    }
    assert [figures[f"current_response_time_percentile_{old}"] for old in ("1", "2", "50", "95")] == [0] * 4
    assert [row["name"] for row in figures["stats"]] == ["Aggregated"]


def test_figures_of_requests(web_ui: Any, client: Any) -> None:
    stats = web_ui.environment.stats
    for method, name, length in (("GET", "/b", 10), ("POST", "/a", 30), ("GET", "/a", 20)):
        stats.log_request(method, name, 12.0, length)
    stats.log_error("GET", "/b", "boom")
    figures = client.get("/stats/requests").json
    assert [(row["method"], row["name"]) for row in figures["stats"]] == [
        ("GET", "/a"),
        ("POST", "/a"),
        ("GET", "/b"),
        ("", "Aggregated"),
    ]
    assert sorted(figures["stats"][0]) == [
        "avg_content_length",
        "avg_response_time",
        "current_fail_per_sec",
        "current_rps",
        "max_response_time",
        "median_response_time",
        "method",
        "min_response_time",
        "name",
        "num_failures",
        "num_requests",
        "response_time_percentile_0.95",
        "response_time_percentile_0.99",
        "total_fail_per_sec",
        "total_rps",
    ]
    assert (figures["stats"][-1]["num_requests"], figures["stats"][-1]["num_failures"]) == (3, 1)
    (error,) = figures["errors"]
    assert (error["method"], error["name"], error["error"], error["occurrences"]) == ("GET", "/b", "boom", 1)
    assert figures["fail_ratio"] == pytest.approx(1 / 3)


def test_no_more_than_500_entries_are_shown(web_ui: Any, client: Any) -> None:
    for number in range(510):
        web_ui.environment.stats.log_request("GET", f"/{number}", 1, 1)
        web_ui.environment.stats.log_error("GET", f"/{number}", f"e{number}")
    figures = client.get("/stats/requests").json
    assert (len(figures["stats"]), len(figures["errors"])) == (501, 500)


def test_figures_are_remembered_for_a_moment(
    web_ui: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locust_c.web, "DEFAULT_CACHE_TIME", 1000.0)
    assert client.get("/stats/requests").json["stats"][-1]["num_requests"] == 0
    web_ui.environment.stats.log_request("GET", "/", 1, 1)
    assert client.get("/stats/requests").json["stats"][-1]["num_requests"] == 0
    client.post("/stats/reset")
    web_ui.environment.stats.log_request("GET", "/", 1, 1)
    assert client.get("/stats/requests").json["stats"][-1]["num_requests"] == 1


def test_the_view_has_clear_cache(web_ui: Any, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locust_c.web, "DEFAULT_CACHE_TIME", 1000.0)
    for count in (1, 2):
        web_ui.environment.stats.log_request("GET", "/", 1, 1)
        web_ui.app.view_functions["locust.request_stats"].clear_cache()
        assert client.get("/stats/requests").json["stats"][-1]["num_requests"] == count


@pytest.mark.parametrize(("name", "ascii"), [("/é", False), ("/é\ud800", True)])
def test_the_answer_is_sorted_and_readable(web_ui: Any, client: Any, name: str, ascii: bool) -> None:
    web_ui.environment.stats.log_request("GET", name, 12.5, 1)
    answer = client.get("/stats/requests")
    assert answer.content_type == "application/json"
    assert answer.json["stats"][0]["name"] == name
    assert answer.text == json.dumps(answer.json, indent=2, sort_keys=True, ensure_ascii=ascii) + "\n"
    assert client.get("/stats/requests?all=1").json["stats"][0]["name"] == name


def test_the_page_shows_the_times_that_were_measured(web_ui: Any, client: Any) -> None:
    stats = web_ui.environment.stats
    for time in (0.07, 0.26, 0.27, 1.33):
        stats.log_request("GET", "/", time, 1)
    columns = [
        "min_response_time",
        "median_response_time",
        "response_time_percentile_0.99",
        "max_response_time",
    ]
    stock, page = (client.get(f"/stats/requests{query}").json["stats"][0] for query in ("", "?all=1"))
    assert [stock[column] for column in columns] == [0, 0.07, 1, 1]
    assert [page[column] for column in columns] == pytest.approx([0.07, 0.26, 1.33, 1.33], abs=0.011)
    assert set(page) == set(stock)


def test_current_percentiles_are_there_under_old_names(web_ui: Any, client: Any) -> None:
    total = web_ui.environment.stats.total
    total.get_current_response_time_percentile = {0.5: 7, 0.95: 40}.__getitem__
    figures = client.get("/stats/requests").json
    old = {name: figures[f"current_response_time_percentile_{name}"] for name in ("1", "2", "50", "95")}
    assert old == {"1": 7, "2": 40, "50": 7, "95": 40}


def test_all_entries_are_there_when_asked_for(web_ui: Any, client: Any) -> None:
    stats = web_ui.environment.stats
    for number in range(510):
        stats.log_request("GET", f"/{number:03}", 1, 1)
        stats.log_error("GET", f"/{number:03}", "x" * 2005)
    some, figures = client.get("/stats/requests").json, client.get("/stats/requests?all=1").json
    assert [row["name"] for row in figures["stats"]] == [f"/{n:03}" for n in range(510)] + ["Aggregated"]
    assert [row["num_failures"] for row in figures["stats"]] == [1] * 510 + [510]
    assert set(figures) - set(some) == {"errors_count"}
    assert (len(figures["errors"]), figures["errors_count"]) == (500, 510)
    assert figures["errors"][0]["error"] == "x" * 2000 + "… (5 more characters)"
    assert some["errors"][0]["error"] == "x" * 2005
    assert len(client.get("/stats/requests?all=0").json["stats"]) == 501


def test_an_entry_of_a_program_makes_its_row_itself(web_ui: Any, client: Any) -> None:
    class Own(StatsEntry):
        def to_dict(self, escape_string_values: bool = False) -> dict[str, Any]:
            return {**super().to_dict(), "own": 1}

    stats = web_ui.environment.stats
    stats.entries["/", "GET"] = Own(stats, "/", "GET")
    assert client.get("/stats/requests").json["stats"][0]["own"] == 1


def test_requests_at_once_share_one_answer(web_ui: Any, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locust_c.web, "DEFAULT_CACHE_TIME", 1000.0)
    begun, go_on, made = gevent.event.Event(), gevent.event.Event(), []

    class Slow(StatsEntry):
        def to_dict(self, escape_string_values: bool = False) -> dict[str, Any]:
            made.append(self.num_requests)
            begun.set()
            go_on.wait()
            return super().to_dict()

    stats = web_ui.environment.stats
    stats.entries["/", "GET"] = Slow(stats, "/", "GET")
    calls = [gevent.spawn(client.get, "/stats/requests") for _ in range(2)]
    begun.wait()
    # What is being worked out is forgotten as well: who asks from now on gets the new figures.
    web_ui.figures.clear()
    calls.append(gevent.spawn(client.get, "/stats/requests"))
    gevent.sleep(0)
    go_on.set()
    gevent.joinall(calls, timeout=5, raise_error=True)
    assert [call.value.status_code for call in calls] == [200] * 3
    assert len(made) == 2


def test_phases_by_entry(web_ui: Any, client: Any) -> None:
    stats = web_ui.environment.stats
    stats.log_request("GET", "/b", 12.0, 1)
    stats.get("/a", "GET").record_phases(1.0, 2.0, None, 0.25, 8.0, 0.5, 0.125)
    answer = client.get("/stats/phases").json
    assert answer["phases"] == ["lookup", "connect", "tls", "send", "wait", "receive"]
    first, second, _ = answer["stats"]
    assert (first["method"], [row["name"] for row in answer["stats"]]) == ("GET", ["/a", "/b", "Aggregated"])
    assert list(first["phases"]) == ["connect", "lookup", "receive", "send", "wait"]
    times_ms = {"lookup": 1.0, "connect": 2.0, "send": 0.25, "wait": 8.0, "receive": 0.5}
    for name, expected in times_ms.items():
        phase = first["phases"][name]
        assert phase["count"] == 1
        assert phase["median"] == phase["p95"] == phase["p99"] == pytest.approx(expected, rel=0.01)
    assert first["generator_lag"]["median"] == pytest.approx(0.125, rel=0.01)
    assert (second["phases"], second["generator_lag"]) == ({}, None)


def test_entries_can_be_saved_as_json(web_ui: Any, client: Any) -> None:
    web_ui.environment.locustfile = "flow.py"
    assert client.get("/stats/requests/json").json == []
    web_ui.environment.stats.log_request("GET", "/a", 12.0, 10)
    answer = client.get("/stats/requests/json")
    assert answer.content_type == "application/json"
    assert re.fullmatch(
        r"attachment;filename=Locust_[\d-]+h\d\d_flow\.py_http___h_requests\.json",
        answer.headers["Content-Disposition"],
    )
    assert answer.text == json_of(web_ui.environment.stats)


def test_probes_hear_that_the_process_answers(client: Any) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok", "state": "ready"})


def test_probes_need_no_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = Environment(user_classes=[Visitor], events=Events())
    with page(monkeypatch, environment=environment) as web_ui:
        client = web_ui.app.test_client()
        assert client.get("/healthz").json == {"status": "ok", "state": "missing"}
        assert client.get("/stats/requests?all=1").json["errors_count"] == 0
        assert [row["name"] for row in client.get("/stats/phases").json["stats"]] == ["Aggregated"]
