"""Who may use the page: names it is reached by, pages of other origins, and requests that they send."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Response
from web_fixtures import page
from werkzeug.test import Client

import locust_c.web.ui
from locust_c.web import Access
from locust_c.web.origin import is_foreign, is_loopback, name_in

BOARD = "https://board.example"
CHANGING = ["/swarm", "/stop", "/stats/reset", "/user"]


@contextmanager
def guarded(
    monkeypatch: pytest.MonkeyPatch, address: str = "127.0.0.1", **arguments: Any
) -> Iterator[tuple[Any, Client]]:
    """A page as if bound to ``address``, and a client of the guard in front of it."""
    made = locust_c.web.ui.Guard
    monkeypatch.setattr(
        locust_c.web.ui, "Guard", lambda web_ui, access, _bound: made(web_ui, access, address)
    )
    with page(monkeypatch, **arguments) as web_ui:
        web_ui.app.route("/own", methods=["GET", "POST"])(lambda: "own")
        yield web_ui, Client(web_ui.guard)


def permissions(answer: Any) -> set[str]:
    """The headers that let pages of other origins do something."""
    return {name for name, _ in answer.headers if name.startswith("Access-Control")}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    access = Access(allowed_origins=(BOARD, "http://other.example:3000"))
    with guarded(monkeypatch, access=access) as (_, subject):
        yield subject


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with guarded(monkeypatch) as (_, subject):
        yield subject


@pytest.mark.parametrize("path", ["/stats/requests", "/", "/own", "/none", "/healthz", "/exceptions/csv"])
def test_a_page_of_an_allowed_origin_may_read_everything(client: Client, path: str) -> None:
    answer = client.get(path, headers={"Origin": BOARD, "Sec-Fetch-Site": "cross-site"})
    assert answer.headers["Access-Control-Allow-Origin"] == BOARD
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "Origin" in answer.headers.getlist("Vary")


@pytest.mark.parametrize("path", CHANGING)
def test_a_page_of_an_allowed_origin_may_change_everything(client: Client, path: str) -> None:
    answer = client.post(path, headers={"Origin": BOARD, "Sec-Fetch-Site": "cross-site"})
    assert answer.status_code != 403
    assert answer.headers["Access-Control-Allow-Origin"] == BOARD


@pytest.mark.parametrize(
    "origin", [None, "null", "http://board.example", BOARD + ":8443", BOARD + ".evil.example", BOARD.upper()]
)
def test_other_origins_may_not(client: Client, origin: str | None) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"} | ({} if origin is None else {"Origin": origin})
    answer = client.get("/stats/requests", headers=headers)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Origin" in answer.headers.getlist("Vary")
    for path in CHANGING:
        answer = client.post(path, headers=headers)
        assert answer.status_code == 403
        assert "--web-allow-origin" in answer.text
        assert "Access-Control-Allow-Origin" not in answer.headers
    asked = client.options("/swarm", headers={**headers, "Access-Control-Request-Method": "POST"})
    assert not permissions(asked)


@pytest.mark.parametrize("path", ["/swarm", "/own", "/stats/requests"])
def test_a_browser_is_told_what_a_page_of_an_allowed_origin_may_send(client: Client, path: str) -> None:
    asked = {
        "Origin": "http://other.example:3000",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = client.options(path, headers=asked)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "http://other.example:3000"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


def test_without_allowed_origins_nothing_varies(plain: Client) -> None:
    answer = plain.get("/stats/requests", headers={"Origin": BOARD})
    assert not {"Vary", "Access-Control-Allow-Origin"} & set(answer.headers.keys())
    answer = plain.options("/swarm", headers={"Origin": BOARD, "Access-Control-Request-Method": "POST"})
    assert not permissions(answer)


def test_a_rule_of_the_users_page_goes_before(monkeypatch: pytest.MonkeyPatch) -> None:
    with guarded(monkeypatch, access=Access(allowed_origins=(BOARD,))) as (web_ui, client):

        @web_ui.app.route("/open")
        def for_all() -> Response:
            return Response("", headers={"Access-Control-Allow-Origin": "*"})

        answer = client.get("/open", headers={"Origin": BOARD})
        assert answer.headers.getlist("Access-Control-Allow-Origin") == ["*"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("path", CHANGING)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://[evil"},
        {"Origin": "http://evil.example", "X-Forwarded-Port": "80"},
        {"Referer": "http://evil.example/page"},
        {"Referer": "http://localhost.evil.example/"},
        {"Origin": "http://evil.example", "X-HTTP-Method-Override": "GET"},
        {"Origin": "http://evil.example", "X-HTTP-Method": "GET", "X-Method-Override": "GET"},
    ],
)
def test_pages_of_other_sites_change_nothing(plain: Client, path: str, headers: dict[str, str]) -> None:
    answer = plain.post(path, headers=headers, data={"user_count": "1", "spawn_rate": "1"})
    assert (answer.status_code, answer.mimetype) == (403, "text/plain")
    assert plain.get("/stats/requests").json["state"] == "ready"


@pytest.mark.parametrize("path", CHANGING)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
def test_nothing_is_changed_by_another_method(plain: Client, path: str, method: str) -> None:
    form = {"user_count": "1", "spawn_rate": "1"}
    headers = {"X-HTTP-Method-Override": "POST", "Sec-Fetch-Site": "cross-site"}
    answer = plain.open(path, method=method, headers=headers, data=form, query_string=form)
    assert answer.status_code == (200 if method == "OPTIONS" else 405)
    assert plain.get("/stats/requests").json["state"] == "ready"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
        {"Referer": "http://localhost/stats/report"},
        {"Origin": "https://load.example", "X-Forwarded-Host": "Load.example"},
        {"Origin": "https://load.example", "X-Forwarded-Host": "inner, load.example"},
        {"Origin": "http://localhost:8443", "X-Forwarded-Port": "8443"},
    ],
)
def test_the_page_itself_and_programs_may_change_something(plain: Client, headers: dict[str, str]) -> None:
    assert plain.post("/stats/reset", headers=headers).text == "ok"


def test_a_form_that_lies_about_the_port_of_a_name_is_foreign() -> None:
    headers = {"Origin": "http://host:3000", "X-Forwarded-Port": "8089"}
    assert is_foreign(headers, "host:8089")
    assert is_foreign({"Origin": "http://[::1]:3000"}, "[::1]:8089")
    assert not is_foreign({"Origin": "http://[::1]:3000", "X-Forwarded-Port": "3000"}, "[::1]")


OWN_NAMES = [
    *(
        "localhost",
        "localhost:8089",
        "LOCALHOST.:1",
        "a.localhost",
        "127.0.0.1",
        "127.8.9.1:80",
        "[::1]:8089",
    ),
    *("[::ffff:127.0.0.1]", "load.example:8089", "board.example"),
]
OTHER_NAMES = [
    "evil.example",
    "evil.example:8089",
    "localhost.evil.example",
    "10.0.0.1",
    "notlocalhost",
    "0.0.0.0",
]


@pytest.mark.parametrize("host", OWN_NAMES)
def test_a_page_of_this_machine_answers_to_its_names(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with guarded(monkeypatch, access=Access(allowed_origins=(BOARD,))) as (web_ui, client):
        web_ui.display_name = "load.example"
        assert client.get("/stats/requests", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", OTHER_NAMES)
@pytest.mark.parametrize("path", ["/", "/stats/requests", "/own", "/assets/x"])
def test_a_page_of_this_machine_answers_to_no_other_name(plain: Client, host: str, path: str) -> None:
    for answer in (plain.get(path, headers={"Host": host}), plain.post(path, headers={"Host": host})):
        assert (answer.status_code, answer.mimetype) == (403, "text/plain")
        assert f"'{name_in(host)}' is not one of its names" in answer.text
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_forwarded_name_is_no_excuse(plain: Client) -> None:
    answer = plain.get("/", headers={"Host": "evil.example", "X-Forwarded-Host": "localhost"})
    assert answer.status_code == 403


@pytest.mark.parametrize("base", ["", "/load"])
def test_a_probe_may_use_any_name(monkeypatch: pytest.MonkeyPatch, base: str) -> None:
    with guarded(monkeypatch, web_base_path=base) as (_, client):
        assert client.get(f"{base}/healthz", headers={"Host": "10.1.2.3:8089"}).json["status"] == "ok"
        assert client.get(f"{base}/healthz/x", headers={"Host": "10.1.2.3:8089"}).status_code == 403


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1"])
@pytest.mark.parametrize("host", OTHER_NAMES)
def test_a_page_for_others_answers_to_every_name(
    monkeypatch: pytest.MonkeyPatch, address: str, host: str
) -> None:
    with guarded(monkeypatch, address) as (_, client):
        assert client.get("/stats/requests", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_loopback_addresses(address: str, loopback: bool) -> None:
    assert is_loopback(address) is loopback
