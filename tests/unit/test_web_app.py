"""The Flask application: there at import, taken by the first page, replayed for later ones."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from subprocess import run

import pytest
from flask import Blueprint, Flask, Response
from web_fixtures import make_environment, page

import locust_c.web
from locust_c.web.application import Registrations, make_app
from locust_c.web.built import BuildPathError


def test_the_first_page_takes_the_application_that_exists_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    with page(monkeypatch) as web_ui:
        assert web_ui.app is locust_c.web.app


def register(app: Flask) -> None:
    """What a locustfile may do to the application when it is imported."""

    @app.route("/added_page")
    def my_added_page() -> str:
        return "Another page"

    @app.route("/fails")
    def fails() -> str:
        raise KeyError("lost")

    @app.errorhandler(KeyError)
    def on_key_error(error: KeyError) -> tuple[str, int]:
        return "handled", 418

    @app.after_request
    def mark(response: Response) -> Response:
        response.headers["X-Mark"] = "1"
        return response

    @app.template_filter("shout")
    def shout(text: str) -> str:
        return text.upper()

    more = Blueprint("more", "locust_c.web", url_prefix="/more")

    @more.route("/page")
    def more_page() -> str:
        return "more"

    app.register_blueprint(more)
    app.config["OWN"] = "value"


def test_every_page_of_a_process_has_what_was_registered_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locust_c.web, "app", make_app())
    register(locust_c.web.app)
    with page() as first, page() as second:
        assert first.app is locust_c.web.app
        assert second.app is not first.app
        for web_ui in (first, second, second, first):
            client = web_ui.app.test_client()
            answer = client.get("/added_page")
            assert (answer.text, answer.headers["X-Mark"]) == ("Another page", "1")
            assert client.get("/fails").status_code == 418
            assert client.get("/more/page").text == "more"
            assert client.get("/stats/requests").status_code == 200
            assert web_ui.app.config["OWN"] == "value"
            assert web_ui.app.jinja_env.filters["shout"]("a") == "A"


def test_later_registrations_stay_with_the_page_they_were_made_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with page(monkeypatch) as first:
        first.app.route("/own")(lambda: "own")
        with page() as second:
            assert first.app.test_client().get("/own").text == "own"
            assert second.app.test_client().get("/own").status_code == 404


def test_each_page_answers_for_its_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = make_environment(host="http://one"), make_environment(host="http://two")
    with page(monkeypatch, environment=first) as one, page(environment=second) as two:
        assert b"http://one" in one.app.test_client().get("/").data
        assert b"http://two" in two.app.test_client().get("/").data


def test_a_view_can_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with page(monkeypatch) as web_ui:
        web_ui.app.view_functions["locust.index"] = lambda: "mine"
        assert web_ui.app.test_client().get("/").text == "mine"


def test_registrations_are_a_copy() -> None:
    app = make_app()
    taken = Registrations.of(app)
    register(app)
    other = make_app()
    taken.apply(other)
    assert other.test_client().get("/added_page").status_code == 404


def test_all_addresses_can_be_moved_below_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    with page(monkeypatch, web_base_path="/load") as web_ui:
        client = web_ui.app.test_client()
        assert client.get("/load/stats/requests").status_code == 200
        assert client.get("/stats/requests").status_code == 404
        html = client.get("/load/").text
        assert '<base href="./">' in html
        [style] = re.findall(r'href="\./(assets/[^"]+\.css)"', html)
        with client.get(f"/load/{style}") as answer:
            assert answer.status_code == 200


@pytest.fixture
def own_page(tmp_path: Path) -> Path:
    """A folder in the form of ours, as somebody's own build leaves it."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "own.js").write_text("own()")
    (tmp_path / "index.html").write_text("<script>window.templateArgs = {{ template_args|tojson }}</script>")
    return tmp_path


def test_a_page_of_ones_own(monkeypatch: pytest.MonkeyPatch, own_page: Path) -> None:
    with page(monkeypatch, build_path=str(own_page), web_login=True) as web_ui, page() as other:
        web_ui.login_manager.user_loader(lambda name: None)
        web_ui.app.config["LOGIN_DISABLED"] = True
        client = web_ui.app.test_client()
        answer = client.get("/")
        assert answer.text.startswith("<script>window.templateArgs = {")
        assert "Content-Security-Policy" not in answer.headers
        with client.get("/assets/own.js") as asset:
            assert asset.text == "own()"
            assert "immutable" not in asset.headers.get("Cache-Control", "")
        assert client.get("/assets/../index.html").status_code == 404
        # What it does not have is ours.
        login = client.get("/login")
        assert "Content-Security-Policy" in login.headers
        for name in re.findall(r'"\./(assets/[^"]+)"', login.text):
            with client.get(name) as asset:
                assert asset.status_code == 200
        (own_page / "auth.html").write_text("{{ auth_args|tojson }}")
        web_ui.app.jinja_env.cache.clear()
        web_ui.auth_args["title"] = "Own"
        login = client.get("/login")
        assert json.loads(login.text)["title"] == "Own"
        assert "Content-Security-Policy" not in login.headers
        assert "Content-Security-Policy" in other.app.test_client().get("/").headers


@pytest.mark.parametrize("folder", ["/no/such/folder", "."])
def test_a_folder_without_a_page_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = f"'{folder}' is no folder with an index.html"
    with pytest.raises(BuildPathError, match=expected), page(monkeypatch, build_path=folder):
        pass


def test_flask_is_not_imported_before_it_is_needed() -> None:
    code = (
        "import sys, locust_c.main, locust_c.env, locust_c.runners\n"
        "print(sorted({'flask', 'werkzeug', 'jinja2', 'zmq', 'msgpack', 'rich'} & set(sys.modules)))\n"
    )
    assert run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
