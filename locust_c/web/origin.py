"""From which web pages a browser's request may come, and under which names a request may reach us."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Protocol
from urllib.parse import urlsplit

#: ``none``: typed by the user. ``same-site`` is not enough: another port of this machine is another program.
_OWN_FETCH_SITES = ("same-origin", "none")


class Headers(Protocol):
    """The headers of a request, looked up without regard to case."""

    def get(self, name: str, /) -> str | None:
        """Return the value of the header ``name``."""


def is_foreign(headers: Headers, host: str, allowed: Collection[str] = ()) -> bool:
    """Whether a browser sent the request from a page that is neither ours nor of an ``allowed`` origin.

    :param host: ``Host`` that the request was sent to. Behind a proxy the browser's own name for us is in
        ``X-Forwarded-Host``, a header that a foreign page cannot make a browser send.

    Programs such as curl send no ``Sec-Fetch-Site``, ``Origin`` or ``Referer``: they are not foreign.
    Browsers leave out the first where there is no TLS, and old ones the second, too.
    """
    origin = headers.get("Origin")
    if origin in allowed:
        return False
    fetch_site = headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site not in _OWN_FETCH_SITES
    page = origin if origin is not None else headers.get("Referer")
    return page is not None and _host_of(page) not in _own_hosts(headers, host)


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return ""


def _own_hosts(headers: Headers, host: str) -> set[str]:
    """Our names, each with its port. Some proxies give the name in one header and its port in another."""
    forwarded = [name.strip().lower() for name in (headers.get("X-Forwarded-Host") or "").split(",")]
    names = {name for name in (host.lower(), *forwarded) if name}
    port = (headers.get("X-Forwarded-Port") or "").strip()
    return names | {f"{name}:{port}" for name in names if port.isdigit() and not _has_port(name)}


def _has_port(host: str) -> bool:
    return ":" in host.rpartition("]")[2]


def is_loopback(address: str) -> bool:
    """Whether ``address``, an IP address without brackets, is one that only this machine can reach."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)


def name_in(host: str) -> str:
    """Return the name or address in ``host``, which may have a port, brackets and a dot at its end."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].rstrip(".").lower()


def is_name_of_this_machine(host: str, names: Collection[str]) -> bool:
    """Whether ``host``, a ``Host`` header, says this machine to itself, or one of ``names``.

    A page of another site whose name has been made to mean 127.0.0.1 (DNS rebinding) is of our origin to the
    browser, but its name is not among these.
    """
    name = name_in(host)
    return name == "localhost" or name.endswith(".localhost") or is_loopback(name) or name in names
