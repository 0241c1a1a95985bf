"""Relative addresses, which hold under every name and path that the page is reached by.

An ingress may put the page below a path that we never see. So our pages and redirects say where something is
as seen from the request, never from the root of the host.
"""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

from flask import Response, request
from werkzeug.routing import RequestRedirect

#: What may stand in a path unescaped (RFC 3986, pchar and the slash).
_PATH_CHARACTERS = "/:@!$&'()*+,;=~"


def relative(here: str, there: str) -> str:
    """Return the address of the path ``there`` as seen from the path ``here``, both unescaped.

    It always begins with a dot, so it leads to no other host whatever the paths hold.
    """
    start, end = here.split("/")[1:-1], there.split("/")[1:]
    common = 0
    while common < min(len(start), len(end) - 1) and start[common] == end[common]:
        common += 1
    up = "../" * (len(start) - common) or "./"
    return up + quote("/".join(end[common:]), safe=_PATH_CHARACTERS)


def is_local(path: str) -> bool:
    """Whether a browser takes ``path`` for one of the same host: ``//x`` and ``/\\x`` name another."""
    return path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()


def keep_redirect_local(response: Response) -> Response:
    """Make a redirect of Flask's own relative: it would name the host that an ingress asks us for."""
    if isinstance(request.routing_exception, RequestRedirect) and response.location:
        led = urlsplit(response.location)
        query = f"?{led.query}" if led.query else ""
        response.location = relative(request.path, unquote(led.path)) + query
    return response
