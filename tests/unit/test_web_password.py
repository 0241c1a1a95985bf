"""The built-in login: a password, with or without a name, for people and for programs."""

from __future__ import annotations

import base64
import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import render_template_string
from web_fixtures import page
from werkzeug.test import Client

from locust_c.web import Access, password, throttle

NAVIGATES = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Mode": "navigate"}
SECRET = "correct hörse"


class Clock:
    """The time that the login goes by."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        for module in (password, throttle):
            monkeypatch.setattr(module, "time", self)

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@contextmanager
def locked(monkeypatch: pytest.MonkeyPatch, user: str | None = "ann", **arguments: Any) -> Iterator[Any]:
    """A page with a password, and a page of a user beside it."""
    access = Access(password=SECRET, user=user, allowed_origins=("https://board.example",))
    with page(monkeypatch, access=access, **arguments) as web_ui:
        web_ui.app.add_url_rule("/own", "own", lambda: "own", methods=["GET", "POST"])
        yield web_ui


@pytest.fixture
def web_ui(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[Any]:
    with locked(monkeypatch) as subject:
        yield subject


@pytest.fixture
def client(web_ui: Any) -> Client:
    return Client(web_ui.guard)


def sign_in(client: Client, name: str = "ann", secret: str = SECRET, **arguments: Any) -> Any:
    form = {"username": name, "password": secret, **arguments.pop("data", {})}
    return client.post("/sign-in", data=form, **arguments)


def basic(user: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}


def bearer(secret: str) -> dict[str, str]:
    # As programs send what is not ASCII: the bytes of UTF-8.
    return {"Authorization": "Bearer " + secret.encode().decode("latin-1")}


ALL = ["/", "/stats/requests", "/own", "/none", "/stats/report", "/static/x", "//login"]


@pytest.mark.parametrize("path", ALL)
def test_everything_needs_the_password(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json) == (401, {"error": "Not signed in"})
    assert client.get(path, headers=NAVIGATES).status_code == 302


@pytest.mark.parametrize("path", ["/swarm", "/stop", "/stats/reset", "/user", "/own"])
def test_nobody_unknown_changes_anything(web_ui: Any, client: Client, path: str) -> None:
    answer = client.post(path, headers=NAVIGATES, data={"user_count": "1", "spawn_rate": "1"})
    assert answer.status_code == 401
    assert web_ui.environment.runner.state == "ready"


def test_the_body_of_a_refused_request_is_dropped_in_pieces(client: Client) -> None:
    read: list[int] = []

    class Long(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            read.append(size or -1)
            return super().read(size)

    answer = client.post("/swarm", input_stream=Long(b"x" * 3 * 65536), content_length=3 * 65536)
    assert answer.status_code == 401
    assert len(read) == 4
    assert set(read) == {65536}


def test_what_is_open(client: Client) -> None:
    assert client.get("/healthz").json["status"] == "ok"
    shown = client.get("/login")
    assert shown.status_code == 200
    for name in re.findall(r'"\./(assets/[^"]+)"', shown.text):
        with client.get(name) as answer:
            assert answer.status_code == 200


def test_a_page_of_users_below_the_assets_is_not_open(web_ui: Any, client: Client) -> None:
    web_ui.app.route("/assets/secret")(lambda: "secret")
    assert client.get("/assets/secret").status_code == 401


def test_signing_in_and_out(client: Client) -> None:
    answer = sign_in(client)
    assert (answer.status_code, answer.headers["Location"]) == (303, "./")
    shown = client.get("/")
    assert '"login_name": "ann"' in shown.text
    assert '"logout_url": "./sign-out"' in shown.text
    assert client.get("/own").text == "own"
    assert client.post("/stats/reset").text == "ok"
    assert shown.headers["Cache-Control"] == client.get("/logs").headers["Cache-Control"] == "no-store"
    assert client.get("/login").headers["Location"] == "./"
    cookie = client.get_cookie(next(iter(client._cookies.values())).key)
    answer = client.post("/sign-out")
    assert (answer.status_code, answer.headers["Location"]) == (303, "./login")
    assert client.get("/own").status_code == 401
    # The server has forgotten it, too.
    assert client.get("/own", headers={"Cookie": f"{cookie.key}={cookie.value}"}).status_code == 401
    assert client.post("/sign-out").status_code == 303


@pytest.mark.parametrize(("name", "secret"), [("ann", "wrong"), ("bob", SECRET), ("", ""), ("Ann", SECRET)])
def test_what_is_wrong_is_refused(client: Client, name: str, secret: str) -> None:
    answer = sign_in(client, name, secret)
    assert answer.status_code == 401
    assert '<p class="error" role="alert">Wrong user name or password.</p>' in answer.text
    assert "Set-Cookie" not in answer.headers
    assert "WWW-Authenticate" not in answer.headers
    assert client.get("/own", headers=basic(name, secret)).status_code == 401


@pytest.mark.parametrize("headers", [basic("ann", SECRET), bearer(SECRET)])
def test_programs_send_the_password(client: Client, headers: dict[str, str]) -> None:
    assert client.get("/stats/requests", headers=headers).json["state"] == "ready"
    assert client.post("/stats/reset", headers=headers).text == "ok"
    assert client.get("/own", headers=headers).text == "own"
    assert '"logout_url": null' in client.get("/", headers=headers).text
    assert client.get("/own").status_code == 401


@pytest.mark.parametrize(
    "value",
    [
        *("Basic", "Basic !!!", "Basic " + base64.b64encode(b"\xff:\xfe").decode(), "Basic YW5u", "Bearer"),
        *("Bearer ", "Digest x", "", "\xff", "Negotiate abc", "Bearer " + "x" * 10000),
    ],
)
def test_headers_that_say_nothing_are_refused(client: Client, value: str) -> None:
    answer = client.get("/own", headers={"Authorization": value})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Locust", charset="UTF-8"'


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://localhost"},
        {"Referer": "http://localhost/"},
        {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"},
    ],
)
def test_no_browser_asks_for_the_password_by_itself(client: Client, headers: dict[str, str]) -> None:
    answer = client.get("/stats/requests", headers=headers)
    assert answer.status_code == 401
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("/", "./login"),
        ("/own", "./login?next=/own"),
        ("/?tab=charts", "./login?next=/%3Ftab%3Dcharts"),
        ("/stats/report?theme=dark&x=a%20b", "../login?next=/stats/report%3Ftheme%3Ddark%26x%3Da%2520b"),
        ("/a b", "./login?next=/a%20b"),
    ],
)
def test_a_browser_comes_back_to_what_it_asked_for(client: Client, asked: str, location: str) -> None:
    assert client.get(asked, headers=NAVIGATES).headers["Location"] == location


@pytest.mark.parametrize(
    ("wanted", "location"),
    [
        ("/own", "./own"),
        ("/stats/report?theme=dark&x=a%20b", "./stats/report?theme=dark&x=a%20b"),
        ("//evil.example", "./"),
        ("/\\evil.example", "./"),
        ("https://evil.example/", "./"),
        ("javascript:alert(1)", "./"),
        ("/x\r\nSet-Cookie: a=b", "./"),
        ("own", "./"),
        ("/..//evil.example", "./..//evil.example"),
    ],
)
def test_nobody_is_led_elsewhere(client: Client, wanted: str, location: str) -> None:
    shown = client.get("/login", query_string={"next": wanted}).text
    assert ('name="next"' in shown) is (location != "./")
    answer = sign_in(client, data={"next": wanted})
    assert (answer.status_code, answer.headers["Location"]) == (303, location)
    assert client.get("/login", query_string={"next": wanted}).headers["Location"] == location


def test_another_site_can_not_sign_somebody_in(client: Client) -> None:
    answer = sign_in(client, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_a_page_of_an_allowed_origin_may_ask_and_give_the_password(client: Client) -> None:
    origin = {"Origin": "https://board.example"}
    answer = client.get("/stats/requests", headers=origin)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, origin["Origin"])
    asked = {
        **origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    assert client.options("/swarm", headers=asked).status_code == 204
    assert client.post("/stats/reset", headers={**origin, **bearer(SECRET)}).text == "ok"


@pytest.mark.parametrize(
    ("headers", "path", "secure"),
    [
        ({}, "/", False),
        ({"X-Forwarded-Proto": "https"}, "/", True),
        ({"X-Forwarded-Prefix": "/team/one/"}, "/team/one", False),
        ({"X-Forwarded-Prefix": "/a; Domain=x"}, "/", False),
        ({"X-Forwarded-Prefix": "//x"}, "/", False),
    ],
)
def test_the_cookie_is_kept_from_others(
    web_ui: Any, client: Client, headers: dict[str, str], path: str, secure: bool
) -> None:
    name, *settings = sign_in(client, headers=headers).headers["Set-Cookie"].split("; ")
    assert re.fullmatch(rf"locust_session_{web_ui.port}=[\w-]{{43}}", name)
    assert set(settings) == {"HttpOnly", "SameSite=Lax", f"Path={path}"} | ({"Secure"} if secure else set())


def test_a_token_alone(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    with locked(monkeypatch, user=None) as web_ui:
        client = Client(web_ui.guard)
        assert re.findall(r'name="(\w+)"', client.get("/login").text).count("username") == 0
        for headers in (bearer(SECRET), basic("", SECRET), basic("anybody", SECRET)):
            assert client.get("/own", headers=headers).text == "own"
        assert client.get("/own", headers=basic(SECRET, "")).status_code == 401
        assert "Wrong password." in client.post("/sign-in", data={"password": "x"}).text
        assert client.post("/sign-in", data={"password": SECRET}).status_code == 303
        shown = client.get("/").text
        assert '"login_name": null' in shown
        assert '"logout_url": "./sign-out"' in shown


def test_below_a_path(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    with locked(monkeypatch, web_base_path="/load") as web_ui:
        client = Client(web_ui.guard)
        assert client.get("/own", headers=NAVIGATES).headers["Location"] == "./load/login?next=/own"
        assert client.get("/load/", headers=NAVIGATES).headers["Location"] == "./login"
        assert client.get("/load/healthz").status_code == 200
        form = {"username": "ann", "password": SECRET, "next": "/own"}
        assert client.post("/load/sign-in", data=form).headers["Location"] == "../own"
        assert client.get("/own").text == "own"


def test_the_password_is_nowhere_to_be_seen(
    web_ui: Any, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    web_ui.app.route("/dump")(lambda: render_template_string("{{ config }} {{ request.environ }}"))
    sign_in(client)
    sign_in(client, "ann", "wrong-password", **from_address("127.0.0.1"))
    for path in ("/", "/stats/requests", "/logs", "/stats/report", "/dump", "/login"):
        assert SECRET not in client.get(path).text
    assert SECRET not in repr(web_ui.guard.access) + repr(vars(web_ui.guard.password))
    assert SECRET not in caplog.text
    assert "wrong-password" not in caplog.text
    assert "Wrong password for the web page from 127.0.0.1" in caplog.text


def from_address(address: str) -> dict[str, Any]:
    return {"environ_base": {"REMOTE_ADDR": address}}


def test_wrong_tries_are_slowed_down(client: Client, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    codes = [sign_in(client, "ann", "x").status_code for _ in range(12)]
    assert codes == [401] * 10 + [429] * 2
    assert caplog.text.count("Wrong password") == 1
    answer = sign_in(client)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    assert "Too many wrong passwords: try again in 2 s." in answer.text
    answer = client.get("/own", headers=bearer(SECRET))
    assert (answer.status_code, answer.json["error"][:8]) == (429, "Too many")
    clock.now += 2
    assert sign_in(client).status_code == 303


def test_a_session_goes_on_while_wrong_tries_are_slowed_down(client: Client) -> None:
    sign_in(client)
    assert [sign_in(client, "ann", "x").status_code for _ in range(11)][-1] == 429
    assert client.get("/own").text == "own"


def test_wrong_tries_of_one_hold_up_nobody_else(web_ui: Any, clock: Clock) -> None:
    other = Client(web_ui.guard)
    for _ in range(20):
        sign_in(other, "ann", "x", **from_address("192.0.2.1"))
    assert sign_in(other, **from_address("192.0.2.1")).status_code == 429
    assert sign_in(other, **from_address("192.0.2.2")).status_code == 303


def test_wrong_tries_of_many_are_slowed_down_but_not_who_was_right_before(web_ui: Any, clock: Clock) -> None:
    subject = Client(web_ui.guard, use_cookies=False)
    assert sign_in(subject, **from_address("198.51.100.1")).status_code == 303
    codes = [
        sign_in(subject, "ann", "x", **from_address(f"2001:db8:0:{n:x}::1")).status_code for n in range(60)
    ]
    assert codes == [401] * 50 + [429] * 10
    assert sign_in(subject, **from_address("198.51.100.2")).status_code == 429
    assert sign_in(subject, **from_address("198.51.100.1")).status_code == 303
    clock.now += 0.2
    assert sign_in(subject, **from_address("198.51.100.2")).status_code == 303


def test_addresses_of_one_network_are_one_client(web_ui: Any, clock: Clock) -> None:
    subject = Client(web_ui.guard)
    codes = [sign_in(subject, "ann", "x", **from_address(f"2001:db8::{n:x}")).status_code for n in range(12)]
    assert codes[-1] == 429


def test_an_attack_leaves_a_bounded_table(clock: Clock) -> None:
    subject = throttle.Throttle()
    for number in range(5 * throttle.MAX_CLIENTS):
        client = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        subject.wrong(client)
        subject.right(client)
    assert len(subject._forgiven) == len(subject._known) == throttle.MAX_CLIENTS


def test_sessions_end_when_they_are_not_used_and_are_bounded(
    web_ui: Any, client: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client)
    for _ in range(3):
        clock.now += password.SESSION_S - 1
        assert client.get("/own").text == "own"
    clock.now += password.SESSION_S + 1
    assert client.get("/own").status_code == 401
    monkeypatch.setattr(password, "MAX_SESSIONS", 3)
    others = [Client(web_ui.guard) for _ in range(4)]
    for other in others:
        sign_in(other)
    assert [other.get("/own").status_code for other in others] == [401, 200, 200, 200]


def test_two_logins_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    both = {"web_login": True, "access": Access(password=SECRET)}
    with pytest.raises(ValueError, match="cannot be used together"), page(monkeypatch, **both):
        pass
