"""The web page: a Flask application that exists as soon as this package is imported.

A locustfile adds pages of its own before any test exists::

    from locust import web

    @web.app.route("/added_page")
    def my_added_page():
        return "Another page"
"""

from __future__ import annotations

from .application import make_app
from .forms import AuthArgs, AuthProvider, CustomForm, InputField
from .guard import Access

#: Whether the start form insists on a host.
HOST_IS_REQUIRED = False

#: For how many seconds ``/stats/requests`` repeats its last answer.
DEFAULT_CACHE_TIME = 2.0

#: The application of the first :class:`WebUI` of the process.
app = make_app()

from .ui import WebUI  # noqa: E402 - the page looks up `app` in this module

__all__ = [
    "DEFAULT_CACHE_TIME",
    "HOST_IS_REQUIRED",
    "Access",
    "AuthArgs",
    "AuthProvider",
    "CustomForm",
    "InputField",
    "WebUI",
    "app",
]
