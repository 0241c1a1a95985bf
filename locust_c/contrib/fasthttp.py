"""FastHttpUser and its client: the interface of Locust's geventhttpclient flavour on the C engine.

Both flavours run on the same engine; they differ in defaults (headers, names, what counts as a failure,
when a request is sent again) and in the classes that users see.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import _basic_auth_str
from requests.structures import CaseInsensitiveDict

from locust_c import _core
from locust_c.adapter import wire_of
from locust_c.clients import (
    HttpSession,
    absolute_http_url_regexp,
    context_source,
    header_block,
    without_credentials,
)
from locust_c.connections import ConnectionOptions, ConnectionSettings, shared_pool
from locust_c.contrib.fast_failures import (
    FAILURE_EXCEPTIONS,
    LocustBadStatusCode,
    fast_error,
    redirect_scheme_error,
    redirects_exceeded,
)
from locust_c.contrib.fast_prepare import Call, encode_form, encode_json, encode_params, point_to, prepare
from locust_c.contrib.fast_response import (
    REDIRECT_RESPONSE_CODES,
    VALID_RESPONSE_CODES,
    ErrorResponse,
    FastRequest,
    FastResponse,
    ResponseContextManager,
)
from locust_c.failures import Failure, resolve_cause
from locust_c.hub import get_engine
from locust_c.session_state import SessionCookies, SessionHeaders
from locust_c.user.rest import RestMixin
from locust_c.user.users import User
from locust_c.util.deprecation import DeprecatedFastHttpLocustClass as FastHttpLocust

if TYPE_CHECKING:
    from locust_c.env import Environment

__all__ = [
    "FAILURE_EXCEPTIONS",
    "ErrorResponse",
    "FastHttpLocust",
    "FastHttpSession",
    "FastHttpUser",
    "FastRequest",
    "FastResponse",
    "LocustBadStatusCode",
    "LocustUserAgent",
    "ResponseContextManager",
]


logger = logging.getLogger("locust.user.users")


@lru_cache(maxsize=1)
def _user_agent() -> str:
    from importlib.metadata import version

    return f"python/gevent-http-client-{version('geventhttpclient')}"


@lru_cache(maxsize=64)
def _fast_headers(own: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    headers = CaseInsensitiveDict([("User-Agent", _user_agent())])
    for name, value in own:
        headers[name] = value
    return tuple(headers.items())


@dataclass(frozen=True)
class _Sending:
    """How the requests of one call are sent, the redirected ones included; `timeout` in seconds."""

    catch_response: bool
    timeout: float | None
    verify: bool | str
    max_redirects: int
    debug_stream: Any = None
    http_version: str | None = None


def _without_response(url: str, error: Exception, catch_response: bool) -> FastResponse:
    response: FastResponse = ResponseContextManager() if catch_response else ErrorResponse()
    response.url = url
    response.error = response._exception = error
    response._catch_response = catch_response
    return response


@lru_cache(maxsize=1)
def _warn_of_ssl_context() -> None:
    logger.warning(
        "ssl_context_factory has no effect: the engine has TLS contexts of its own. "
        "Certificates are checked with insecure = False."
    )


class _ClientPool:
    """Stands where users reach for geventhttpclient's pool: `client.client.clientpool.close()`."""

    def __init__(self, session: FastHttpSession) -> None:
        self._session = session

    def close(self) -> None:
        """Closes the session's connections; the next request opens a new one."""
        self._session.close()


class LocustUserAgent:
    """The low-level client behind a FastHttpSession, as far as locustfiles reach for it."""

    response_type = FastResponse
    request_type = FastRequest
    valid_response_codes = VALID_RESPONSE_CODES
    redirect_response_codes = REDIRECT_RESPONSE_CODES

    def __init__(self, session: FastHttpSession) -> None:
        self.clientpool = _ClientPool(session)
        self._session = session

    @property
    def cookiejar(self) -> SessionCookies:
        """The session's cookies."""
        return self._session.cookiejar

    @property
    def default_headers(self) -> SessionHeaders:
        """Headers of every request; they may be changed."""
        return cast(SessionHeaders, self._session.headers)

    @property
    def max_redirects(self) -> int:
        """How many redirects are followed in a row."""
        return self._session.max_redirects

    @max_redirects.setter
    def max_redirects(self, value: int) -> None:
        self._session.max_redirects = value

    @property
    def max_retries(self) -> int:
        """How often a request is sent again after a time-out."""
        return self._session.max_retries

    @max_retries.setter
    def max_retries(self, value: int) -> None:
        self._session.max_retries = value

    def close(self) -> None:
        """Closes the session's connections."""
        self.clientpool.close()


class FastHttpSession(ConnectionSettings, _core.Session):
    """The client of `FastHttpUser`.

    `base_url`: what relative URLs are appended to. `request_event`: the hook that gets every request.
    `insecure`: do not check TLS certificates. `network_timeout`, `connection_timeout`: seconds.
    `headers`: defaults sent with each request. A request with an idempotent method is sent again when the
    server closes the connection instead of answering (`concurrency` + 1 times at most) and after a time-out
    (`max_retries` times). `client_pool` has no effect: each session has its own connections.
    """

    max_redirects: int

    def __init__(
        self,
        base_url: str | None,
        request_event: Any,
        user: Any,
        insecure: bool = True,
        client_pool: Any = None,
        ssl_context_factory: Any = None,
        *,
        network_timeout: float = 5.0,
        connection_timeout: float = 5.0,
        max_redirects: int = 3,
        max_retries: int = 3,
        headers: dict[str, str] | None = None,
        concurrency: int = 1,
        proxy_host: str | None = None,
        proxy_port: int | None = None,
        connection_options: ConnectionOptions | None = None,
        http_version: str | None = None,
    ) -> None:
        url, credentials = without_credentials(base_url or "")
        closing = connection_options is not None and not connection_options.keep_alive
        engine = get_engine()
        self._own_headers = (*({"Connection": "close"} if closing else {}).items(), *(headers or {}).items())
        wire_headers = _fast_headers(self._own_headers)
        self._setup(
            engine,
            url,
            request_event,
            user,
            FastResponse,
            ResponseContextManager,
            wire_headers,
            header_block(url, wire_headers),
            True,
        )
        self._use_options(connection_options, http_version)
        if client_pool is not None:
            shared_pool(self, client_pool, engine, (connection_options or ConnectionOptions()).limits)
        self._default_timeouts = (connection_timeout, network_timeout)
        self._set_timeouts(self._default_timeouts)
        self.max_redirects = max_redirects
        self.max_retries = max_retries
        self._resend_closed = concurrency + 1
        if ssl_context_factory is not None:
            _warn_of_ssl_context()
        self._user_context = context_source(user)
        self._proxy = f"http://{proxy_host}:{proxy_port}" if proxy_host else None
        self._long_way_only = self._proxy is not None
        self.verify = not insecure
        if credentials is not None:
            self.auth = _basic_auth_str(*credentials)

    def _rebase(self, base_url: str | None) -> None:
        """What setting base_url does (called from C)."""
        url, credentials = without_credentials(base_url or "")
        self._set_base(url, header_block(url, _fast_headers(self._own_headers)))
        if credentials is not None:
            self.auth = _basic_auth_str(*credentials)

    @property
    def max_retries(self) -> int:
        """How often a request with an idempotent method is sent again after a time-out."""
        return self._resend_late

    @max_retries.setter
    def max_retries(self, value: int) -> None:
        self._resend_late = value

    @property
    def auth_header(self) -> str | None:
        """The Authorization header that credentials in the base URL make; it may be set."""
        return cast("str | None", self.auth)

    @auth_header.setter
    def auth_header(self, value: str | None) -> None:
        self.auth = value

    def _make_headers(self) -> SessionHeaders:
        return SessionHeaders(_fast_headers(self._own_headers))

    def _make_auth(self) -> None:
        return None

    _make_cert = _make_proxies = _make_hooks = _make_params = _make_adapters = _make_auth

    def _make_verify(self) -> bool:
        return False

    def _make_cookies(self) -> SessionCookies:
        return SessionCookies(cast("HttpSession", self))

    _tls_files = staticmethod(HttpSession._tls_files)
    _encode_form = staticmethod(encode_form)
    _encode_params = staticmethod(encode_params)
    _encode_json = staticmethod(encode_json)

    @property
    def client(self) -> LocustUserAgent:
        """The low-level client, for `client.clientpool.close()` and the like."""
        return LocustUserAgent(self)

    @property
    def cookiejar(self) -> SessionCookies:
        """The session's cookies, an http.cookiejar.CookieJar."""
        return cast(SessionCookies, self.cookies)

    # --- what became of a request (called from C) ---

    def _failed(
        self,
        response: FastResponse,
        code: int,
        reason: str,
        os_errno: int,
        received: int,
        remaining: int,
        timeout: float,
        head_done: bool,
    ) -> BaseException:
        """Sets the response's error and class; returns what the statistics show."""
        failure = Failure(
            code,
            response.url,
            reason,
            os_errno,
            received,
            remaining,
            timeout,
            head_done=head_done,
            max_body=self.max_body_size,
        )
        error = fast_error(failure, self.max_retries)
        if response.status_code:
            return error  # a part of it came: that is what the task gets
        response.error = error
        if not response._catch_response:
            response.__class__ = ErrorResponse
        return error

    def _broken(
        self, url: str, code: int, reason: str, received: int, remaining: int, timeout: float
    ) -> BaseException:
        """What reading a streamed body raises that breaks off."""
        failure = Failure(code, url, reason, 0, received, remaining, timeout, head_done=True)
        return fast_error(failure, self.max_retries)

    def _judge(self, response: FastResponse) -> Exception | None:
        response.error = response._status_error(response._name)
        return cast("Exception | None", response.error)

    def _follow(self, first: FastResponse, catch_response: bool, timeout: float | None) -> FastResponse:
        """Goes on from a redirect that the short way met; one sample for the chain."""
        began_ns = time.monotonic_ns() - int(first._response_time_ms * 1e6)
        sent = first.request
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url = sent.method, sent.url
        prepared.headers = CaseInsensitiveDict(sent.headers)
        prepared.headers.pop("Host", None)
        prepared.body = sent.payload or None
        sending = _Sending(catch_response, timeout, self.verify, self.max_redirects)
        last = self._redirected(first, prepared, sending)
        self._time(last, began_ns)
        return self._conclude(last, catch_response)

    def _redirected(
        self, first: FastResponse, prepared: requests.PreparedRequest, sending: _Sending
    ) -> FastResponse:
        """Follows redirects from `first`, which answered `prepared`; what it returns has the same sample."""
        response = first
        history: list[FastResponse] = []
        while response._exception is None and response.status_code in REDIRECT_RESPONSE_CODES:
            location = (response.headers or {}).get("Location")
            if location is None:
                break
            url = urljoin(response.url, location)
            if len(history) == sending.max_redirects:
                error = redirects_exceeded(first.url, self.max_redirects)
                response = _without_response(first.url, error, sending.catch_response)
            elif not absolute_http_url_regexp.match(url):
                error = redirect_scheme_error(first.url, urlsplit(url).scheme)
                response = _without_response(first.url, error, sending.catch_response)
            else:
                history.append(response)
                point_to(prepared, response.status_code, url, self.cookiejar.copy())
                response = self._send(prepared, sending)
        if response is not first:
            meta = dict(first.request_meta, response=response, exception=response._exception)
            meta["response_length"] = response._length
            for attribute in ("_method", "_name", "_context", "_hook", "_start_time"):
                setattr(response, attribute, getattr(first, attribute))
            response.history = history
            response.request_meta = meta
        return response

    # --- the long way ---

    def _request(
        self,
        method: str,
        url: str,
        name: str | None = None,
        data: Any = None,
        catch_response: bool = False,
        stream: bool = False,
        headers: dict[str, str] | None = None,
        auth: Any = None,
        json: Any = None,
        allow_redirects: bool = True,
        context: dict[str, Any] | None = None,
        params: Any = None,
        files: Any = None,
        timeout: float | None = None,
        verify: bool | str | None = None,
        max_redirects: int | None = None,
        debug_stream: Any = None,
        http_version: str | None = None,
        **more_params: Any,
    ) -> FastResponse:
        """Arguments that nobody knows become parameters of the URL, as geventhttpclient does it."""
        began_ns, start_time = time.monotonic_ns(), time.time()
        full_url = self._build_url(url)
        sending = _Sending(
            catch_response,
            timeout,
            self.verify if verify is None else verify,
            self.max_redirects if max_redirects is None else max_redirects,
            debug_stream,
            http_version,
        )
        if absolute_http_url_regexp.match(full_url):
            own = CaseInsensitiveDict(headers or {})
            if auth is None and self.auth is not None:
                own["Authorization"] = self.auth
            own.setdefault("Accept-Encoding", "gzip, deflate, br")
            call = Call(method.upper(), full_url, own, params, more_params, data, json, files, auth)
            prepared = prepare(call, self.headers.items(), self.cookiejar.copy())
            response = self._send(prepared, sending)
        else:
            response = _without_response(full_url, resolve_cause(), catch_response)
        response.url = full_url
        response._method = method
        response._name = name or self.request_name or url
        response._context = (
            context if self._user_context is None else {**self._user_context(), **(context or {})}
        )
        response._hook = self.request_event
        response._start_time = start_time
        if allow_redirects and response.status_code in REDIRECT_RESPONSE_CODES:
            response = self._redirected(response, prepared, sending)
        self._time(response, began_ns)
        return self._conclude(response, catch_response)

    def _send(self, prepared: requests.PreparedRequest, sending: _Sending) -> FastResponse:
        plain_proxy = self._proxy is not None and cast(str, prepared.url).startswith("http://")
        response: FastResponse = self._exchange(
            cast(str, prepared.method),
            cast(str, prepared.url),
            wire_of(prepared, absolute=plain_proxy),
            sending.catch_response,
            sending.timeout if sending.timeout is not None else self._default_timeouts,
            sending.verify,
            None,
            self._proxy,
            http_version=sending.http_version,
        )
        if sending.debug_stream is not None:
            head = "".join(f"{name}: {value}\r\n" for name, value in response._head_lines)
            sending.debug_stream.write(
                response._request_bytes.decode("latin-1") + f"{response._status_line}\r\n{head}\r\n"
            )
        return response

    @staticmethod
    def _time(response: FastResponse, began_ns: int) -> None:
        end_ns = response._end_ns or time.monotonic_ns()
        response._response_time_ms = max(end_ns - began_ns, 0) / 1e6
        response.request_meta["response_time"] = response._response_time_ms

    def _conclude(self, response: FastResponse, catch_response: bool) -> FastResponse:
        if not catch_response:
            if response._exception is None:
                response._exception = self._judge(response)
                response.request_meta["exception"] = response._exception
            response._report()
        return response

    def _build_url(self, path: str) -> str:
        return path if absolute_http_url_regexp.match(path) else f"{self.base_url}{path}"

    def iter_lines(self, url: str, method: str = "GET", **kwargs: Any) -> Iterator[str]:
        """The lines of a response's body, decoded, one at a time; raises what the request failed with."""
        response = self.request(method, url, **kwargs)
        response.raise_for_status()
        yield from response._lines()

    @contextmanager
    def rename_request(self, name: str) -> Generator[None]:
        """Gives the requests made inside the block this name in the statistics."""
        before, self.request_name = self.request_name, name
        try:
            yield
        finally:
            self.request_name = before


class FastHttpUser(RestMixin, User):
    """A user with the fast client: ``self.client`` is a `FastHttpSession`.

    Time-outs are seconds; the other attributes are described where `FastHttpSession` takes them.
    """

    network_timeout: float = 60.0
    connection_timeout: float = 60.0
    max_redirects: int = 30
    max_retries: int = 0
    insecure: bool = True
    default_headers: dict[str, str] | None = None
    concurrency: int = 10
    client_pool: Any = None
    ssl_context_factory: Any = None
    proxy_host: str | None = None
    proxy_port: int | None = None
    connection_options: ConnectionOptions | None = None
    http_version: str | None = None
    abstract = True

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.client = FastHttpSession(
            base_url=self._require_host(),
            request_event=environment.events.request,
            user=self,
            insecure=self.insecure,
            client_pool=self.client_pool,
            ssl_context_factory=self.ssl_context_factory,
            network_timeout=self.network_timeout,
            connection_timeout=self.connection_timeout,
            max_redirects=self.max_redirects,
            max_retries=self.max_retries,
            headers=self.default_headers,
            concurrency=self.concurrency,
            proxy_host=self.proxy_host,
            proxy_port=self.proxy_port,
            connection_options=self.connection_options,
            http_version=self.http_version,
        )
