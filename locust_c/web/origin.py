"""Which requests may change something: those that no foreign web page makes a browser send."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urlsplit

#: ``none``: typed by the user. ``same-site`` is not enough: another port of this machine is another program.
_OWN_FETCH_SITES = ("same-origin", "none")


class Headers(Protocol):
    """The headers of a request, looked up without regard to case."""

    def get(self, name: str, /) -> str | None:
        """Return the value of the header ``name``."""


def is_cross_site(headers: Headers, host: str) -> bool:
    """Whether a browser sent the request from a page other than ours.

    :param host: ``Host`` that the request was sent to. Behind a proxy the browser's own name for us is in
        ``X-Forwarded-Host``, a header that a foreign page cannot make a browser send.

    Programs such as curl send neither ``Sec-Fetch-Site`` nor ``Origin``: they are not cross-site.
    """
    fetch_site = headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site not in _OWN_FETCH_SITES
    origin = headers.get("Origin")
    if origin is None:
        return False
    forwarded = headers.get("X-Forwarded-Host") or ""
    own_names = {name.strip().lower() for name in (host, *forwarded.split(",")) if name.strip()}
    return urlsplit(origin).netloc.lower() not in own_names
