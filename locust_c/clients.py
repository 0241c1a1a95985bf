"""The HTTP client of `HttpUser`: requests' Session and Response on the C engine.

A plain call goes from `_core.Session` to the socket and back without any of the code below; what it
does not know goes the long way through `HttpSession._request`, where requests prepares the request and
handles redirects, hooks and authentication, and `EngineAdapter` sends it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, cast

import requests
from requests.auth import HTTPBasicAuth

from locust_c.adapter import LocustHttpAdapter as LocustHttpAdapter
from locust_c.connections import (
    ConnectionOptions,
    ConnectionSettings,
    checked_options,
    request_http_version,
    shared_pool,
)
from locust_c.credentials import hide_headers, hide_userinfo
from locust_c.exception import CatchResponseError as CatchResponseError
from locust_c.exception import LocustError as LocustError
from locust_c.exception import ResponseError as ResponseError
from locust_c.failures import HTTP_EXCEPTIONS, Failure, innermost, requests_error, status_error
from locust_c.hub import get_engine
from locust_c.multipart import is_large, mark_files, put_files
from locust_c.response import ResponseContextManager, RestResponseContextManager, adopted
from locust_c.session_settings import (
    absolute_http_url_regexp,
    auth_line,
    context_source,
    default_headers,
    encode_form,
    encode_json,
    header_block,
    tls_settings,
    url_below,
    without_credentials,
)
from locust_c.session_state import SessionHeaders
from locust_c.session_ways import SessionWays, watch_for
from locust_c.timings import response_time_ms
from locust_c.util.old_names import explain_missing
from locust_c.wire import refuse_line_ends

__all__ = ["HttpSession", "ResponseContextManager", "RestResponseContextManager", "absolute_http_url_regexp"]


class HttpSession(ConnectionSettings, SessionWays):  # type: ignore[misc]  # verbs take more than requests'
    """A requests.Session whose requests the C engine makes and reports to the statistics.

    `base_url`: what relative URLs are appended to. `request_event`: the hook that gets every request.
    `user`: whose session it is, or None. Failed requests do not raise, except for malformed URLs
    (MissingSchema, InvalidSchema, InvalidURL): the response has status_code 0 and the reason in `error`
    (Locust's documented behaviour).
    """

    def __init__(
        self,
        base_url: str | None,
        request_event: Any,
        user: Any,
        *args: Any,
        pool_manager: Any = None,
        connection_options: ConnectionOptions | None = None,
        http_version: str | None = None,
        **kwargs: Any,
    ) -> None:
        if args or kwargs:
            raise TypeError(f"unexpected arguments: {args or kwargs}")
        engine = get_engine()
        options = checked_options(connection_options)
        headers = default_headers(options.keep_alive)
        url, credentials = without_credentials(base_url or "")
        self._setup(
            engine,
            url,
            request_event,
            user,
            ResponseContextManager,
            ResponseContextManager,
            headers,
            header_block(url, headers),
            False,
        )
        self._use_options(options, http_version)
        self.pool_manager = pool_manager
        if pool_manager is not None:
            shared_pool(self, pool_manager, engine, options.limits)
        if credentials is not None:
            self.auth = HTTPBasicAuth(*credentials)
        self._user_context = context_source(user)
        self._watch = watch_for(HttpSession)
        self._look_again()

    def _rebase(self, base_url: str | None) -> None:
        """What setting base_url does (called from C)."""
        url, credentials = without_credentials(base_url or "")
        self._set_base(url, header_block(url, self._wire_headers()))
        if credentials is not None:
            self.auth = HTTPBasicAuth(*credentials)

    # --- settings, made when somebody asks (called from C) ---

    def _wire_headers(self) -> tuple[tuple[str, str], ...]:
        return default_headers(self._connection_options is None or self._connection_options.keep_alive)

    def _make_headers(self) -> SessionHeaders:
        return SessionHeaders(self._wire_headers())

    def _make_auth(self) -> None:
        return None

    def _make_proxies(self) -> dict[str, str]:
        return {}

    def _make_hooks(self) -> dict[str, list[Callable[..., Any]]]:
        return {"response": []}

    def _make_params(self) -> dict[str, Any]:
        return {}

    def _make_verify(self) -> bool:
        return True

    def _make_cert(self) -> None:
        return None

    _tls_settings = staticmethod(tls_settings)

    _auth_line = staticmethod(auth_line)
    _encode_form = _encode_params = staticmethod(encode_form)
    _encode_json = staticmethod(encode_json)

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """As requests.Session.prepare_request; large files are read while they are sent."""
        if not is_large(request.files, request.auth or self.auth):
            return super().prepare_request(request)
        given = request.files
        request.files, parts = mark_files(given)
        try:
            prepared = super().prepare_request(request)
        finally:
            request.files = given
        put_files(prepared, parts)
        return prepared

    # --- what became of a request (called from C) ---

    def _failed(
        self,
        response: ResponseContextManager,
        code: int,
        reason: str,
        os_errno: int,
        received: int,
        remaining: int,
        timeout: float,
        head_done: bool,
    ) -> BaseException:
        """Sets the response's error; returns what the statistics show, the innermost cause."""
        failure = Failure(
            code,
            response.url,
            reason,
            os_errno,
            received,
            remaining,
            timeout,
            head_done,
            response._status_line,
            response._head_lines if head_done else (),
            self.max_body_size,
        )
        response.error = requests_error(failure)
        return innermost(response.error)

    def _broken(
        self, url: str, code: int, reason: str, received: int, remaining: int, timeout: float
    ) -> BaseException:
        """What reading a streamed body raises that breaks off."""
        return requests_error(Failure(code, url, reason, 0, received, remaining, timeout, head_done=True))

    def _judge(self, response: ResponseContextManager) -> Exception | None:
        return status_error(response, response._name)

    def _follow(
        self, first: ResponseContextManager, catch_response: bool, timeout: float | None
    ) -> ResponseContextManager:
        """Goes on from a redirect that the short way met: requests' rules, one sample for the chain."""
        first.connection = self.get_adapter(first.url)
        return self._finish(first, lambda: self._last_of(first, timeout), catch_response)

    def _last_of(self, first: ResponseContextManager, timeout: float | None) -> requests.Response:
        history: list[requests.Response] = [first]
        for response in self.resolve_redirects(
            first,
            first.request,
            timeout=timeout,
            verify=True if self.verify is None else self.verify,
            cert=self.cert,
            proxies=self.proxies,
        ):
            history.append(response)
        last = history.pop()
        last.history = history
        for step in history:
            step._next = None  # type: ignore[attr-defined]
        return last

    # --- the long way ---

    def _request(
        self,
        method: str,
        url: str,
        name: str | None = None,
        catch_response: bool = False,
        context: dict[str, Any] | None = None,
        http_version: str | None = None,
        **kwargs: Any,
    ) -> ResponseContextManager:
        start = ResponseContextManager()
        start._method = method
        start._name = name or self.request_name or ""
        start._context = self._with_user_context(context)
        start._hook = self.request_event
        full_url = self._build_url(url)
        refuse_line_ends(full_url)
        start.url = full_url
        token = request_http_version.set(http_version)
        try:
            return self._finish(start, lambda: self._by_requests(method, full_url, kwargs), catch_response)
        finally:
            request_http_version.reset(token)

    def _by_requests(self, method: str, url: str, arguments: dict[str, Any]) -> requests.Response:
        try:
            return requests.Session.request(self, method, url, **arguments)
        except requests.exceptions.InvalidHeader as error:
            hide_headers(error, self.headers, arguments.get("headers"))
            raise

    def _with_user_context(self, context: dict[str, Any] | None) -> dict[str, Any] | None:
        return context if self._user_context is None else {**self._user_context(), **(context or {})}

    def _finish(
        self,
        first: ResponseContextManager,
        run: Callable[[], requests.Response],
        catch_response: bool,
    ) -> ResponseContextManager:
        """Runs the exchange(s) that follow, and makes one sample of it all, begun when `first` was."""
        elapsed_before = first._response_time_ms if first._start_time else 0.0
        began_ns = time.monotonic_ns() - int(elapsed_before * 1e6)
        start_time = first._start_time or time.time()
        try:
            ended = run()
            if not isinstance(ended, requests.Response):
                return cast(ResponseContextManager, ended)  # a test has put something else in requests' place
            response = adopted(ended)
        except HTTP_EXCEPTIONS as error:
            hide_userinfo(error)
            raise
        except requests.RequestException as error:
            response = ResponseContextManager()
            response.status_code = 0
            hide_userinfo(error)
            response.error = error
            response._exception = innermost(error)
            outcome = getattr(error, "_outcome", None) or getattr(error.response, "_outcome", None)
            if outcome is not None:
                response._outcome = outcome
            response.request = error.request or requests.Request(first._method, first.url).prepare()
        response._method = first._method
        response._name = first._name or self._default_name(response)
        response._context = first._context
        response._hook = self.request_event
        response._start_time = start_time
        response._response_time_ms = response_time_ms(response, began_ns, not self._adapters_are_ours)
        response._length = response.length_to_report()
        response._catch_response = catch_response
        origin = response.history[0] if response.history else response
        url = origin.request.url if origin.request is not None else first.url
        response.request_meta["url"] = without_credentials(url or "")[0]
        if not catch_response:
            if response._exception is None:
                response._set_exception(self._judge(response))
            response._report()
        return response

    @staticmethod
    def _default_name(response: requests.Response) -> str:
        origin = response.history[0] if response.history else response
        return origin.request.path_url if origin.request is not None else ""

    def _build_url(self, path: str) -> str:
        return url_below(self.base_url, path.decode() if isinstance(path, bytes) else path)

    @contextmanager
    def rename_request(self, name: str) -> Generator[None]:
        """Gives the requests made inside the block this name in the statistics."""
        before, self.request_name = self.request_name, name
        try:
            yield
        finally:
            self.request_name = before

    def __getstate__(self) -> Mapping[str, Any]:
        raise TypeError("an HttpSession holds connections and cannot be pickled")


if not TYPE_CHECKING:

    def __getattr__(name: str) -> NoReturn:
        explain_missing(__name__, name)
