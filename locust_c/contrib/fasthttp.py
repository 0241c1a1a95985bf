"""FastHttpUser and its client: the interface of Locust's geventhttpclient flavour on the C engine.

Both flavours run on the same engine; they differ in defaults (headers, names, what counts as a failure,
when a request is sent again) and in the classes that users see.
"""

from __future__ import annotations

import json as json_module
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, cast
from urllib.parse import urlencode

from gevent.timeout import Timeout
from geventhttpclient.header import Headers
from geventhttpclient.url import _encode_params
from requests.auth import _basic_auth_str

from locust_c import _core
from locust_c.clients import HttpSession, absolute_http_url_regexp
from locust_c.connections import (
    ConnectionAttributes,
    ConnectionOptions,
    ConnectionSettings,
    checked_options,
    shared_pool,
)
from locust_c.contrib.fast_agent import DefaultHeaders, LocustUserAgent, Sending, failed_response
from locust_c.contrib.fast_failures import FAILURE_EXCEPTIONS, LocustBadStatusCode, fast_error, fast_timeout
from locust_c.contrib.fast_pool import PoolSettings, insecure_ssl_context_factory
from locust_c.contrib.fast_response import (
    ErrorContextManager,
    ErrorResponse,
    FastRequest,
    FastResponse,
    ResponseContextManager,
    RestResponseContextManager,
)
from locust_c.contrib.fast_wire import are_plain, default_lines, header_block, refuse_line_ends
from locust_c.exception import CatchResponseError as CatchResponseError
from locust_c.exception import LocustError as LocustError
from locust_c.exception import ResponseError as ResponseError
from locust_c.failures import Failure, resolve_cause
from locust_c.hub import get_engine
from locust_c.session_settings import context_source, url_below, without_credentials
from locust_c.session_state import SessionCookies
from locust_c.timings import response_time_ms
from locust_c.tls_context import Certificate, TlsSettings, settings_of_factory, settings_of_requests
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
    "RestResponseContextManager",
    "insecure_ssl_context_factory",
]

_encode_json = json_module.JSONEncoder().encode
_headers_of = _core.Session.headers.__get__
_set_headers_of = _core.Session.headers.__set__


class FastHttpSession(ConnectionSettings, _core.Session):
    """The client of `FastHttpUser`.

    `base_url`: what relative URLs are appended to. `request_event`: the hook that gets every request.
    `insecure`: do not check TLS certificates. `headers`: defaults sent with each request. `cert`: a client
    certificate, as with requests. `ssl_context_factory`: makes an ssl.SSLContext whose settings are taken
    over (see tls_context.settings_of_factory). `client_pool`: sessions that are given the same object share
    connections; of a geventhttpclient HTTPClientPool the arguments count instead of those that follow here.

    `network_timeout`, `connection_timeout`: seconds. `concurrency`: most connections at a time, further
    requests wait. `proxy_host`, `proxy_port`, `proxy_user`, `proxy_password`: an HTTP proxy.

    A request with an idempotent method is sent again when the server closes the connection instead of
    answering (`concurrency` + 1 times at most) and after a time-out (`max_retries` times).
    """

    max_redirects: int
    retry_delay = 0.0

    def __init__(
        self,
        base_url: str | None,
        request_event: Any,
        user: Any,
        insecure: bool = True,
        client_pool: Any = None,
        ssl_context_factory: Any = None,
        *,
        max_redirects: int = 3,
        max_retries: int = 3,
        retry_delay: float = 0.0,
        headers: Mapping[str, Any] | None = None,
        cert: str | tuple[str, str] | None = None,
        connection_options: ConnectionOptions | None = None,
        http_version: str | None = None,
        **pool: Any,
    ) -> None:
        own = {"insecure": insecure, "ssl_context_factory": ssl_context_factory, **pool}
        settings = PoolSettings.of(client_pool, own)
        url, credentials = without_credentials(base_url or "")
        options = checked_options(connection_options)
        self._wire_headers = default_lines(settings.headers, options.keep_alive, headers or {})
        engine = get_engine()
        self._setup(
            engine,
            url,
            request_event,
            user,
            FastResponse,
            ResponseContextManager,
            self._wire_headers,
            header_block(url, self._wire_headers),
            True,
        )
        if not are_plain(self._wire_headers):
            self._default_headers = DefaultHeaders(self._wire_headers)  # looked at line by line
        self._use_options(options, settings.http_version or http_version)
        self._use_settings(settings, options)
        if client_pool is not None:
            shared_pool(self, client_pool, engine, settings.limits(options))
        self.client_pool = client_pool
        self.max_redirects = max_redirects
        self.max_retries = max_retries
        if retry_delay:
            self.retry_delay = retry_delay
        self._user_context = context_source(user)
        self._long_way_only = self._proxy is not None or self._is_customized()
        self._request_overridden = type(self).request is not FastHttpSession.request
        if cert is not None:
            self.cert = cert
        if credentials is not None and all(credentials):
            self.auth = _basic_auth_str(*credentials)

    def _use_settings(self, settings: PoolSettings, options: ConnectionOptions) -> None:
        self._default_timeouts = settings.timeouts
        self._set_timeouts(settings.timeouts)
        self._set_limits(*settings.limits(options))
        self._resend_closed = settings.concurrency + 1
        self._proxy = settings.proxy
        self._proxy_authorization = settings.proxy_authorization
        self.verify = settings.verify
        self._ssl_context_factory = settings.ssl_context_factory
        if settings.cert is not None:
            self.cert = settings.cert

    def _is_customized(self) -> bool:
        """Whether a subclass, or a changed LocustUserAgent, does what only the long way calls."""
        agent = LocustUserAgent
        return (
            type(self)._build_url is not FastHttpSession._build_url
            or agent.response_type is not FastResponse
            or agent.request_type is not FastRequest
            or agent.valid_response_codes is not _VALID
            or agent.redirect_response_codes is not _REDIRECT
        )

    def _rebase(self, base_url: str | None) -> None:
        """What setting base_url does (called from C)."""
        url, credentials = without_credentials(base_url or "")
        self._set_base(url, header_block(url, self._wire_headers))
        if credentials is not None and all(credentials):
            self.auth = _basic_auth_str(*credentials)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "request":
            self._request_overridden = True

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

    @property
    def headers(self) -> NoReturn:
        """There is no such attribute, as in Locust: locustfiles tell the flavours apart by it."""
        name = type(self).__name__
        raise AttributeError(
            f"{name!r} object has no attribute 'headers': set default_headers in the user class"
        )

    @property
    def _default_headers(self) -> Any:
        return _headers_of(self)

    @_default_headers.setter
    def _default_headers(self, value: DefaultHeaders) -> None:
        _set_headers_of(self, value)

    def _make_headers(self) -> DefaultHeaders:
        return DefaultHeaders(self._wire_headers)

    def _make_auth(self) -> None:
        return None

    _make_cert = _make_proxies = _make_hooks = _make_params = _make_adapters = _make_auth

    def _make_verify(self) -> bool:
        return False

    def _make_cookies(self) -> SessionCookies:
        return SessionCookies(cast("HttpSession", self))

    def _tls_settings(self, verify: bool | str | None, cert: Certificate) -> TlsSettings:
        if self._ssl_context_factory is None:
            return settings_of_requests(verify, cert)
        return settings_of_factory(self._ssl_context_factory, verify or False, cert)

    _encode_form = staticmethod(urlencode)
    _encode_params = staticmethod(_encode_params)
    _encode_json = staticmethod(_encode_json)

    @property
    def client(self) -> LocustUserAgent:
        """The low-level client, for `client.clientpool.close()` and the like; it may be replaced."""
        agent: LocustUserAgent | None = self.__dict__.get("_client")
        if agent is None:
            agent = self.__dict__["_client"] = LocustUserAgent.of(self)
        return agent

    @client.setter
    def client(self, agent: LocustUserAgent) -> None:
        self.__dict__["_client"] = agent
        self._long_way_only = True

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
        response.__class__ = ErrorContextManager if response._catch_response else ErrorResponse
        return error

    def _interrupted(
        self, error: BaseException, method: str, url: str, catch_response: bool
    ) -> FastResponse | None:
        """The response of a request that this exception ended in its greenlet; None: it goes on.

        A gevent.Timeout is taken for a time-out of the request, as geventhttpclient does.
        """
        if not isinstance(error, Timeout):
            return None
        response = ErrorContextManager() if catch_response else ErrorResponse()
        response.url, response.request = url, FastRequest(url, method, Headers())
        response._catch_response = catch_response
        response.error = response._exception = fast_timeout(url, self.max_retries, error)
        return response

    def _broken(
        self, url: str, code: int, reason: str, received: int, remaining: int, timeout: float
    ) -> BaseException:
        """What reading a streamed body raises that breaks off."""
        failure = Failure(
            code, url, reason, 0, received, remaining, timeout, head_done=True, max_body=self.max_body_size
        )
        return fast_error(failure, self.max_retries)

    def _judge(self, response: FastResponse) -> Exception | None:
        response.error = response._status_error(response._name)
        return cast("Exception | None", response.error)

    def _follow(self, first: FastResponse, catch_response: bool, timeout: float | None) -> FastResponse:
        """Goes on from a redirect that the short way met; one sample for the chain."""
        began_ns = time.monotonic_ns() - int(first._response_time_ms * 1e6)
        sent = first.request
        sending = Sending(None if timeout == self._default_timeouts[1] else timeout, first=first)
        last = self._open(sending, first.url, sent.method, headers=sent.headers, payload=sent.payload)
        for attribute in ("_method", "_name", "_context", "_hook", "_start_time"):
            setattr(last, attribute, getattr(first, attribute))
        return self._conclude(last, first.url, began_ns, catch_response)

    # --- the long way ---

    def _request(
        self,
        method: str,
        url: str,
        name: str | None = None,
        data: Any = None,
        catch_response: bool = False,
        stream: bool = False,
        headers: Mapping[str, Any] | None = None,
        auth: tuple[str | bytes, str | bytes] | None = None,
        json: Any = None,
        allow_redirects: bool = True,
        context: dict[str, Any] | None = None,
        *,
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str | None = None,
        cert: str | tuple[str, str] | None = None,
        max_redirects: int | None = None,
        http_version: str | None = None,
        **more: Any,
    ) -> FastResponse:
        """Arguments that nobody knows become parameters of the URL, as geventhttpclient does it."""
        began_ns, start_time = time.monotonic_ns(), time.time()
        full_url = self._build_url(url)
        refuse_line_ends(full_url, more.get("files"), data)
        # No credentials in names and texts; geventhttpclient sends none that stand in the URL of a call.
        full_url, shown = (without_credentials(one)[0] for one in (full_url, url))
        own = self._own_headers(headers, auth)
        if not data and json is not None:
            data = _encode_json(json)
            own.setdefault("Content-Type", "application/json")
            own.setdefault("Accept", "application/json")
        response = self._open(
            Sending(timeout, verify, cert, http_version, stream),
            full_url,
            method,
            headers=own,
            payload=data,
            max_redirects=max_redirects if allow_redirects else 0,
            **more,
        )
        response._method = method
        response._name = name or self.request_name or shown
        response._context = (
            context if self._user_context is None else {**self._user_context(), **(context or {})}
        )
        response._hook = self.request_event
        response._start_time = start_time
        return self._conclude(response, full_url, began_ns, catch_response)

    def _own_headers(self, given: Mapping[str, Any] | None, auth: Any) -> Headers:
        """The headers of a call and what is added to them before they replace defaults."""
        headers = Headers()
        headers.update(given or {})
        if auth is not None:
            headers["Authorization"] = _basic_auth_str(auth[0], auth[1])
        elif self.auth is not None:
            headers["Authorization"] = self.auth
        headers.setdefault("Accept-Encoding", "gzip, deflate, br")
        return headers

    def _open(self, sending: Sending, url: str, method: str, **arguments: Any) -> FastResponse:
        """What geventhttpclient's urlopen gives, or a response that says why there is none."""
        # The engine resends by itself.
        retries = max((arguments.pop("max_retries", None) or 0) - self.max_retries, 0)
        try:
            if not absolute_http_url_regexp.match(url):
                raise resolve_cause()
            response: FastResponse = self.client.sending(sending).urlopen(
                url, method=method, max_retries=retries, **arguments
            )
        except FAILURE_EXCEPTIONS as error:
            request = FastRequest(url, method, arguments["headers"], arguments["payload"])
            return failed_response(sending, request, error)
        return response

    def _conclude(
        self, response: FastResponse, url: str, began_ns: int, catch_response: bool
    ) -> FastResponse:
        """Makes the sample of a call that went the long way, and reports it."""
        response._response_time_ms = response_time_ms(response, began_ns, response._is_repeated)
        response._length = response._sample_length()
        response._catch_response = catch_response
        response.request_meta["url"] = url
        if response._exception is None:
            response._exception = self._judge(response)
        response.request_meta["exception"] = response._exception
        if catch_response:
            failed = isinstance(response, ErrorResponse)
            response.__class__ = ErrorContextManager if failed else ResponseContextManager
            return response
        response._report()
        return response

    def _build_url(self, path: str) -> str:
        return url_below(self.base_url, path)

    def iter_lines(self, url: str, method: str = "GET", **kwargs: Any) -> Iterator[str]:
        """The lines of a response's body, decoded, one at a time; raises what the request failed with."""
        response = self.request(method, url, stream=True, **kwargs)
        response.raise_for_status()
        yield from response.iter_lines()

    @contextmanager
    def rename_request(self, name: str) -> Generator[None]:
        """Gives the requests made inside the block this name in the statistics."""
        before, self.request_name = self.request_name, name
        try:
            yield
        finally:
            self.request_name = before


_VALID, _REDIRECT = LocustUserAgent.valid_response_codes, LocustUserAgent.redirect_response_codes


class FastHttpUser(ConnectionAttributes, RestMixin, User):
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
    proxy_port: int | str | None = None
    cert: str | tuple[str, str] | None = None
    connection_options: ConnectionOptions | None = None
    http_version: str | None = None
    max_body_size: int | None = None
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
            cert=self.cert,
            connection_options=self.connection_options,
            http_version=self.http_version,
        )
        if self.max_body_size is not None:
            self.client.max_body_size = self.max_body_size
