"""Requests to JSON APIs: ``with self.rest("GET", "/users") as response: assert response.js``."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from locust_c.exception import (
    InterruptTaskSet,
    RescheduleTask,
    RescheduleTaskImmediately,
    StopTest,
    StopUser,
)

__all__ = ["RestMixin"]

CONTROL_EXCEPTIONS = (StopUser, StopTest, RescheduleTask, RescheduleTaskImmediately, InterruptTaskSet)

# Of a body, in messages about it.
MAX_BODY_SHOWN = 200
MAX_INVALID_JSON_SHOWN = 250


class RestMixin:
    """Adds ``rest`` and ``rest_`` to a user with a ``client`` (Locust's documented behaviour)."""

    client: Any

    @contextmanager
    def rest(
        self, method: str, url: str, headers: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Iterator[Any]:
        """Sends a request and yields the response; ``response.js`` is its JSON body, or ``None``.

        ``Content-Type`` and ``Accept`` are ``application/json`` unless ``headers`` say otherwise. A body that
        is no JSON, a failed ``assert`` and any other exception in the block make the request a failed one;
        what ends a task or a user passes on.
        """
        own_headers = dict(headers or {})
        given = {name.lower() for name in own_headers}
        for name in ("Content-Type", "Accept"):
            if name.lower() not in given:
                own_headers[name] = "application/json"
        kwargs["catch_response"] = True
        with self.client.request(method, url, headers=own_headers, **kwargs) as response:
            response.js = None
            _parse(response)
            try:
                yield response
            except CONTROL_EXCEPTIONS:
                raise
            except AssertionError as error:
                response.failure(_assertion_text(error, response))
            except Exception as error:
                body = _shown(response)
                response.failure(
                    f"{type(error).__name__}: {error} at {_location(error)}. Response was {body}"
                )

    @contextmanager
    def rest_(self, method: str, url: str, name: str | None = None, **kwargs: Any) -> Iterator[Any]:
        """As ``rest``, with the time in milliseconds as parameter ``_``, so that no cache answers."""
        separator = "&" if "?" in url else "?"
        name = name or f"{url}{separator}_=..."
        with self.rest(
            method, f"{url}{separator}_={int(time.time() * 1000)}", name=name, **kwargs
        ) as response:
            yield response


def _parse(response: Any) -> None:
    if response.content is None:
        response.failure(str(response.error))
    elif response.text:
        try:
            response.js = response.json()
        except ValueError as error:
            response.failure(
                f"Could not parse response as JSON. {response.text[:MAX_INVALID_JSON_SHOWN]},"
                f" response code {response.status_code}, error {error}"
            )


def _assertion_text(error: AssertionError, response: Any) -> str:
    if not error.args:
        return "Assertion failed"
    text = str(error)
    return f"{text[:-1]}, response was {_shown(response)}" if text.endswith(",") else text


def _shown(response: Any) -> str:
    return str(response.text)[:MAX_BODY_SHOWN]


def _location(error: Exception) -> str:
    """Where in the user's code it was raised: the frames below ours, outermost first."""
    home = os.path.expanduser("~") + os.sep
    places = []
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename != __file__:
            file = "~/" + frame.filename[len(home) :] if frame.filename.startswith(home) else frame.filename
            places.append(f"{file}:{frame.lineno} in {frame.name}")
    return ", ".join(places)
