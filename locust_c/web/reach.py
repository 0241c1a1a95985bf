"""Who can use the page, in one line for the log."""

from __future__ import annotations

import ipaddress
import logging
from typing import TYPE_CHECKING

from .origin import is_loopback

if TYPE_CHECKING:
    from .ui import WebUI


def describe_reach(web_ui: WebUI) -> tuple[int, str] | None:
    """Return level and text of the line that says who can use the page; None: only this machine can."""
    address = str(web_ui.server.server_host)
    if is_loopback(address):
        return None
    where = "on all addresses of this machine" if _is_unspecified(address) else f"on {address}"
    clear = "" if web_ui.server.ssl_enabled else ", which travels in the clear: use --tls-cert and --tls-key"
    level = logging.WARNING if clear else logging.INFO
    if web_ui.guard.password is not None:
        return level, f"The web page is served {where}: who uses it needs the password{clear}"
    if hasattr(web_ui, "login_manager"):
        return level, f"The web page is served {where}: who uses it needs a login of the locustfile{clear}"
    return logging.INFO, (
        f"The web page is served {where}: anybody who reaches port {web_ui.port} can start tests;"
        " set LOCUST_WEB_PASSWORD, or --web-host 127.0.0.1 for this machine only"
    )


def _is_unspecified(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_unspecified
