"""Signing in: the page for it, Locust's ``--web-login`` on Flask-Login, and the built-in password."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import flask_login
from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    has_request_context,
    jsonify,
    redirect,
    render_template,
    request,
    session,
)
from flask.sessions import SecureCookieSessionInterface
from flask_login.config import EXEMPT_METHODS
from markupsafe import escape
from werkzeug.exceptions import HTTPException

from .guard import is_over_tls, navigates
from .password import TooManyTries, WrongPassword
from .places import is_local, relative
from .policy import built_in_page, page_root

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from .ui import WebUI

logger = logging.getLogger("locust.web")

_NOT_SIGNED_IN = "Not signed in"


class LoginManager(flask_login.LoginManager):  # type: ignore[misc]
    """Flask-Login's manager; programs that are not signed in get 401 instead of a page to fill in."""

    def unauthorized(self) -> Any:
        """Answer a request of somebody who is not signed in."""
        if self.unauthorized_callback is None and not navigates(request):
            return jsonify({"error": _NOT_SIGNED_IN}), 401
        answer = super().unauthorized()
        place = urlsplit(getattr(answer, "location", None) or "")
        if place.path and not place.netloc:
            # Below a prefix that an ingress strips, a path from the root of the host leads elsewhere.
            query = f"?{place.query}" if place.query else ""
            answer.location = relative(request.root_path + request.path, unquote(place.path)) + query
        return answer


class _Sessions(SecureCookieSessionInterface):
    """Flask's sessions, whose cookie no other site makes a browser send and no plain http carries."""

    def get_cookie_samesite(self, app: Flask) -> str | None:
        return super().get_cookie_samesite(app) or "Lax"

    def get_cookie_secure(self, app: Flask) -> bool:
        return super().get_cookie_secure(app) or is_over_tls(request)


def make_login_manager(app: Flask) -> LoginManager:
    """Give ``app`` what Locust documents for ``--web-login``; users add their ``user_loader`` to it."""
    manager = LoginManager()
    # Its own context processor would look for the user even where a template does not ask.
    manager.init_app(app, add_context_processor=False)
    app.context_processor(lambda: {"current_user": flask_login.current_user})
    manager.login_view = "locust.login"
    if type(app.session_interface) is SecureCookieSessionInterface:
        app.session_interface = _Sessions()
    return manager


def refuse_if_not_signed_in(web_ui: WebUI) -> Any:
    """The answer to a request that needs a login of ``--web-login``, and has none; None: go on."""
    manager = getattr(web_ui, "login_manager", None)
    if manager is None or request.method in EXEMPT_METHODS or current_app.config.get("LOGIN_DISABLED"):
        return None
    try:
        return None if flask_login.current_user.is_authenticated else manager.unauthorized()
    except HTTPException:
        raise
    except Exception as error:
        return _misconfigured(error)


def _misconfigured(error: Exception) -> AnyResponse:
    logger.error("Locust auth exception: %s", error)
    response = built_in_page(
        f"<!doctype html><title>Locust</title><p>Locust auth exception: {escape(error)}</p>"
        "<p>--web-login needs a user_loader at environment.web_ui.login_manager, and a SECRET_KEY in"
        " environment.web_ui.app.config.</p>"
    )
    response.status_code = 500
    return response


def add_login(routes: Blueprint, web_ui_of_request: Callable[[], WebUI]) -> None:
    """Add the login's addresses to ``routes``; ``web_ui_of_request`` finds the page a request is for."""

    @routes.route("/login")
    def login() -> AnyResponse:
        """The page to sign in on; the page itself for whoever need not."""
        web_ui = web_ui_of_request()
        password = web_ui.guard.password
        if password is not None and not password.has_session(request):
            return _password_page(web_ui, request.args.get("next", ""))
        if getattr(web_ui, "login_manager", None) is not None:
            return _page_of_users_login(web_ui)
        return redirect(_page_after_login(web_ui, request.args.get("next", "")))

    @routes.after_request
    def keep_out_of_caches(response: Response) -> Response:
        """What somebody saw who was signed in, nobody else sees by going back."""
        web_ui = web_ui_of_request()
        if web_ui.guard.password is not None or hasattr(web_ui, "login_manager"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    @routes.route("/sign-in", methods=["POST"])
    def sign_in() -> AnyResponse:
        """Take name and password of the built-in login."""
        web_ui = web_ui_of_request()
        password = web_ui.guard.password
        if password is None:
            abort(404)
        form, place = request.form, request.form.get("next", "")
        try:
            user, given = form.get("username", "").encode(), form.get("password", "").encode()
            password.check(request.remote_addr or "", user, given)
        except WrongPassword as error:
            return _password_page(web_ui, place, str(error), 401)
        except TooManyTries as error:
            answer = _password_page(web_ui, place, str(error), 429)
            answer.headers["Retry-After"] = str(error.wait_s)
            return answer
        response = redirect(_page_after_login(web_ui, place), 303)
        response.set_cookie(password.cookie, password.begin_session(), **_cookie_settings())
        return response

    @routes.route("/sign-out", methods=["POST"])
    def sign_out() -> AnyResponse:
        """End the session of the built-in login."""
        web_ui = web_ui_of_request()
        password = web_ui.guard.password
        if password is None:
            abort(404)
        password.end_session(request)
        response = redirect("./login", 303)
        response.delete_cookie(password.cookie, **_cookie_settings())
        return response


def _cookie_settings() -> dict[str, Any]:
    """Users' own pages need the session, too: it is for all paths, or all below the prefix of an ingress."""
    prefix = request.headers.get("X-Forwarded-Prefix", "").rstrip("/")
    known = re.fullmatch(r"(/[\w.~%-]+)+", prefix, re.ASCII)
    return {
        "path": prefix if known else "/",
        "httponly": True,
        "samesite": "Lax",
        "secure": is_over_tls(request),
    }


def _page_after_login(web_ui: WebUI, place: str) -> str:
    """Where to go: ``place``, a path of ours with its query, if it is one."""
    if not is_local(place):
        return page_root(web_ui.web_base_path)
    path, _, query = place.partition("?")
    return relative(request.path, path) + (f"?{query}" if query else "")


def _password_page(web_ui: WebUI, place: str, error: str | None = None, code: int = 200) -> Response:
    asks_name = web_ui.guard.access.user is not None
    names = [{"label": "User name", "name": "username", "is_required": True}] if asks_name else []
    label = "Password" if asks_name else "Password or token"
    secret = {"label": label, "name": "password", "is_secret": True, "is_required": True}
    arguments = {
        "title": web_ui.auth_args.get("title"),
        "error": error,
        "custom_form": {
            "inputs": [*names, secret],
            "callback_url": "sign-in",
            "submit_button_text": "Sign in",
        },
    }
    return _login_page(arguments, {"next": place} if is_local(place) else {}, code)


def _page_of_users_login(web_ui: WebUI) -> Response:
    arguments = {**web_ui.auth_args}
    for key in ("error", "info"):
        arguments[key] = session.pop(f"auth_{key}") if session.get(f"auth_{key}") else arguments.get(key)
    return _login_page(arguments)


def _login_page(arguments: dict[str, Any], hidden: dict[str, str] | None = None, code: int = 200) -> Response:
    form = login_form(arguments)
    providers = arguments.get("auth_providers") or []
    targets = [form["action"]] if form else []
    html = render_template(
        "auth.html",
        auth_args=arguments,
        form=form,
        hidden=hidden or {},
        providers=[{**each, "address": _address(each["callback_url"])} for each in providers],
    )
    own = current_app.extensions["locust"].build_path
    response = (
        Response(html)
        if own is not None and (own / "auth.html").is_file()
        else built_in_page(
            html,
            form_targets=_origins([*targets, *(each["callback_url"] for each in providers)]),
            images=_origins(each.get("icon_url") or "" for each in providers),
        )
    )
    response.status_code = code
    return response


def login_form(arguments: dict[str, Any]) -> dict[str, Any] | None:
    """What the form asks for: ``custom_form`` of ``auth_args``, or a user name and a password."""
    custom = arguments.get("custom_form")
    if custom:
        return {
            "action": _address(custom["callback_url"]),
            "submit": custom.get("submit_button_text") or "Sign in",
            "fields": [_field(number, each) for number, each in enumerate(custom.get("inputs") or [])],
        }
    if arguments.get("username_password_callback"):
        inputs: list[dict[str, Any]] = [
            {"label": "Username", "name": "username"},
            {"label": "Password", "name": "password", "is_secret": True},
        ]
        return {
            "action": _address(arguments["username_password_callback"]),
            "submit": "Sign in",
            "fields": [_field(number, each) for number, each in enumerate(inputs)],
        }
    return None


def _field(number: int, given: dict[str, Any]) -> dict[str, Any]:
    """An input as Locust documents it, as the template draws it: a kind, and attributes of its element."""
    name, default = given.get("name") or "", given.get("default_value")
    attributes: dict[str, Any] = {"id": f"field-{number}", "name": name}
    if given.get("is_required"):
        attributes["required"] = "required"
    if given.get("choices"):
        if given.get("is_multiple"):
            attributes["multiple"] = "multiple"
        kind = "select"
    elif isinstance(default, bool):
        kind = "checkbox"
        attributes |= {"type": "checkbox"} | ({"checked": "checked"} if default else {})
    else:
        kind = "text"
        attributes["type"] = "password" if given.get("is_secret") else given.get("type") or "text"
        attributes["value"] = default
        attributes["autofocus"] = "autofocus" if number == 0 else None
        attributes["autocomplete"] = {"username": "username", "password": "current-password"}.get(name)
    choices = given.get("choices") or []
    if given.get("is_multiple") and default is None:
        default = choices
    chosen = default if isinstance(default, (list, tuple)) else [default]
    choices = [(str(each), each in chosen) for each in choices]
    return {"kind": kind, "label": given.get("label") or name, "attributes": attributes, "choices": choices}


def _address(callback: str) -> str:
    """A path from the root of the host, as users write it, as seen from the login page; others as given."""
    if not is_local(callback):
        return callback
    path, _, query = callback.partition("?")
    return relative(request.path, unquote(path)) + (f"?{query}" if query else "")


def _origins(addresses: Iterable[str]) -> list[str]:
    """The origins of those addresses that name a host, as a policy has them."""
    found = (re.match(r"https?://[\w.:\[\]-]+(?=[/?#]|$)", address, re.ASCII) for address in addresses)
    return sorted({match[0] for match in found if match is not None})


def template_args(web_ui: WebUI) -> dict[str, Any]:
    """What the page is told of who is signed in: ``login_name`` and ``logout_url``, each may be None."""
    known: dict[str, Any] = {"login_name": None, "logout_url": None}
    if not has_request_context():
        return known
    password = web_ui.guard.password
    if password is not None:
        known["login_name"] = web_ui.guard.access.user
        known["logout_url"] = "./sign-out" if password.has_session(request) else None
    elif hasattr(web_ui, "login_manager") and not current_app.config.get("LOGIN_DISABLED"):
        user = flask_login.current_user
        known["login_name"] = str(user.get_id()) if user.is_authenticated else None
    return known
