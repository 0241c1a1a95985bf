"""--web-login as Locust documents it: Flask-Login, callbacks of the locustfile, the page to sign in on."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Blueprint, redirect, request, session, url_for
from flask_login import UserMixin, login_user, logout_user
from web_fixtures import page

NAVIGATES = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Mode": "navigate"}
PROTECTED = [
    *("/", "/stats/requests", "/stats/report", "/stats/requests/csv", "/stats/failures/csv", "/exceptions"),
    *(
        "/exceptions/csv",
        "/tasks",
        "/logs",
        "/worker-count",
        "/stats/requests_full_history/csv",
        "/stats/phases",
    ),
]


class Known(UserMixin):
    """A user as the documentation has it."""

    def __init__(self, username: str) -> None:
        self.username = username

    def get_id(self) -> str:
        return self.username


def add_login(web_ui: Any) -> None:
    """What a locustfile does in `init`."""
    web_ui.login_manager.user_loader(Known)
    web_ui.app.config["SECRET_KEY"] = "a secret of the locustfile"
    web_ui.auth_args = {
        "username_password_callback": "/login_submit",
        "auth_providers": [
            {
                "label": "Github",
                "callback_url": "https://login.example/oauth?client=1",
                "icon_url": "https://icons.example:8443/github.svg",
            },
            {"label": "Ours", "callback_url": "/login/ours?a=b", "icon_url": "/own/icon.svg"},
        ],
    }
    auth = Blueprint("auth", "web_ui_auth")

    @auth.route("/login_submit", methods=["POST"])
    def login_submit() -> Any:
        if (request.form.get("username"), request.form.get("password")) != ("ann", "secret"):
            session["auth_error"] = "Invalid <b>name</b> or password"
            return redirect(url_for("locust.login"))
        login_user(Known("ann"))
        return redirect(url_for("locust.index"))

    @auth.route("/sign_up", methods=["POST"])
    def sign_up() -> Any:
        session["auth_info"] = "Signed up"
        return redirect(url_for("locust.login"))

    @auth.route("/leave")
    def leave() -> Any:
        logout_user()
        return redirect(url_for("locust.login"))

    web_ui.app.register_blueprint(auth)
    web_ui.app.route("/open")(lambda: "open")

    @web_ui.app.route("/guarded")
    @web_ui.auth_required_if_enabled
    def guarded() -> str:
        return "guarded"


@pytest.fixture
def web_ui(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with page(monkeypatch, web_login=True) as subject:
        add_login(subject)
        yield subject


@pytest.fixture
def client(web_ui: Any) -> Any:
    return web_ui.app.test_client()


def sign_in(client: Any, password: str = "secret", **arguments: Any) -> Any:
    return client.post("/login_submit", data={"username": "ann", "password": password}, **arguments)


def inputs(text: str) -> list[dict[str, str]]:
    """The attributes of the inputs of a page."""
    elements = re.findall(r"<(?:input|select) ([^>]*)>", text)
    return [
        {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', element)}
        for element in elements
    ]


@pytest.mark.parametrize("path", PROTECTED)
def test_a_browser_is_led_to_the_login_page_and_a_program_is_refused(client: Any, path: str) -> None:
    answer = client.get(path, headers=NAVIGATES)
    place, _, query = answer.headers["Location"].partition("?")
    assert (answer.status_code, place.lstrip("./")) == (302, "login")
    assert query.startswith("next=%2F")
    answer = client.get(path)
    assert (answer.status_code, answer.json) == (401, {"error": "Not signed in"})


@pytest.mark.parametrize("path", ["/swarm", "/stop", "/stats/reset", "/user"])
def test_nobody_unknown_changes_anything(web_ui: Any, client: Any, path: str) -> None:
    assert client.post(path, data={"user_count": "1", "spawn_rate": "1"}).status_code == 401
    assert web_ui.environment.runner.state == "ready"


def test_what_is_open(client: Any) -> None:
    assert client.get("/healthz").json["status"] == "ok"
    assert client.get("/open").text == "open"
    login = client.get("/login")
    for name in re.findall(r'"\./(assets/[^"]+)"', login.text):
        with client.get(name) as answer:
            assert answer.status_code == 200


def test_signing_in_and_out(client: Any) -> None:
    assert client.get("/guarded", headers=NAVIGATES).headers["Location"] == "./login?next=%2Fguarded"
    assert sign_in(client).headers["Location"] == "/"
    assert client.get("/guarded").text == "guarded"
    shown = client.get("/")
    assert '"login_name": "ann"' in shown.text
    assert '"logout_url": null' in shown.text
    assert client.get("/stats/requests").json["state"] == "ready"
    client.get("/leave")
    assert client.get("/guarded").status_code == 401


def test_what_the_session_has_to_say_is_shown_once(client: Any) -> None:
    sign_in(client, "wrong")
    shown = client.get("/login").text
    assert '<p class="error" role="alert">Invalid &lt;b&gt;name&lt;/b&gt; or password</p>' in shown
    assert "Invalid" not in client.get("/login").text
    client.post("/sign_up")
    assert '<p class="info" role="status">Signed up</p>' in client.get("/login").text


def test_the_login_page_shows_what_auth_args_say(web_ui: Any, client: Any) -> None:
    web_ui.auth_args |= {"title": "Load & more", "error": "Come <later>", "info": "News"}
    answer = client.get("/login")
    assert "<title>Load &amp; more</title>" in answer.text
    assert "Come &lt;later&gt;" in answer.text
    assert "News" in answer.text
    assert 'action="./login_submit"' in answer.text
    assert [(each["name"], each["type"]) for each in inputs(answer.text)] == [
        ("username", "text"),
        ("password", "password"),
    ]
    assert 'href="https://login.example/oauth?client=1"' in answer.text
    assert 'href="./login/ours?a=b"' in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "form-action 'self' https://login.example;" in policy
    assert "img-src 'self' data: https://icons.example:8443;" in policy
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_form_of_ones_own(web_ui: Any, client: Any) -> None:
    web_ui.auth_args = {
        "custom_form": {
            "inputs": [
                {"label": "Name", "name": "username", "is_required": True},
                {"label": "Pin", "name": "pin", "is_secret": True, "default_value": '"<1>'},
                {"label": "Stay", "name": "stay", "default_value": True},
                {"label": "Not", "name": "not", "default_value": False},
                {"label": "Mail", "name": "mail", "type": "email"},
                {"label": "Team", "name": "team", "choices": ["<a>", "b"], "default_value": "b"},
                {"label": "Tags", "name": "tags", "choices": ["x", "y"], "is_multiple": True},
            ],
            "callback_url": "https://login.example/form",
            "submit_button_text": "Go <in>",
        }
    }
    answer = client.get("/login")
    fields = {each["name"]: each for each in inputs(answer.text)}
    assert fields["username"]["required"] == "required"
    assert (fields["pin"]["type"], fields["pin"]["value"]) == ("password", '"<1>')
    assert fields["stay"]["type"] == fields["not"]["type"] == "checkbox"
    assert ("checked" in fields["stay"], "checked" in fields["not"]) == (True, False)
    assert fields["mail"]["type"] == "email"
    assert [name for name, field in fields.items() if "autofocus" in field] == ["username"]
    assert fields["tags"]["multiple"] == "multiple"
    options = re.findall(r"<option ([^>]*)>([^<]*)<", answer.text)
    assert [("selected" in attributes, html.unescape(text)) for attributes, text in options] == [
        (False, "<a>"),
        (True, "b"),
        (True, "x"),
        (True, "y"),
    ]
    assert "Go &lt;in&gt;</button>" in answer.text
    assert "form-action 'self' https://login.example;" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "address", ["https://x.example;script-src", "javascript:alert(1)", "https://'x'/", ""]
)
def test_an_address_cannot_change_the_policy(web_ui: Any, client: Any, address: str) -> None:
    web_ui.auth_args = {"auth_providers": [{"label": "x", "callback_url": address, "icon_url": address}]}
    assert "form-action 'self';" in client.get("/login").headers["Content-Security-Policy"]


def test_without_auth_args_the_login_page_says_so(web_ui: Any, client: Any) -> None:
    web_ui.auth_args = {}
    assert "environment.web_ui.auth_args" in client.get("/login").text


@pytest.mark.parametrize("lacks", ["loader", "key"])
@pytest.mark.parametrize("path", ["/", "/stats/requests", "/guarded"])
def test_a_login_that_cannot_work_says_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, lacks: str, path: str
) -> None:
    with page(monkeypatch, web_login=True) as web_ui:
        add_login(web_ui)
        if lacks == "loader":
            web_ui.login_manager._user_callback = None
        else:
            web_ui.app.config["SECRET_KEY"] = None
        client = web_ui.app.test_client()
        answer = client.get(path, headers=NAVIGATES)
        assert (answer.status_code, answer.mimetype) == (500, "text/html")
        assert "Locust auth exception: " in answer.text
        assert ("user_loader" if lacks == "loader" else "secret key") in answer.text
        assert "Traceback" not in caplog.text
        assert client.get("/login").status_code == 200


def test_the_exception_is_shown_as_text(web_ui: Any, client: Any) -> None:
    def fails(user_id: str) -> Any:
        raise KeyError("<script>")

    sign_in(client)
    web_ui.login_manager.user_loader(fails)
    assert "&lt;script&gt;" in client.get("/").text


def test_a_failing_view_is_no_failure_of_the_login(web_ui: Any, client: Any) -> None:
    @web_ui.app.route("/broken")
    @web_ui.auth_required_if_enabled
    def broken() -> str:
        raise KeyError("mine")

    sign_in(client)
    answer = client.get("/broken")
    assert answer.status_code == 500
    assert "Locust auth exception" not in answer.text


def test_an_answer_of_the_locustfiles_own(web_ui: Any, client: Any) -> None:
    web_ui.login_manager.unauthorized_handler(lambda: ("who are you", 418))
    assert client.get("/stats/requests").status_code == 418
    web_ui.login_manager.request_loader(lambda asked: Known("bot") if asked.headers.get("X-Key") else None)
    assert client.get("/stats/requests", headers={"X-Key": "1"}).status_code == 200


@pytest.mark.parametrize("tls", [False, True])
def test_the_cookie_of_the_session_is_kept_from_others(client: Any, tls: bool) -> None:
    headers = {"X-Forwarded-Proto": "https"} if tls else {}
    cookie = sign_in(client, headers=headers).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    assert ("; Secure" in cookie) is tls


def test_what_the_locustfile_says_of_the_cookie_counts(web_ui: Any, client: Any) -> None:
    web_ui.app.config.update(SESSION_COOKIE_SAMESITE="Strict", SESSION_COOKIE_SECURE=True)
    cookie = sign_in(client).headers["Set-Cookie"]
    assert {"SameSite=Strict", "Secure"} <= set(cookie.split("; "))


def test_below_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    with page(monkeypatch, web_login=True, web_base_path="/load") as web_ui:
        add_login(web_ui)
        client = web_ui.app.test_client()
        answer = client.get("/load/stats/report", headers=NAVIGATES)
        assert answer.headers["Location"] == "../login?next=%2Fload%2Fstats%2Freport"
        assert 'action="../login_submit"' in client.get("/load/login").text
        assert client.get("/load/healthz").status_code == 200


def test_without_the_flag_there_is_no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    with page(monkeypatch) as web_ui:
        with pytest.raises(AttributeError):
            _ = web_ui.login_manager
        web_ui.app.route("/guarded")(web_ui.auth_required_if_enabled(lambda: "guarded"))
        client = web_ui.app.test_client()
        assert client.get("/guarded").text == "guarded"
        assert client.get("/login").headers["Location"] == "./"
        assert '"login_name": null' in client.get("/").text
        assert {client.post(path).status_code for path in ("/sign-in", "/sign-out")} == {404}
