"""Headers of our own answers: who may use them, and what a built-in page may load and run.

Pages that users add are theirs: nothing here touches them.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TypeVar

from flask import Response, current_app, g, has_request_context, request
from werkzeug.wrappers import Response as AnyResponse

from .places import relative

_Response = TypeVar("_Response", bound=AnyResponse)

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
}

#: For an answer that is not to load or run anything.
NOTHING = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'self'"}


def set_headers(response: _Response) -> _Response:
    """Keep other sites from using an answer of ours; a view that has set one of the headers keeps its own."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def nonce() -> str:
    """Return what marks the scripts of the answer to this request as ours; another one for each answer.

    Empty where the answer has no policy: outside our own addresses.
    """
    if not has_request_context() or request.blueprint != "locust":
        return ""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    value: str = g.csp_nonce
    return value


def built_in_page(
    html: str,
    *,
    own_styles: bool = False,
    form_targets: Iterable[str] = (),
    images: Iterable[str] = (),
) -> Response:
    """Return the answer that shows ``html`` under a strict content security policy.

    It loads from our own addresses only. Scripts in the page itself need ``nonce="…"`` with :func:`nonce`.
    Pages that may change everything anyway (``Access.allowed_origins``) may show it in a frame.

    :param own_styles: the page has style elements of its own, with the nonce.
    :param form_targets: origins that forms may be sent to besides ours, such as ``https://login.example``.
    :param images: origins of images, likewise.
    """
    ancestors = current_app.extensions["locust"].guard.access.allowed_origins
    marks = (f"'nonce-{nonce()}'",) if nonce() else ()
    rules = {
        "default-src": ("'none'",),
        "script-src": ("'self'", *marks),
        "style-src": ("'self'", *marks) if own_styles else ("'self'",),
        "img-src": ("'self'", "data:", *images),
        "font-src": ("'self'",),
        "connect-src": ("'self'",),
        "base-uri": ("'self'",),
        "form-action": ("'self'", *form_targets),
        "frame-ancestors": ("'self'", *ancestors),
    }
    # Names may hold half of a surrogate pair: a file's whose name is no UTF-8, for one.
    response = Response(html.encode("utf-8", "replace"), mimetype="text/html")
    response.headers["Content-Security-Policy"] = "; ".join(
        f"{name} {' '.join(sources)}" for name, sources in rules.items()
    )
    return response


def page_root(base_path: str) -> str:
    """Return the relative address of the page below ``base_path``, as seen from the current request."""
    return relative(request.path, base_path + "/") if has_request_context() else "./"
