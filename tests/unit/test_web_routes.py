"""The addresses of the page: statuses, fields and messages."""

from __future__ import annotations

import csv
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import render_template
from report_page import Report
from web_fixtures import Visitor, make_environment, options, page, template_args, until

import locust_c.web
from locust_c.env import Environment
from locust_c.event import Events
from locust_c.stats import StatsCSV, StatsCSVFileWriter
from locust_c.web import built


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


def test_without_a_runner_the_figures_are_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = Environment(user_classes=[Visitor], events=Events())
    with page(monkeypatch, environment=environment) as web_ui:
        client = web_ui.app.test_client()
        assert client.get("/stats/requests").json == {
            "stats": [],
            "errors": [],
            "total_rps": 0.0,
            "total_fail_per_sec": 0.0,
            "fail_ratio": 0.0,
            "current_response_time_percentile_1": None,
            "current_response_time_percentile_2": None,
            "state": "missing",
            "user_count": 0,
        }
        answer = client.get("/")
        assert (answer.status_code, answer.text) == (
            500,
            "Error: Locust Environment does not have any runner",
        )
        swarm = client.post("/swarm", data={"user_count": "1", "spawn_rate": "1"}).json
        assert (swarm["success"], swarm["message"]) == (False, "No runner")


def test_a_test_is_started_changed_and_stopped(web_ui: Any, client: Any) -> None:
    runner = web_ui.environment.runner
    answer = client.post("/swarm", data={"user_count": "3", "spawn_rate": "100", "host": "http://<other>"})
    assert answer.json == {"success": True, "message": "Swarming started", "host": "http://other"}
    until(lambda: runner.user_count == 3)
    client.post("/swarm", data={"user_count": "1", "spawn_rate": "100"})
    until(lambda: runner.user_count == 1)
    answer = client.post("/stop")
    assert (answer.status_code, answer.json) == (200, {"success": True, "message": "Test stopped"})
    assert (runner.state, runner.user_count) == ("stopped", 0)


def test_the_run_time_ends_the_test(web_ui: Any, client: Any) -> None:
    answer = client.post("/swarm", data={"user_count": "1", "spawn_rate": "10", "run_time": "1s"})
    assert answer.json["run_time"] == 1
    runner = web_ui.environment.runner
    until(lambda: runner.state == "running")
    until(lambda: runner.state == "stopped")


def test_the_run_time_of_the_command_outlasts_changes_on_the_page(web_ui: Any, client: Any) -> None:
    runner = web_ui.environment.runner
    runner.end_after(100, runner.quit)
    client.post("/swarm", data={"user_count": "1", "spawn_rate": "10"})
    assert runner.run_time_s == 100
    client.post("/swarm", data={"user_count": "1", "spawn_rate": "10", "run_time": "2m"})
    until(lambda: runner.run_time_s == 120)


MISSING = "Missing or invalid user_count or spawn_rate from /swarm request"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"user_count": "abc", "spawn_rate": "1"}, "Invalid user_count value: 'abc' (must be an integer)"),
        ({"user_count": "1.5", "spawn_rate": "1"}, "Invalid user_count value: '1.5' (must be an integer)"),
        ({"user_count": "1", "spawn_rate": "x"}, "Invalid spawn_rate value: 'x' (must be a number)"),
        ({"user_count": "1", "spawn_rate": "0"}, MISSING),
        ({"user_count": "1", "spawn_rate": "nan"}, MISSING),
        ({"user_count": "-1", "spawn_rate": "1"}, MISSING),
        ({"spawn_rate": "1"}, MISSING),
        ({}, MISSING),
        (
            {"user_count": "1", "spawn_rate": "1", "run_time": "zz"},
            "Valid run_time formats are : 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc.",
        ),
        (
            {"user_count": "1", "spawn_rate": "1", "run_time": "9" * 400 + "h"},
            "Invalid run_time value: The time span is too long: 100 years at most.",
        ),
    ],
)
def test_a_wrong_form_is_refused_with_status_200(
    web_ui: Any, client: Any, caplog: pytest.LogCaptureFixture, data: dict[str, str], text: str
) -> None:
    answer = client.post("/swarm", data=data)
    assert (answer.status_code, answer.json) == (200, {"success": False, "message": text, "host": "http://h"})
    assert web_ui.environment.runner.state == "ready"
    assert (caplog.records[-1].name, caplog.records[-1].levelname) == ("locust.web", "ERROR")


def test_custom_arguments_keep_their_types(web_ui: Any, client: Any) -> None:
    values = options(flag=False, count=3, rate=1.5, text="a", none=None, words=["a"], numbers=[1, 2])
    web_ui.environment.parsed_options = values
    client.post(
        "/swarm",
        data={
            "user_count": "0",
            "spawn_rate": "1",
            "flag": "true",
            "count": "4",
            "rate": "2",
            "text": "b",
            "none": "x",
            "words": "a,b",
            "numbers": ["3", "4"],
            "unknown": "y",
        },
    )
    assert (values.flag, values.count, values.rate, values.text, values.none) == (True, 4, 2.0, "b", "x")
    assert (values.words, values.numbers) == (["a", "b"], [3, 4])
    assert (values.num_users, values.spawn_rate) == (0, 1.0)
    assert not hasattr(values, "unknown")


def test_an_argument_of_several_values_that_has_none_keeps_all(
    web_ui: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = Events()
    events.init_command_line_parser.add_listener(
        lambda parser: parser.add_argument("--regions", choices=["eu", "us"], is_multiple=True)
    )
    monkeypatch.setattr(locust_c, "events", events)
    for picked in ["eu", "us"], ["us"]:
        web_ui.environment.parsed_options = options(regions=None)
        client.post("/swarm", data={"user_count": "0", "spawn_rate": "1", "regions": picked})
        assert web_ui.environment.parsed_options.regions == picked


def test_a_custom_argument_of_the_wrong_type_is_refused(web_ui: Any, client: Any) -> None:
    web_ui.environment.parsed_options = options(count=3)
    answer = client.post("/swarm", data={"user_count": "1", "spawn_rate": "1", "count": "many"})
    assert answer.json["message"] == "Invalid count value: 'many'"
    assert web_ui.environment.parsed_options.count == 3


def test_statistics_and_exceptions_are_reset(web_ui: Any, client: Any) -> None:
    environment, fired = web_ui.environment, []
    environment.events.reset_stats.add_listener(lambda: fired.append(1))
    environment.stats.log_request("GET", "/", 1, 1)
    environment.stats.log_error("GET", "/", "boom")
    environment.runner.exceptions[1] = {"count": 1, "msg": "m", "traceback": "t", "nodes": {"local"}}
    answer = client.post("/stats/reset")
    assert (answer.status_code, answer.text) == (200, "ok")
    assert (environment.stats.total.num_requests, len(environment.stats.errors)) == (0, 0)
    assert (environment.runner.exceptions, fired) == ({}, [1])


def test_exceptions_are_listed(web_ui: Any, client: Any) -> None:
    row = {"count": 2, "msg": "m", "traceback": "t", "nodes": {"b", "a"}}
    web_ui.environment.runner.exceptions[1] = row
    assert client.get("/exceptions").json == {
        "exceptions": [{"count": 2, "msg": "m", "traceback": "t", "nodes": "a, b"}]
    }


def test_task_ratios(client: Any) -> None:
    ratio = {"Visitor": {"ratio": 1.0, "tasks": {"look": {"ratio": 1.0}}}}
    assert client.get("/tasks").json == {"per_class": ratio, "total": ratio}


def test_logs_and_workers_of_a_local_test(client: Any) -> None:
    assert client.get("/logs").json == {"master": [], "workers": {}}
    assert client.get("/worker-count").json == {"worker_count": 0}


def test_there_is_no_login(client: Any) -> None:
    answer = client.get("/login")
    assert (answer.status_code, answer.location) == (302, "./")


@pytest.mark.parametrize("path", ["/swarm", "/stop", "/stats/reset"])
def test_nothing_is_changed_by_get(client: Any, path: str) -> None:
    assert client.get(path).status_code == 405


@pytest.mark.parametrize("path", ["/swarm", "/stop", "/stats/reset"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:3000"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8090"},
    ],
)
def test_requests_of_other_web_pages_change_nothing(
    web_ui: Any, client: Any, path: str, headers: dict[str, str]
) -> None:
    answer = client.post(path, data={"user_count": "1", "spawn_rate": "1"}, headers=headers)
    assert answer.status_code == 403
    assert web_ui.environment.runner.state == "ready"
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
        {"Origin": "http://localhost"},
        {"Origin": "https://load.example", "X-Forwarded-Host": "load.example"},
    ],
)
def test_the_page_itself_and_plain_programs_may(client: Any, headers: dict[str, str]) -> None:
    answer = client.post("/stats/reset", headers=headers)
    assert (answer.status_code, answer.text) == (200, "ok")
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_other_pages_may_not_even_read(client: Any) -> None:
    answer = client.get("/stats/requests", headers={"Origin": "http://dashboard.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_error_is_told_in_plain_text_and_logged(
    web_ui: Any, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    web_ui.environment.runner.exceptions = None
    with caplog.at_level(logging.DEBUG):
        answer = client.get("/exceptions")
    assert answer.status_code == 500
    assert answer.mimetype == "text/plain"
    assert caplog.records[-1].getMessage() == (
        "UI got request for GET /exceptions, but it resulted in a 500: AttributeError"
    )
    web_ui.environment.runner.exceptions = {}


def test_the_page_shows_names_as_text(web_ui: Any, client: Any) -> None:
    web_ui.environment.host = "http://</script><script>alert(1)</script>"
    web_ui.environment.locustfile = "<b>.py"
    html = client.get("/").text
    assert "<script>alert" not in html
    assert "<b>.py" not in html


def test_the_page_is_given_what_extensions_read(web_ui: Any, client: Any) -> None:
    web_ui.environment.parsed_options = options(num_users=7, spawn_rate=2.0)
    html = client.get("/").text
    args = template_args(html)
    assert args == json.loads(json.dumps(web_ui.template_args, default=str))
    assert (args["num_users"], args["spawn_rate"], args["host"]) == (7, 2.0, "http://h")
    assert (args["state"], args["version"]) == ("ready", locust_c.__version__)
    assert args["users"]["Visitor"]["tasks"] == ["look"]
    assert args["percentiles_to_statistics"] == [0.95, 0.99]


def test_the_form_does_not_ask_for_what_a_load_shape_decides(web_ui: Any, client: Any) -> None:
    assert template_args(client.get("/").text)["hide_common_options"] is False
    web_ui.environment.shape_class = SimpleNamespace(use_common_options=False)
    assert template_args(client.get("/").text)["hide_common_options"] is True


def test_a_load_shape_is_started_without_numbers(web_ui: Any, client: Any) -> None:
    class Steps:
        use_common_options = False

    web_ui.environment.shape_class = Steps()
    started: list[int] = []
    web_ui.environment.runner.start_shape = lambda: started.append(1)
    answer = client.post("/swarm", data={})
    assert answer.json["message"] == "Swarming started using shape class 'Steps'"
    until(lambda: started == [1])


def test_the_files_of_the_page_are_served_and_can_be_kept(client: Any) -> None:
    names = re.findall(r'"\./(assets/[^"]+)"', client.get("/").text)
    assert {name.rpartition(".")[2] for name in names} == {"css", "js", "svg"}
    for name in names:
        with client.get(name) as answer:
            assert (answer.status_code, len(answer.data) > 100) == (200, True)
            assert "immutable" in answer.headers["Cache-Control"]
    assert client.get("/assets/../index.html").status_code == 404


def test_without_a_built_page_everything_else_works(
    client: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(built, "DIST", tmp_path)
    answer = client.get("/")
    assert (answer.status_code, answer.text) == (500, built.MISSING)
    assert client.get("/stats/requests").status_code == 200


def test_the_report_is_shown_and_can_be_saved(web_ui: Any, client: Any) -> None:
    web_ui.environment.locustfile = "my shop.py"
    web_ui.environment.stats.log_request("GET", "/", 12, 3)
    shown = client.get("/stats/report?theme=dark")
    assert (shown.status_code, shown.mimetype) == (200, "text/html")
    assert "Content-Disposition" not in shown.headers
    page = Report(shown.text)
    assert (page.theme, page.args["show_download_link"], page.args["host"]) == ("dark", True, "http://h")
    (mark,) = set(re.findall(r'<(?:script|style) nonce="([^"]+)">', shown.text))
    policy = shown.headers["Content-Security-Policy"]
    assert f"script-src 'self' 'nonce-{mark}'; style-src 'self' 'nonce-{mark}'" in policy
    assert not re.search(r"<(script|style)>| style=| on\w+=", shown.text)
    assert page.rows("Request Statistics")[1][:3] == ["GET", "/", "1"]
    saved = client.get(page.document.one("a").attributes["href"].replace("?", "/stats/report?"))
    assert Report(saved.text).args["show_download_link"] is False
    assert Report(saved.text).theme == "dark"
    assert "nonce" not in saved.text
    assert re.fullmatch(
        r"attachment;filename=Locust_\d{4}-\d\d-\d\d-\d\dh\d\d_my_shop\.py_http___h\.html",
        saved.headers["Content-Disposition"],
    )


def test_a_page_of_an_extension_is_the_page_with_its_own_values(web_ui: Any, client: Any) -> None:
    @web_ui.app.route("/mine")
    def mine() -> str:
        web_ui.update_template_args()
        return render_template(
            "index.html", template_args={**web_ui.template_args, "extended_tabs": ["</x>"]}
        )

    answer = client.get("/mine")
    assert answer.status_code == 200
    assert '"extended_tabs": ["\\u003c/x\\u003e"]' in answer.text
    assert 'id="app"' in answer.text


def test_the_page_has_the_history_thinned(web_ui: Any) -> None:
    history = web_ui.environment.stats.history
    history += [{"time": str(number)} for number in range(8000)]
    web_ui.update_template_args()
    shown = web_ui.template_args["history"]
    assert (len(shown), shown[0], shown[-1], len(history)) == (1000, history[0], history[-1], 8000)


def test_statistics_can_be_saved_as_csv(web_ui: Any, client: Any) -> None:
    environment = web_ui.environment
    environment.locustfile = "flow.py"
    environment.stats.log_request("GET", "/a", 12.0, 10)
    environment.stats.log_error("GET", "/a", "not what I want")
    environment.runner.log_exception("local", "boom", "Traceback of boom")
    rows = {}
    for path, kind in (("stats/requests", "requests"), ("stats/failures", "failures"), ("exceptions",) * 2):
        answer = client.get(f"/{path}/csv")
        assert (answer.status_code, answer.mimetype) == (200, "text/csv")
        assert re.fullmatch(
            rf"attachment;filename=Locust_[\d-]+h\d\d_flow\.py_http___h_{kind}\.csv",
            answer.headers["Content-Disposition"],
        )
        rows[kind] = list(csv.reader(answer.text.splitlines()))
        assert answer.text.endswith("\r\n")
    assert [row[:4] for row in rows["requests"]] == [
        ["Type", "Name", "Request Count", "Failure Count"],
        ["GET", "/a", "1", "1"],
        ["", "Aggregated", "1", "1"],
    ]
    assert [row[:4] for row in rows["failures"]][1:] == [["GET", "/a", "not what I want", "1"]]
    assert rows["exceptions"] == [
        ["Count", "Message", "Traceback", "Nodes"],
        ["1", "boom", "Traceback of boom", "local"],
    ]


def test_a_writer_of_the_program_makes_the_rows(web_ui: Any, client: Any) -> None:
    class Own(StatsCSV):
        def requests_csv(self, csv_writer: Any) -> None:
            csv_writer.writerow(["my own"])

    web_ui.stats_csv_writer = Own(web_ui.environment, [0.5])
    assert client.get("/stats/requests/csv").text == "my own\r\n"
    assert client.get("/stats/failures/csv").text.startswith("Method,Name,Error,")


def test_the_full_history_is_there_when_it_was_asked_for(web_ui: Any, client: Any, tmp_path: Path) -> None:
    answer = client.get("/stats/requests_full_history/csv")
    assert (answer.status_code, answer.text) == (
        404,
        "Error: Server was not started with option to generate full history.",
    )
    writer = StatsCSVFileWriter(web_ui.environment, [0.5], str(tmp_path / "h"), full_history=True)
    web_ui.stats_csv_writer = writer
    writer.close_files()
    with client.get("/stats/requests_full_history/csv") as answer:
        assert (answer.status_code, answer.mimetype) == (200, "text/csv")
        assert answer.text.startswith("Timestamp,User Count,Type,Name,")
        assert "_requests_full_history.csv" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    "path", ["/", "/stats/live", "/stats/requests/csv", "/stats/failures/csv", "/exceptions/csv"]
)
def test_half_of_a_surrogate_pair_is_shown_somehow(client: Any, web_ui: Any, path: str) -> None:
    environment = web_ui.environment
    environment.host = environment.locustfile = "shop\udce9"
    environment.stats.log_request("GET", "/shop\udce9", 1, 1)
    environment.stats.log_error("GET", "/shop\udce9", "shop\udce9")
    environment.runner.log_exception("local", "shop\udce9", "")
    answer = client.get(path)
    assert answer.status_code == 200
    assert b"shop" in answer.data
