"""Clients whose request events are kept, for tests of what is reported and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from locust_c import FastHttpUser, HttpUser
from locust_c.clients import HttpSession
from locust_c.contrib.fasthttp import FastHttpSession
from locust_c.env import Environment


@dataclass
class Reports:
    """What the request event brought, in the order of its calls."""

    events: list[dict[str, Any]] = field(default_factory=list)
    environment: Environment = field(default_factory=Environment)

    def __post_init__(self) -> None:
        runner = self.environment.create_local_runner()
        # What watches the processor would keep all this alive for as long as gevent's hub.
        runner.greenlet.kill()
        self.environment.events.request.add_listener(self.on_request)

    def on_request(self, **values: Any) -> None:
        self.events.append(values)

    @property
    def names(self) -> list[tuple[str, str]]:
        """(type, name) of each request."""
        return [(event["request_type"], event["name"]) for event in self.events]

    @property
    def exceptions(self) -> list[str]:
        """What each request failed with, as the table of errors shows it; an empty text for a success."""
        return [repr(event["exception"]) if event["exception"] else "" for event in self.events]

    @property
    def last(self) -> dict[str, Any]:
        return self.events[-1]

    def http(self, base_url: str | None, **attributes: Any) -> HttpSession:
        """The client of an HttpUser with these class attributes."""
        return self._user(HttpUser, base_url, attributes).client

    def fast(self, base_url: str | None, **attributes: Any) -> FastHttpSession:
        """The client of a FastHttpUser with these class attributes."""
        return self._user(FastHttpUser, base_url, attributes).client

    def _user(self, base: Any, base_url: str | None, attributes: dict[str, Any]) -> Any:
        return type("Visitor", (base,), {"host": base_url, **attributes})(self.environment)


def in_block(response: Any, act: Callable[[Any], object] = lambda response: None) -> Any:
    """Does `act` in the response's with block, and returns the response."""
    with response:
        act(response)
    return response


def raising(exception: BaseException) -> Callable[[Any], None]:
    """An act that raises."""

    def act(response: Any) -> None:
        raise exception

    return act
