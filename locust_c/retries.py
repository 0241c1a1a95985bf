"""urllib3's Retry, as an adapter's `max_retries`, over exchanges of the engine.

The Retry object decides everything itself, as it does inside urllib3's urlopen(): what is tried again, how
often, after which pause, and what is raised when it is over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import requests
from urllib3.exceptions import HTTPError, MaxRetryError, ProtocolError
from urllib3.util import Retry
from urllib3.util.request import set_file_position

from locust_c.failures import as_raised_by_requests, cause_in_pool, pool_of

if TYPE_CHECKING:
    from locust_c.response import ResponseContextManager

__all__ = ["exchange_with", "tries_again"]

# Where urllib3 says that it tries again.
logger = logging.getLogger("urllib3.connectionpool")


def tries_again(retries: Retry) -> bool:
    """False for what an HTTPAdapter has when it was asked for no retries: nothing would come of it."""
    return not (
        type(retries) is Retry
        and retries.total == 0
        and retries.read is False
        and not retries.status_forcelist
        and not any((retries.connect, retries.redirect, retries.status, retries.other))
    )


def exchange_with(
    retries: Retry,
    request: requests.PreparedRequest,
    target: str,
    exchange: Callable[[], ResponseContextManager],
) -> ResponseContextManager:
    """Makes the exchange until it succeeds or the Retry object has enough.

    `target`: as in the request line. Returns the last response; raises what requests raises when retries are
    exhausted. A failure of which Retry never hears, in the middle of a body, is in the response's `error`.
    """
    pool: Any = pool_of(request.url or "")
    method, position = request.method or "", None
    while True:
        position = set_file_position(request.body, position)
        response = exchange()
        cause = None if response.error is None else cause_in_pool(response.error)
        try:
            if cause is not None:
                retries = retries.increment(method, target, error=cause, _pool=pool)
                retries.sleep()
                met = cause.args[1] if type(cause) is ProtocolError and len(cause.args) > 1 else cause
                logger.warning("Retrying (%r) after connection broken by '%r': %s", retries, met, target)
                continue
            if response.error is not None:
                return response
            raw: Any = response.raw
            raw.retries = retries
            if not retries.is_retry(method, raw.status, bool(raw.headers.get("Retry-After"))):
                return response
            try:
                retries = retries.increment(method, target, response=raw, _pool=pool)
            except MaxRetryError:
                if retries.raise_on_status:
                    raise
                return response
            retries.sleep(raw)
        except HTTPError as error:
            if error.__context__ is None and error is not cause:
                error.__context__ = cause
            raise as_raised_by_requests(error, request) from None
