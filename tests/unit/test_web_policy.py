"""Relative addresses, and the headers that say what a built-in page may do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from flask import redirect, render_template, render_template_string
from web_fixtures import page

from locust_c.web import Access, policy
from locust_c.web.places import is_local, relative

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
}


@pytest.fixture
def web_ui(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with page(monkeypatch) as subject:
        subject.app.route("/own/page")(lambda: render_template_string("[{{ csp_nonce }}]{{ page_root() }}"))
        yield subject


def policy_of(answer: Any) -> dict[str, list[str]]:
    """The rules of an answer, each with its sources."""
    rules = [rule.split() for rule in answer.headers["Content-Security-Policy"].split("; ")]
    return {name: sources for name, *sources in rules}


@pytest.mark.parametrize(
    ("here", "there", "address"),
    [
        ("/", "/", "./"),
        ("/login", "/", "./"),
        ("/stats/report", "/", "../"),
        ("/a/b/c", "/a/", "../"),
        ("/a/b/c", "/a/d", "../d"),
        ("/locust", "/locust/", "./locust/"),
        ("/locust/", "/locust/", "./"),
        ("/locust/stats/report", "/locust/", "../"),
        ("/added_page", "/locust/", "./locust/"),
        ("/added/page", "/locust/login", "../locust/login"),
        ("/login", "/a b/ü?#", "./a%20b/%C3%BC%3F%23"),
        ("/login", "/x:y", "./x:y"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/team/one"])
def test_a_relative_address_leads_there_below_any_prefix(
    here: str, there: str, address: str, prefix: str
) -> None:
    assert relative(here, there) == address
    led = urlsplit(urljoin("http://host" + prefix + here, address))
    assert (led.netloc, unquote(led.path)) == ("host", prefix + there)


def test_slashes_in_a_row_are_steps_of_their_own() -> None:
    assert relative("//stats", "/stats") == "../stats"


@pytest.mark.parametrize("there", ["//evil.example/", "/\\evil.example", "/http://evil.example", "/..//evil"])
def test_a_relative_address_leads_to_no_other_host(there: str) -> None:
    assert urlsplit(urljoin("http://host/login", relative("/login", there))).netloc == "host"


@pytest.mark.parametrize(
    ("path", "local"),
    [
        ("/", True),
        ("/stats/report", True),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("https://evil.example", False),
        ("javascript:alert(1)", False),
        ("/a\r\nSet-Cookie: a=b", False),
        ("", False),
    ],
)
def test_only_paths_of_the_same_host_are_local(path: str, local: bool) -> None:
    assert is_local(path) is local


def test_the_page_loads_and_runs_only_what_is_ours(web_ui: Any) -> None:
    answer = web_ui.app.test_client().get("/")
    rules = policy_of(answer)
    assert rules["default-src"] == ["'none'"]
    assert rules["style-src"] == ["'self'"]
    assert rules["img-src"] == ["'self'", "data:"]
    assert rules["base-uri"] == rules["form-action"] == rules["frame-ancestors"] == ["'self'"]
    mark = re.fullmatch(r"'nonce-([\w-]{20,})'", rules["script-src"][1])
    assert mark is not None
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert set(HEADERS.items()) <= set(answer.headers.items())


def test_each_answer_has_a_nonce_of_its_own_and_the_template_the_same(web_ui: Any) -> None:
    web_ui.app.view_functions["locust.index"] = lambda: policy.built_in_page(
        render_template_string("{{ csp_nonce }} {{ csp_nonce }}")
    )
    client = web_ui.app.test_client()
    answers = [client.get("/") for _ in range(3)]
    for answer in answers:
        first, second = answer.text.split()
        assert first == second
        assert policy_of(answer)["script-src"] == ["'self'", f"'nonce-{first}'"]
    assert len({answer.text for answer in answers}) == 3


@pytest.mark.parametrize(
    "path",
    [
        "/stats/requests",
        "/stats/report",
        "/logs",
        "/stats/requests_full_history/csv",
        "/assets/none",
        "/exceptions/csv",
    ],
)
def test_every_answer_of_ours_keeps_other_sites_out(web_ui: Any, path: str) -> None:
    answer = web_ui.app.test_client().get(path)
    assert set(HEADERS.items()) <= set(answer.headers.items())
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_error_loads_nothing(web_ui: Any) -> None:
    answer = web_ui.app.test_client().get("/stats/requests_full_history/csv?<script>")
    assert answer.status_code == 404
    answer = web_ui.app.test_client().post("/user", data="no json")
    assert answer.status_code == 400
    assert policy_of(answer) == {"default-src": ["'none'"], "frame-ancestors": ["'self'"]}


def test_pages_of_users_are_theirs(web_ui: Any) -> None:
    answer = web_ui.app.test_client().get("/own/page")
    assert answer.text == "[]../"
    assert not {*HEADERS, "Content-Security-Policy", "Access-Control-Allow-Origin"} & set(
        answer.headers.keys()
    )


def test_a_page_of_users_may_show_the_page(web_ui: Any) -> None:
    @web_ui.app.route("/extend")
    def extend() -> str:
        web_ui.update_template_args()
        return render_template("index.html", template_args={**web_ui.template_args, "extended_tabs": []})

    answer = web_ui.app.test_client().get("/extend")
    assert answer.status_code == 200
    assert "Content-Security-Policy" not in answer.headers


def test_a_replaced_view_may_set_headers_of_its_own(web_ui: Any) -> None:
    web_ui.app.view_functions["locust.index"] = lambda: ("mine", {"Referrer-Policy": "no-referrer"})
    answer = web_ui.app.test_client().get("/")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Content-Security-Policy" not in answer.headers


def test_the_root_of_a_page_below_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    with page(monkeypatch, web_base_path="/load") as web_ui:
        web_ui.app.route("/own")(lambda: render_template_string("{{ page_root() }}"))
        web_ui.app.view_functions["locust.stats_report"] = web_ui.app.view_functions["own"] = lambda: (
            render_template_string("{{ page_root() }}")
        )
        client = web_ui.app.test_client()
        assert client.get("/own").text == "./load/"
        assert client.get("/load/stats/report").text == "../"


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("/load", "./load/"),
        ("/load?tab=charts&x=%2F", "./load/?tab=charts&x=%2F"),
        ("/load//stats/requests", "../../stats/requests"),
        ("/own", "./own/"),
    ],
)
def test_redirects_name_no_host(monkeypatch: pytest.MonkeyPatch, asked: str, location: str) -> None:
    with page(monkeypatch, web_base_path="/load") as web_ui:
        web_ui.app.route("/own/")(lambda: "own")
        answer = web_ui.app.test_client().get(asked)
        assert (answer.status_code, answer.headers["Location"]) == (308, location)


def test_a_redirect_of_a_users_page_is_left_alone(web_ui: Any) -> None:
    web_ui.app.add_url_rule("/there", "there", lambda: redirect("http://elsewhere.example/x"))
    assert web_ui.app.test_client().get("/there").headers["Location"] == "http://elsewhere.example/x"


def test_what_a_page_may_do_besides(monkeypatch: pytest.MonkeyPatch) -> None:
    access = Access(allowed_origins=("https://board.example",))
    with page(monkeypatch, access=access) as web_ui, web_ui.app.test_request_context("/"):
        answer = policy.built_in_page(
            "",
            own_styles=True,
            form_targets=["https://login.example"],
            images=["https://icons.example"],
        )
        rules = policy_of(answer)
    assert rules["form-action"] == ["'self'", "https://login.example"]
    assert rules["img-src"] == ["'self'", "data:", "https://icons.example"]
    assert rules["frame-ancestors"] == ["'self'", "https://board.example"]
    assert rules["style-src"][1].startswith("'nonce-")
