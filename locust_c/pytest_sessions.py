"""The clients that the fixtures of `pytest_locust` give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from locust_c.clients import HttpSession
from locust_c.contrib.fasthttp import FastHttpSession
from locust_c.event import EventHook

if TYPE_CHECKING:
    from locust_c.user.users import User

__all__ = ["fast_session", "http_session"]


def http_session(user: User | None, host: str | None) -> HttpSession:
    """The client of the fixture ``session``: the user's, or one for pytest that reports to nobody."""
    base_url, request_event = _whose(user, host)
    return HttpSession(base_url, request_event, user)


def fast_session(user: User | None, host: str | None) -> FastHttpSession:
    """The client of the fixture ``fastsession``: the user's, or one for pytest that reports to nobody."""
    base_url, request_event = _whose(user, host)
    return FastHttpSession(base_url, request_event, user)


def _whose(user: User | None, host: str | None) -> tuple[str | None, Any]:
    if user is None:
        return host, EventHook()
    return user.host, user.environment.events.request
