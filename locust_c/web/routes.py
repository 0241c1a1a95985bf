"""The addresses of the page; names and answers are those of Locust's documented HTTP API."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    jsonify,
    render_template,
    request,
    send_file,
    send_from_directory,
)
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.security import safe_join

from .. import log
from ..credentials import without_userinfo
from ..html import download_name, get_html_report, json_for_script
from ..states import STATE_MISSING
from .bodies import refuse_large_body
from .built import DIST, MISSING, is_built
from .downloads import add_downloads
from .guard import OPEN_ENDPOINTS
from .live import add_live
from .login import add_login, refuse_if_not_signed_in
from .origin import is_foreign
from .places import keep_redirect_local
from .policy import NOTHING, built_in_page, nonce, page_root, set_headers
from .swarm import SwarmError, read_form

if TYPE_CHECKING:
    from .ui import WebUI

logger = logging.getLogger("locust.web")

locust = Blueprint("locust", __name__, template_folder=str(DIST))

#: Files below ``/assets`` have a digest of their content in their names.
_ASSET_AGE_S = 365 * 24 * 3600

_READING = ("GET", "HEAD", "OPTIONS")


def _web_ui() -> WebUI:
    web_ui: WebUI = current_app.extensions["locust"]
    return web_ui


add_downloads(locust, _web_ui)
add_live(locust, _web_ui)
add_login(locust, _web_ui)


locust.after_request(set_headers)
locust.after_app_request(keep_redirect_local)


@locust.app_context_processor
def _addresses_and_marks() -> dict[str, Any]:
    """What templates that render the page may use, those of users' own pages among them."""
    return {"csp_nonce": nonce(), "page_root": lambda: page_root(_web_ui().web_base_path)}


@locust.app_template_filter()
def for_script(value: Any) -> Markup:
    """JSON that can stand inside a script element."""
    return Markup(json_for_script(value))


@locust.before_request
def _refuse_large_bodies() -> None:
    refuse_large_body(request)


@locust.before_request
def _refuse_changes_from_elsewhere() -> None:
    allowed = _web_ui().guard.access.allowed_origins
    if request.method not in _READING and is_foreign(request.headers, request.host, allowed):
        page = request.headers.get("Origin") or request.headers.get("Referer") or "another web page"
        abort(
            403,
            f"This request comes from {page[:200]}; only the page itself may change the test."
            " --web-allow-origin lets pages of other origins do it, too.",
        )


@locust.before_request
def _refuse_without_login() -> Any:
    return None if request.endpoint in OPEN_ENDPOINTS else refuse_if_not_signed_in(_web_ui())


@locust.errorhandler(Exception)
def _error(error: Exception) -> tuple[str, int, dict[str, str]]:
    """Say in plain text what went wrong."""
    code = error.code if isinstance(error, HTTPException) and error.code is not None else 500
    logger.log(
        logging.DEBUG if code <= 404 else logging.ERROR,
        "UI got request for %s %s, but it resulted in a %d: %s",
        request.method,
        request.path,
        code,
        type(error).__name__,
        exc_info=None if isinstance(error, HTTPException) else error,
    )
    text = error.description if isinstance(error, HTTPException) else str(error)
    return text or type(error).__name__, code, {"Content-Type": "text/plain; charset=utf-8", **NOTHING}


@locust.route("/")
def index() -> Response:
    """The page itself."""
    web_ui = _web_ui()
    if web_ui.environment.runner is None:
        abort(500, "Error: Locust Environment does not have any runner")
    if web_ui.build_path is None and not is_built():
        abort(500, MISSING)
    web_ui.update_template_args()
    html = render_template("index.html", template_args=web_ui.template_args)
    # What a page of the user's own loads is the user's business.
    return built_in_page(html) if web_ui.build_path is None else Response(html)


@locust.route("/assets/<path:name>")
def send_assets(name: str) -> Response:
    """What the page loads."""
    own = _web_ui().build_path
    if own is not None and (path := safe_join(str(own / "assets"), name)) and os.path.isfile(path):
        return send_file(path)
    response = send_from_directory(DIST / "assets", name, max_age=_ASSET_AGE_S)
    response.cache_control.immutable = True
    return response


@locust.route("/swarm", methods=["POST"])
def swarm() -> Response:
    """Start the test, or change the running one."""
    web_ui = _web_ui()
    try:
        form = read_form(request.form, web_ui.environment.parsed_options)
        answer = {"success": True, **web_ui.swarming.start(form)}
    except SwarmError as error:
        logger.error("%s", error)
        answer = {"success": False, "message": str(error)}
    web_ui.figures.clear()
    return jsonify({**answer, "host": without_userinfo(web_ui.environment.host or "") or None})


@locust.route("/stop", methods=["POST"])
def stop() -> Response:
    """End the test; answers when all users have ended."""
    web_ui = _web_ui()
    web_ui.swarming.stop()
    web_ui.figures.clear()
    return jsonify({"success": True, "message": "Test stopped"})


@locust.route("/user", methods=["POST"])
def update_user() -> tuple[Response, int]:
    """Set attributes of a user class, as the class picker asks for it."""
    settings = request.get_json(force=True, silent=True)
    try:
        if not isinstance(settings, dict):
            raise ValueError("The body must be a JSON object")
        _web_ui().environment.update_user_class(settings)
    except (TypeError, ValueError) as error:
        abort(400, str(error))
    return jsonify({}), 201


@locust.route("/stats/reset", methods=["POST"])
def reset_stats() -> str:
    """Forget all statistics and exceptions."""
    web_ui = _web_ui()
    environment = web_ui.environment
    environment.events.reset_stats.fire()
    environment.stats.reset_all()
    environment.stats.clear_all()
    if environment.runner is not None:
        environment.runner.exceptions.clear()
    web_ui.figures.clear()
    return "ok"


@locust.route("/stats/requests")
def request_stats() -> Response:
    """The figures of the test: the first 500 entries and the total, or all entries with ``?all=1``."""
    everything = request.args.get("all", "") not in ("", "0")
    return Response(_web_ui().figures.requests(everything), mimetype="application/json")


@locust.route("/stats/phases")
def phases() -> Response:
    """How long looking up, connecting, TLS, sending, waiting and receiving took, by entry; and the lag."""
    return Response(_web_ui().figures.phases(), mimetype="application/json")


@locust.route("/stats/report")
def stats_report() -> Response:
    """The HTML report of the test as it is now; to be saved with ``?download=1``."""
    environment = _web_ui().environment
    theme = request.args.get("theme", "")
    if not request.args.get("download"):
        return built_in_page(get_html_report(environment, theme=theme, nonce=nonce()), own_styles=True)
    response = Response(
        get_html_report(environment, show_download_link=False, theme=theme), mimetype="text/html"
    )
    response.headers["Content-Disposition"] = f"attachment;filename={download_name(environment, '.html')}"
    return response


@locust.route("/exceptions")
def exceptions() -> Response:
    """What tasks raised, and how often."""
    runner = _web_ui().environment.runner
    rows = [] if runner is None else list(runner.exceptions.values())
    return jsonify(
        {
            "exceptions": [
                {
                    "count": row["count"],
                    "msg": row["msg"],
                    "traceback": row["traceback"],
                    "nodes": ", ".join(sorted(row["nodes"])),
                }
                for row in rows
            ]
        }
    )


@locust.route("/tasks")
def tasks() -> Response:
    """How often each task is picked: within its user class, and of all tasks."""
    from ..user.inspectuser import get_ratio

    runner = _web_ui().environment.runner
    if runner is None:
        return jsonify({"per_class": {}, "total": {}})
    counts: dict[str, float] = {**runner.user_classes_count}
    if not any(counts.values()):
        counts = {kind.__name__: kind.fixed_count or kind.weight for kind in runner.user_classes}
    return jsonify(
        {
            "per_class": get_ratio(runner.user_classes, counts, False),
            "total": get_ratio(runner.user_classes, counts, True),
        }
    )


@locust.route("/logs")
def logs() -> Response:
    """The last lines of the log."""
    return jsonify({"master": log.get_logs(), "workers": _web_ui().environment.worker_logs})


@locust.route("/healthz")
def healthz() -> Response:
    """For probes: the process answers, and this is what it is at."""
    runner = _web_ui().environment.runner
    return jsonify({"status": "ok", "state": STATE_MISSING if runner is None else runner.state})


@locust.route("/worker-count")
def get_worker_count() -> Response:
    """How many workers are connected: none, for a test that runs in this process."""
    return jsonify({"worker_count": 0})
