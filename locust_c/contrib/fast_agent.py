"""The low-level client of a FastHttpSession: geventhttpclient's session layer on the engine.

Calls that the short way in C does not know (files, unusual URLs, redirects, ...) are made, redirected and
retried by geventhttpclient's own UserAgent; each request of them is exchanged by the engine.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from geventhttpclient.client import HTTPClientPool
from geventhttpclient.header import Headers
from geventhttpclient.useragent import CompatRequest, UserAgent

from locust_c.contrib.fast_response import (
    REDIRECT_RESPONSE_CODES,
    VALID_RESPONSE_CODES,
    ErrorResponse,
    FastRequest,
    FastResponse,
)
from locust_c.contrib.fast_wire import wire_of
from locust_c.session_settings import without_credentials

if TYPE_CHECKING:
    from locust_c.contrib.fasthttp import FastHttpSession
    from locust_c.session_state import SessionCookies

__all__ = ["DefaultHeaders", "LocustUserAgent", "Sending"]


class DefaultHeaders(Headers):
    """Headers of every request of a session; they may be changed."""

    # Headers know how to copy their own type; with another's the case of the names is lost.
    def __init__(self, headers: Any = None) -> None:
        super().__init__(headers.items() if isinstance(headers, Headers) else headers)

    def copy(self) -> Headers:
        """Plain Headers."""
        return Headers(self.items())

    @property
    def _store(self) -> Mapping[str, Any]:
        """{lower-cased name: (name, value)}, which the engine writes out."""
        return self


@dataclass
class Sending:
    """How the requests of one call are sent, and what became of them; `timeout` in seconds.

    `first`: the answer to the first one, if that has been sent already. `failed`: the last one, if it got no
    response.
    """

    timeout: float | tuple[float | None, float | None] | None = None
    verify: Any = None
    cert: Any = None
    http_version: str | None = None
    stream: bool = False
    first: FastResponse | None = None
    failed: FastResponse | None = None


class _ClientPool:
    """Stands where users reach for geventhttpclient's pool: `client.client.clientpool.close()`."""

    def __init__(self, session: FastHttpSession) -> None:
        self._session = session

    def close(self) -> None:
        """Closes the session's connections; the next request opens a new one."""
        self._session.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session.client_pool, name)


class LocustUserAgent(UserAgent):
    """geventhttpclient's UserAgent on the engine: ``client.client`` of a FastHttpSession.

    One made by hand takes a UserAgent's arguments. What is set on it, other than the settings below,
    makes the calls of its session go the long way.
    """

    response_type: ClassVar[type[FastResponse]] = FastResponse  # type: ignore[assignment]
    request_type: ClassVar[type[CompatRequest]] = FastRequest
    valid_response_codes: ClassVar[frozenset[int]] = VALID_RESPONSE_CODES
    redirect_response_codes: ClassVar[frozenset[int]] = REDIRECT_RESPONSE_CODES

    _session: FastHttpSession
    _sending: Sending

    def __init__(self, client_pool: Any = None, **kwargs: Any) -> None:
        from locust_c.contrib.fasthttp import FastHttpSession

        jar = kwargs.pop("cookiejar", None)
        own = {name: kwargs.pop(name) for name in _OWN_ARGUMENTS if name in kwargs}
        pool = HTTPClientPool(**kwargs) if client_pool is None else client_pool
        self._bind(FastHttpSession(None, None, None, client_pool=pool, **own))
        self.cookiejar = jar

    @classmethod
    def of(cls, session: FastHttpSession) -> LocustUserAgent:
        """The one that belongs to a session."""
        agent = cls.__new__(cls)
        agent._bind(session)
        return agent

    def _bind(self, session: FastHttpSession) -> None:
        self.__dict__.update(_session=session, _sending=Sending(), retry_delay=session.retry_delay)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name not in _SETTINGS:
            self._session._long_way_only = True

    def sending(self, sending: Sending) -> LocustUserAgent:
        """The same agent for one call."""
        agent = copy.copy(self)
        agent.__dict__["_sending"] = sending
        return agent

    # --- settings, which the session holds ---

    @property
    def max_redirects(self) -> int:
        """How many redirects are followed in a row."""
        return self._session.max_redirects

    @max_redirects.setter
    def max_redirects(self, value: int) -> None:
        self._session.max_redirects = value

    @property
    def max_retries(self) -> int:
        """How often a request with an idempotent method is sent again after a time-out."""
        return self._session.max_retries

    @max_retries.setter
    def max_retries(self, value: int) -> None:
        self._session.max_retries = value

    @property
    def default_headers(self) -> Headers:
        """Headers of every request; they may be changed."""
        headers: Headers = self._session._default_headers
        return headers

    @default_headers.setter
    def default_headers(self, value: Mapping[str, Any]) -> None:
        self._session._default_headers = DefaultHeaders(value)

    @property
    def clientpool(self) -> Any:
        """The connections; sessions with the same pool share them."""
        return _ClientPool(self._session)

    @clientpool.setter
    def clientpool(self, pool: Any) -> None:
        self._session.client_pool = pool

    @property
    def cookiejar(self) -> SessionCookies | Any:
        """The session's cookies, or the jar that was put in their place."""
        return self.__dict__.get("_jar", self._session.cookiejar)

    @cookiejar.setter
    def cookiejar(self, jar: Any) -> None:
        self.__dict__["_jar"] = jar
        self._session._long_way_only = True

    # --- geventhttpclient's hooks ---

    def _verify_status(self, status_code: int, url: Any = None) -> None:
        """Nothing: the session judges a status, and the task gets the response."""

    def _urlopen(self, request: CompatRequest) -> Any:
        sending, session = self._sending, self._session
        if sending.first is not None:
            response, sending.first = sending.first, None
            return response
        url = request.url_split
        through_proxy = session._proxy is not None and url.scheme == "http"
        wire = wire_of(request, through_proxy, session._proxy_authorization)
        response = session._exchange(
            request.method,
            f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.quoted_uri}",
            wire.head,
            False,
            session._default_timeouts if sending.timeout is None else sending.timeout,
            session.verify if sending.verify is None else sending.verify,
            session.cert if sending.cert is None else sending.cert,
            session._proxy,
            body=wire.pieces,
            chunked=wire.chunked,
            stream=sending.stream,
            http_version=sending.http_version,
        )
        response.url, _ = without_credentials(request.url)
        response.request = request
        if not response.status_code:
            sending.failed = response
            # A time-out is wrapped again, with the URL of the call.
            raise getattr(response.error, "original", response.error)
        response._is_repeated = sending.failed is not None
        if sending.stream:
            response._max_body_size = session.max_body_size
        if self.response_type is not FastResponse:
            response.__class__ = self.response_type
        if self.valid_response_codes is not VALID_RESPONSE_CODES:
            response._valid_response_codes = self.valid_response_codes
        return response


_OWN_ARGUMENTS = (
    *("max_redirects", "max_retries", "retry_delay", "headers"),
    *("cert", "connection_options", "http_version"),
)
_SETTINGS = ("max_redirects", "max_retries", "default_headers", "cookiejar", "clientpool")


def failed_response(sending: Sending, request: CompatRequest, error: BaseException) -> FastResponse:
    """The response of a call that raised `error`: the last one of the engine if it is the reason."""
    response = sending.failed
    if response is None:
        response = ErrorResponse()
        response.url = request.url
    response.request = request
    response.__class__ = ErrorResponse
    response.error = response._exception = error
    return response
