"""What stands between the server and the application: it sees every request first, also for users' pages."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from .bodies import drop
from .origin import is_loopback, is_name_of_this_machine, name_in
from .password import PasswordLogin, TooManyTries, WrongPassword
from .places import relative
from .policy import NOTHING, set_headers

if TYPE_CHECKING:
    from .ui import WebUI

#: For how many seconds a browser remembers what a page of another origin may send.
_PREFLIGHT_AGE_S = 600
_PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": str(_PREFLIGHT_AGE_S),
}
_BROWSER_HEADERS = ("Sec-Fetch-Mode", "Origin", "Referer")

#: Views of ours that need no login.
OPEN_ENDPOINTS = frozenset(
    f"locust.{name}" for name in ("healthz", "login", "sign_in", "sign_out", "send_assets")
)


@dataclass(frozen=True)
class Access:
    """Who may use the page.

    :param allowed_origins: origins, as browsers write them, whose pages may read and change everything.
    :param password: what everybody must give who uses anything but the probe; None: no login.
    :param user: the name that is asked for with it; None: the password is enough.
    """

    allowed_origins: tuple[str, ...] = ()
    password: str | None = field(default=None, repr=False)
    user: str | None = None


class Guard:
    """The WSGI application that the server is given."""

    def __init__(self, web_ui: WebUI, access: Access, address: str) -> None:
        """:param address: the IP address that the server is bound to."""
        self.access = access
        self._web_ui = web_ui
        self._only_this_machine = is_loopback(address)
        hosts = [web_ui.host, *(origin.partition("//")[2] for origin in access.allowed_origins)]
        self._own_names = {name_in(host) for host in hosts if host}
        self.password: PasswordLogin | None = None
        if access.password is not None:
            # Cookies are for a host, whatever the port: another page on this machine has others.
            self.password = PasswordLogin(access.user, access.password, f"locust_session_{web_ui.port}")

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request, or have the application do it."""
        request = Request(environ)
        origin = request.headers.get("Origin")
        if self.access.allowed_origins:
            start_response = functools.partial(
                _start_for_origin, start_response, origin if origin in self.access.allowed_origins else None
            )
        answer = (
            self._refuse_name(request)
            or self._answer_preflight(request, origin)
            or self._refuse_without_password(request)
        )
        if answer is None:
            return self._web_ui.app(environ, start_response)
        if "HTTP_EXPECT" not in environ:
            with contextlib.suppress(OSError):
                drop(environ["wsgi.input"])
        return answer(environ, start_response)

    def _refuse_name(self, request: Request) -> Response | None:
        """The answer to a request under a name that is not ours: a page of another site may have sent it."""
        host = request.headers.get("Host")
        if host is None or not self._only_this_machine:
            return None
        shown = self._web_ui.display_name
        names = self._own_names | ({name_in(shown)} if shown else set())
        if is_name_of_this_machine(host, names) or self.endpoint_of(request) == "locust.healthz":
            return None
        return refusal(
            403,
            f"This page is for this machine only, and '{name_in(host)}' is not one of its names. If it is:"
            " start locust with --web-host-display-name and that name.",
        )

    def _answer_preflight(self, request: Request, origin: str | None) -> Response | None:
        """The answer to a browser that asks what a page of another origin may send."""
        asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        if not asks or origin not in self.access.allowed_origins:
            return None
        return Response(status=204, headers=_PREFLIGHT_HEADERS)

    def _refuse_without_password(self, request: Request) -> Response | None:
        """The answer to a request of somebody who has not given the password."""
        password = self.password
        if password is None or password.has_session(request) or self.endpoint_of(request) in OPEN_ENDPOINTS:
            return None
        sent = password.sent_password(request)
        if sent is None:
            return self._ask_for_password(request)
        try:
            password.check(request.remote_addr or "", *sent)
        except WrongPassword as error:
            return _error(request, 401, str(error))
        except TooManyTries as error:
            answer = _error(request, 429, str(error))
            answer.headers["Retry-After"] = str(error.wait_s)
            return answer
        return None

    def _ask_for_password(self, request: Request) -> Response:
        if not navigates(request):
            return _error(request, 401, "Not signed in")
        place = relative(request.path, f"{self._web_ui.web_base_path}/login")
        wanted = request.path + (f"?{request.query_string.decode('latin-1')}" if request.query_string else "")
        query = "" if wanted == f"{self._web_ui.web_base_path}/" else f"?next={quote(wanted)}"
        answer = Response("Sign in first.\n", 302, {"Location": place + query}, mimetype="text/plain")
        set_headers(answer)
        return answer

    def endpoint_of(self, request: Request) -> str | None:
        """The name under which the application knows what is asked for; None: nothing there."""
        try:
            matched = self._web_ui.app.url_map.bind_to_environ(request.environ).match()
        except HTTPException:
            return None
        endpoint: str = matched[0]
        return endpoint


def navigates(request: Request) -> bool:
    """Whether a person is to see the answer as a page."""
    if request.method not in ("GET", "HEAD"):
        return False
    mode = request.headers.get("Sec-Fetch-Mode")
    return mode == "navigate" if mode is not None else "text/html" in request.headers.get("Accept", "")


def is_over_tls(request: Request) -> bool:
    """Whether the browser speaks https, to us or to a proxy that says so."""
    forwarded = request.headers.get("X-Forwarded-Proto", "")
    return request.is_secure or forwarded.split(",")[0].strip().lower() == "https"


def _error(request: Request, code: int, text: str) -> Response:
    """Return an answer for programs, which says to those that are no browser how to give the password."""
    answer = refusal(code, json.dumps({"error": text}) + "\n")
    answer.mimetype = "application/json"
    # A browser would ask for the password in a window of its own.
    if code == 401 and not _is_of_browser(request):
        answer.headers["WWW-Authenticate"] = 'Basic realm="Locust", charset="UTF-8"'
    return answer


def _is_of_browser(request: Request) -> bool:
    headers = request.headers
    return any(name in headers for name in _BROWSER_HEADERS) or "Mozilla/" in headers.get("User-Agent", "")


def refusal(code: int, text: str) -> Response:
    """Return an answer of plain text."""
    response = Response(text, code, NOTHING, mimetype="text/plain")
    set_headers(response)
    return response


def _start_for_origin(
    start_response: Callable[..., Any],
    origin: str | None,
    status: str,
    headers: list[tuple[str, str]],
    *error: Any,
) -> Any:
    """Let pages of ``origin`` read the answer, unless the application has its own rule for that."""
    headers = [*headers, ("Vary", "Origin")]
    set_before = {name.lower() for name, _ in headers}
    if origin is not None and "access-control-allow-origin" not in set_before:
        headers.append(("Access-Control-Allow-Origin", origin))
        headers.append(("Access-Control-Allow-Credentials", "true"))
    return start_response(status, headers, *error)
