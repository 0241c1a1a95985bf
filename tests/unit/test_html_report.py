"""The HTML report: what scripts read in it, what people read in it, and what must not break it."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from report_page import Report
from run_fixtures import running

import locust_c.html
import locust_c.report.page
from locust_c import TaskSet, User, constant, task
from locust_c.env import Environment
from locust_c.event import Events
from locust_c.html import format_duration, get_html_report, process_html_filename, write_report

START = 1_700_000_000.25


class Buyer(User):
    """Two tasks, one of them nested."""

    weight = 3
    wait_time = constant(1)

    @task(3)
    def look(self) -> None:
        """Do nothing."""

    @task
    class Basket(TaskSet):
        """A set of one task."""

        @task
        def pay(self) -> None:
            """Do nothing."""


class Clerk(User):
    """One task."""

    wait_time = constant(1)

    @task
    def count(self) -> None:
        """Do nothing."""


@pytest.fixture
def environment() -> Iterator[Environment]:
    subject = Environment(user_classes=[Buyer, Clerk], events=Events(), locustfile="shop.py")
    runner = subject.create_local_runner()
    yield subject
    runner.quit()


def fill(environment: Environment) -> None:
    """Three requests within 65 s, one of which failed."""
    table = environment.stats.table
    for method, name, time_ms, at in (
        ("GET", "/b", 20, 1),
        ("POST", "/a", 1234, 30),
        ("GET", "/a", 0.4, 65.5),
    ):
        table.record(method, name, time_ms, 1000, None, START + at)
    table.record_failure("POST", "/a", "boom", START + 30)
    environment.stats.total.start_time = START


def report(environment: Environment, **arguments: Any) -> Report:
    return Report(get_html_report(environment, **arguments))


def test_what_scripts_read_is_as_locust_writes_it(environment: Environment) -> None:
    fill(environment)
    environment.host = "http://user:secret@shop.example"
    environment.profile = "nightly"
    page = report(environment, show_download_link=False)
    args = page.args
    assert list(args) == [
        *(
            "duration",
            "end_time",
            "exceptions_statistics",
            "failures_statistics",
            "history",
            "host",
            "is_report",
        ),
        *("locustfile", "percentiles_to_chart", "profile", "requests_statistics", "response_time_statistics"),
        *("show_download_link", "start_time", "tasks"),
    ]
    assert re.search('"start_time": "2023-11-14T22:13:20Z"', page.html)
    assert re.search('"end_time": "2023-11-14T22:14:25Z"', page.html)
    assert re.search('"duration": "1 minute and 5 seconds"', page.html)
    assert re.search('"host": "http://shop.example"', page.html)
    assert (args["locustfile"], args["profile"], args["is_report"]) == ("shop.py", "nightly", True)
    assert (args["show_download_link"], args["percentiles_to_chart"]) == (False, [0.5, 0.95])
    rows = [(row["method"], row["name"], row["num_requests"]) for row in args["requests_statistics"]]
    assert rows == [("GET", "/a", 1), ("POST", "/a", 1), ("GET", "/b", 1), ("", "Aggregated", 3)]
    times = args["response_time_statistics"][1]
    assert (times.pop("method"), times.pop("name")) == ("POST", "/a")
    assert times == dict.fromkeys(("0.5", "0.6", "0.7", "0.8", "0.9", "0.95", "0.99", "1.0"), 1200)
    assert args["failures_statistics"] == [
        {
            "method": "POST",
            "name": "/a",
            "error": "boom",
            "occurrences": 1,
            "first_seen": START + 30,
            "last_seen": START + 30,
        }
    ]


def test_people_read_the_same_figures(environment: Environment) -> None:
    fill(environment)
    environment.host = "http://shop.example"
    page = report(environment)
    about = {
        div.one("dt").text: div.one("dd").text for div in page.document.one("dl", class_="about").all("div")
    }
    assert about == {
        "During": "2023-11-14 22:13:20 \u2013 22:14:25 UTC (1 minute and 5 seconds)",
        "Target Host": "http://shop.example",
        "Script": "shop.py",
    }
    summary = page.document.one("dl", class_="summary").all("div")
    assert {div.one("dt").text: div.one("dd").text for div in summary} == {
        "Requests": "3",
        "Failures": "1 33.3%",
        "Requests per second": "0.05",
        "Median response time": "20.0 ms",
        "95%ile response time": "1,234 ms",
        "99%ile response time": "1,234 ms",
    }
    assert page.rows("Request Statistics")[1:] == [
        ["GET", "/a", "1", "0", "0.40", "0.40", "0.40", "1,000", "0.02", "0.00"],
        ["POST", "/a", "1", "1", "1,234", "1,234", "1,234", "1,000", "0.02", "0.02"],
        ["GET", "/b", "1", "0", "20.0", "20.0", "20.0", "1,000", "0.02", "0.00"],
        ["", "Aggregated", "3", "1", "418", "0.40", "1,234", "1,000", "0.05", "0.02"],
    ]
    times = page.rows("Response Time Statistics")
    assert times[0][2:] == [f"{share}%ile (ms)" for share in (50, 60, 70, 80, 90, 95, 99, 100)]
    assert times[-1][1:4] == ["Aggregated", "20.0", "20.0"]
    assert page.rows("Failures Statistics")[1:] == [
        ["1", "POST", "/a", "boom", "2023-11-14 22:13:50", "2023-11-14 22:13:50"]
    ]
    assert not page.has_section("Exceptions Statistics")
    assert not page.has_section("Phases and Generator Lag")


def test_a_report_before_anything_happened(environment: Environment) -> None:
    page = report(environment)
    assert (page.args["duration"], page.args["host"]) == ("0 seconds", "None")
    assert page.args["start_time"] == page.args["end_time"]
    assert [row["name"] for row in page.args["requests_statistics"]] == ["Aggregated"]
    assert page.rows("Request Statistics")[1:] == [
        ["", "Aggregated", "0", "0", "0", "–", "0", "0", "0.00", "0.00"]  # noqa: RUF001
    ]
    assert "None." in page.section("Failures Statistics").text
    assert "no test has run" in page.section("Charts").text


def test_a_report_without_a_runner() -> None:
    page = report(Environment(user_classes=[Clerk], events=Events()))
    assert page.args["exceptions_statistics"] == []
    assert page.args["tasks"]["total"] == {"Clerk": {"ratio": 0.0, "tasks": {"count": {"ratio": 0.0}}}}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 seconds"),
        (0.9, "0 seconds"),
        (1.99, "1 second"),
        (60, "1 minute"),
        (65, "1 minute and 5 seconds"),
        (3601, "1 hour and 1 second"),
        (7322, "2 hours, 2 minutes and 2 seconds"),
        (90061, "1 day, 1 hour, 1 minute and 1 second"),
        (172800, "2 days"),
    ],
)
def test_durations_in_words(seconds: float, text: str) -> None:
    assert format_duration(1000.0, 1000.0 + seconds) == text


@pytest.mark.parametrize(
    ("own", "hosts", "shown"),
    [
        ("http://own", ("http://a", "http://b"), "http://own"),
        (None, ("http://a", "http://a"), "http://a"),
        (None, ("http://a", "http://b"), "None"),
        (None, ("http://a", None), "None"),
        (None, (), "None"),
    ],
)
def test_the_host_is_the_one_of_all_users(own: str | None, hosts: tuple[str | None, ...], shown: str) -> None:
    users = [type(f"U{place}", (Clerk,), {"host": host}) for place, host in enumerate(hosts)]
    environment = Environment(user_classes=users, host=own, events=Events())
    assert report(environment).args["host"] == shown


NAMES = [
    "<script>alert(1)</script>",
    "</script><!--",
    "\"quoted\" & 'single'",
    "مرحبا/طلب",
    "🚀🔥",
    "half \ud83d of a pair",
    "\x1b[31mred\x00",
    "\u202egnp.exe",
    "/" + "long/" * 200,
]


def test_nothing_in_names_and_texts_becomes_markup(environment: Environment) -> None:
    for name in NAMES:
        environment.stats.log_request(name, name, 1, 1)
        environment.stats.log_error(name, name, f"error {name}\nsecond line")
    environment.host = environment.locustfile = environment.profile = NAMES[0]
    assert environment.runner is not None
    environment.runner.log_exception("local", NAMES[1], f"Traceback\n{NAMES[0]}")
    html = get_html_report(environment, theme='"><script>')
    page = Report(html)
    assert html.encode()
    assert len(page.document.all("script")) == 2
    assert html.count("</script") == 2
    assert [row["name"] for row in page.args["requests_statistics"]] == [*sorted(NAMES), "Aggregated"]
    shown = {row[1] for row in page.rows("Request Statistics")}
    expected = {*NAMES[:5], "half ? of a pair", "␛[31mred␀", "\\u202egnp.exe", NAMES[-1][:500] + "…"}
    assert expected <= shown
    assert any("second line" in row[3] for row in page.rows("Failures Statistics")[1:])
    assert NAMES[0] in page.rows("Exceptions Statistics")[1][1]
    assert page.document.one("title").text == f"Locust - {NAMES[0]}"
    assert page.theme == "light"


def test_the_file_asks_for_nothing_and_has_nothing_that_a_strict_policy_refuses(
    environment: Environment,
) -> None:
    fill(environment)
    page = report(environment)
    waiting = [page.document]
    for element in waiting:
        waiting += element.children
        assert not [name for name in element.attributes if name.startswith("on") or name in ("src", "style")]
    assert [a.attributes["href"] for a in page.document.all("a")] == ["?download=1&theme="]
    assert not page.document.all("link") + page.document.all("img")
    assert "url(" not in page.html
    assert "@import" not in page.html
    assert not report(environment, show_download_link=False).document.all("a")


@pytest.mark.parametrize(
    ("theme", "attribute", "told"),
    [("", None, "light"), ("light", "light", "light"), ("dark", "dark", "dark")],
)
def test_the_theme(environment: Environment, theme: str, attribute: str | None, told: str) -> None:
    page = report(environment, theme=theme)
    assert page.document.one("html").attributes.get("data-theme") == attribute
    assert page.theme == told


def test_the_percentiles_can_be_replaced(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(environment)
    monkeypatch.setattr(locust_c.html, "PERCENTILES_FOR_HTML_REPORT", [0.5, 0.999])
    page = report(environment)
    assert page.args["response_time_statistics"][0] == {"0.5": 0, "0.999": 0, "method": "GET", "name": "/a"}
    assert page.rows("Response Time Statistics")[0] == ["Type", "Name", "50%ile (ms)", "99.9%ile (ms)"]


def test_more_rows_than_anybody_reads_are_counted(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locust_c.report.page, "MAX_NAMES", 20)
    monkeypatch.setattr(locust_c.report.page, "MAX_FAILURES", 10)
    for number in range(25):
        environment.stats.log_request("GET", f"/{number:02}", 1, 1)
    for text in (*(f"error {number}" for number in range(10)), "error 9", "x" * 10_000):
        environment.stats.log_error("GET", "/00", text)
    page = report(environment)
    for title in ("Request Statistics", "Response Time Statistics"):
        names = [row[1] for row in page.rows(title)]
        assert names == ["Name", *(f"/{number:02}" for number in range(20)), "Aggregated"]
        assert "5 more not shown." in page.section(title).text
    failures = page.rows("Failures Statistics")
    assert (len(failures), failures[1][3]) == (1 + 10, "error 9")
    assert "1 more not shown." in page.section("Failures Statistics").text
    assert len(page.args["requests_statistics"]) == 26
    assert page.args["failures_statistics"][-1]["error"] == "x" * 200 + "… (9,800 more characters)"
    monkeypatch.setattr(locust_c.report.page, "MAX_FAILURES", 20)
    assert report(environment).args["failures_statistics"][-1]["error"] == (
        "x" * 2000 + "… (8,000 more characters)"
    )


def test_exceptions_are_shown_with_their_traceback(environment: Environment) -> None:
    assert environment.runner is not None
    for place in range(102):
        environment.runner.log_exception("b", f"message {place}", f"{'.' * 5000}line {place}")
    for node in ("a", "b"):
        environment.runner.log_exception(node, "message 7", f"{'.' * 5000}line 7")
    page = report(environment)
    first = page.args["exceptions_statistics"][7]
    assert (first["count"], first["msg"], first["nodes"]) == (3, "message 7", "a, b")
    assert (len(first["traceback"]), first["traceback"][-6:]) == (4000, "line 7")
    rows = page.rows("Exceptions Statistics")
    assert (len(rows), rows[1][0]) == (1 + 100, "3")
    assert rows[1][1].startswith("message 7")
    assert "2 more not shown." in page.section("Exceptions Statistics").text


def test_of_very_many_exceptions_the_most_frequent_are_kept(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locust_c.html, "MAX_EXCEPTIONS", 3)
    monkeypatch.setattr(locust_c.report.page, "MAX_EXCEPTIONS", 2)
    assert environment.runner is not None
    for kind, times in enumerate((1, 5, 1, 2, 3)):
        for _ in range(times):
            environment.runner.log_exception("local", f"message {kind}", f"line {kind}")
    page = report(environment)
    assert [row["count"] for row in page.args["exceptions_statistics"]] == [5, 2, 3]
    assert [row[0] for row in page.rows("Exceptions Statistics")[1:]] == ["5", "3"]
    assert "3 more not shown." in page.section("Exceptions Statistics").text


def test_very_long_names_are_cut(environment: Environment) -> None:
    environment.stats.log_request("GET", "x" * 10_000, 1, 1)
    environment.stats.log_error("GET", "x" * 10_000, "broken")
    page = report(environment)
    cut = "x" * 2000 + "… (8,000 more characters)"
    for table in ("requests_statistics", "response_time_statistics", "failures_statistics"):
        assert page.args[table][0]["name"] == cut
    assert page.rows("Request Statistics")[1][1] == "x" * 500 + "…"


def test_other_greenlets_run_while_a_large_report_is_made(environment: Environment) -> None:
    for number in range(600):
        environment.stats.log_request("GET", f"/{number}", 1, 1)
        environment.stats.log_error("GET", f"/{number}", f"error {number}")
    turns = 0

    def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0)

    counting = gevent.spawn(count)
    get_html_report(environment)
    counting.kill()
    assert turns > 5


def test_phases_have_the_columns_that_happened(environment: Environment) -> None:
    fill(environment)
    for entry in (environment.stats.get("/b", "GET"), environment.stats.total):
        entry.record_phases(None, 0.5, None, 0.01, 20, 0.02, 0.1)
    page = report(environment)
    rows = page.rows("Phases and Generator Lag")
    assert rows[0] == ["Type", "Name", "Connect", "Send", "Wait", "Receive", "Lag"]
    assert rows[1] == ["GET", "/a", *"–––––"]  # noqa: RUF001
    assert rows[3][:2] == ["GET", "/b"]
    assert re.fullmatch(r"(19\.9|20\.0|20\.1){2}", rows[3][4])
    assert not page.document.all("p", class_="note")


def test_a_load_generator_that_was_busy_is_told(environment: Environment) -> None:
    environment.stats.total.record_phases(None, None, None, 0.01, 20, 0.02, 35)
    assert environment.runner is not None
    environment.runner.cpu_warning_emitted = True
    late, busy = report(environment).document.all("p", class_="note")
    assert re.search(r"1% of the tasks went on more than 3[45]\.\d ms", late.text)
    assert "too busy" in busy.text


def test_the_ratios_are_those_of_the_users_that_ran() -> None:
    with running(Buyer, Clerk, count=4) as runner:
        during = report(runner.environment).args["tasks"]
    page = report(runner.environment)
    assert page.args["tasks"] == during
    assert during["per_class"]["Buyer"] == {
        "ratio": 0.75,
        "tasks": {"look": {"ratio": 0.75}, "Basket": {"ratio": 0.25, "tasks": {"pay": {"ratio": 1.0}}}},
    }
    assert during["total"]["Clerk"] == {"ratio": 0.25, "tasks": {"count": {"ratio": 0.25}}}
    per_class, total = (
        " ".join(tree.text.split())
        for tree in page.section("Final ratio").one("div", class_="trees").children
    )
    assert per_class == "Ratio Per Class Buyer 75% look 75% Basket 25% pay 100% Clerk 25% count 100%"
    assert total == "Total Ratio Buyer 75% look 56.2% Basket 18.8% pay 18.8% Clerk 25% count 25%"


def test_the_file_is_written_where_the_name_says(environment: Environment, tmp_path: Path) -> None:
    fill(environment)
    environment.parsed_options = Namespace(num_users=5, spawn_rate=2.5, run_time=None)
    path = tmp_path / "new" / "folder" / "{u}_{r}_{t}_{x}.html"
    write_report(environment, str(path))
    (written,) = path.parent.iterdir()
    assert written.name == "5_2.5_{t}_{x}.html"
    page = Report(written.read_text(encoding="utf-8"))
    assert page.args["show_download_link"] is False
    with pytest.raises(FileExistsError, match=re.escape(written.name)):
        write_report(environment, str(written / "below.html"))


@pytest.mark.parametrize(
    ("users", "rate", "seconds", "name"),
    [(5, 2.0, 3600, "5_2_3600.html"), (1, 0.5, 1, "1_0.5_1.html"), (None, None, None, "{u}_{r}_{t}.html")],
)
def test_tags_of_the_file_name(users: int | None, rate: float | None, seconds: int | None, name: str) -> None:
    options = Namespace(html_file="{u}_{r}_{t}.html", num_users=users, spawn_rate=rate, run_time=seconds)
    process_html_filename(options)
    assert options.html_file == name
