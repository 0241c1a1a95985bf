"""The HTTP client of `HttpUser`: requests' Session and Response on the C engine.

A plain call goes from `_core.Session` to the socket and back without any of the code below; what it
does not know goes the long way through `HttpSession._request`, where requests prepares the request and
handles redirects, hooks and authentication, and `EngineAdapter` sends it.
"""

from __future__ import annotations

import json as json_module
import re
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from http.cookiejar import CookieJar
from typing import Any, cast
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
from requests.adapters import BaseAdapter
from requests.auth import HTTPBasicAuth, _basic_auth_str
from requests.cookies import RequestsCookieJar
from requests.models import RequestEncodingMixin
from requests.utils import DEFAULT_ACCEPT_ENCODING, default_user_agent

from locust_c import _core, replaced
from locust_c.adapter import EngineAdapter, SessionAdapters
from locust_c.connections import (
    ConnectionOptions,
    ConnectionSettings,
    checked_options,
    request_http_version,
    shared_pool,
)
from locust_c.failures import HTTP_EXCEPTIONS, Failure, innermost, requests_error, status_error
from locust_c.hub import get_engine
from locust_c.response import ResponseContextManager, adopted
from locust_c.session_state import SessionCookies, SessionHeaders
from locust_c.tls_context import settings_of_requests

__all__ = ["HttpSession", "ResponseContextManager"]

absolute_http_url_regexp = re.compile(r"^https?://", re.I)


@lru_cache(maxsize=2)
def _default_headers(keep_alive: bool = True) -> tuple[tuple[str, str], ...]:
    return (
        ("User-Agent", default_user_agent()),
        ("Accept-Encoding", DEFAULT_ACCEPT_ENCODING),
        ("Accept", "*/*"),
        ("Connection", "keep-alive" if keep_alive else "close"),
    )


@lru_cache(maxsize=1024)
def header_block(base_url: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    """Host and default headers as they go on the wire; shared by all sessions of a base URL."""
    parts = urlsplit(base_url)
    try:
        port = parts.port
    except ValueError:
        port = None
    host = parts.netloc.rpartition("@")[2]
    if port == {"http": 80, "https": 443}.get(parts.scheme.lower()):
        host = host.rpartition(":")[0]
    lines = [f"{name}: {value}\r\n" for name, value in (("Host", host.lower()), *headers)]
    return "".join(lines).encode("latin-1", "replace")


@lru_cache(maxsize=1024)
def without_credentials(base_url: str) -> tuple[str, tuple[str, str] | None]:
    """The URL without `user:password@`, and these, percent-decoded."""
    parts = urlsplit(base_url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return base_url, None
    user, _, password = userinfo.partition(":")
    return urlunsplit(parts._replace(netloc=host)), (unquote(user), unquote(password))


def context_source(user: Any) -> Callable[[], dict[str, Any]] | None:
    """The user's context method, if it has one of its own."""
    method = getattr(type(user), "context", None)
    if method is None or getattr(method, "__module__", None) == "locust_c.user.users":
        return None
    return cast("Callable[[], dict[str, Any]]", user.context)


class _Encoding(RequestEncodingMixin):
    """Gives access to requests' own form encoding."""

    encode = staticmethod(RequestEncodingMixin._encode_params)  # type: ignore[attr-defined]


# json.dumps makes an encoder for each call that does not take the defaults; requests refuses NaN.
_encode = json_module.JSONEncoder(allow_nan=False).encode


_METHODS = frozenset({"request", *replaced.PREPARING})
# Attributes that decide which way requests go.
_DECISIVE = _METHODS | {"trust_env", "stream", "cookies", "adapters"}


class HttpSession(ConnectionSettings, _core.Session, requests.Session):  # type: ignore[misc]  # verbs take more than requests'
    """A requests.Session whose requests the C engine makes and reports to the statistics.

    `base_url`: what relative URLs are appended to. `request_event`: the hook that gets every request.
    `user`: whose session it is, or None. Failed requests do not raise, except for malformed URLs
    (MissingSchema, InvalidSchema, InvalidURL): the response has status_code 0 and the reason in `error`
    (Locust's documented behaviour).
    """

    # Attributes of requests.Session that the engine does not keep; the others are made when asked for.
    stream = False
    trust_env = False
    max_redirects = 30
    _cookies_are_ours = True
    _adapters_are_ours = True

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
        headers = _default_headers(options.keep_alive)
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
        self._watch = _watch()
        self._look_again()

    def _rebase(self, base_url: str | None) -> None:
        """What setting base_url does (called from C)."""
        url, credentials = without_credentials(base_url or "")
        self._set_base(url, header_block(url, self._wire_headers()))
        if credentials is not None:
            self.auth = HTTPBasicAuth(*credentials)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _DECISIVE:
            object.__setattr__(self, name, value)
            return
        if name == "cookies":
            self._set_cookies(value)
        elif name == "adapters":
            object.__setattr__(self, name, SessionAdapters(self, value))
        elif name in replaced.PREPARING and self._is_back(name, value):
            self.__dict__.pop(name, None)
        else:
            object.__setattr__(self, name, value)
        self._look_again()

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        if name in _DECISIVE:
            self._look_again()

    def _is_back(self, name: str, value: Any) -> bool:
        """Whether a mock puts the method back that it found."""
        function, usual = getattr(value, "__func__", None), getattr(type(self), name)
        originals = {usual}
        if usual is getattr(HttpSession, name):
            originals.add(getattr(requests.Session, name))
        return getattr(value, "__self__", None) is self and function in originals

    def _set_cookies(self, jar: Any) -> None:
        """The session's jar becomes a view of the engine's, unless only requests can do what it does."""
        before = self.cookies
        if jar is before:
            return
        if not (isinstance(before, SessionCookies) and before._session is self):
            before = SessionCookies(self)
        self._cookies_are_ours = True
        if not isinstance(jar, CookieJar):
            before.detach()
            object.__setattr__(self, "cookies", SessionCookies(self))
            self.cookies.clear()
            self.cookies.update(jar)
            return
        if not (isinstance(jar, RequestsCookieJar) and before.attach(jar)):
            before.detach()
            self._cookie_remove(None, None, None)
            self._cookies_are_ours = False
        object.__setattr__(self, "cookies", jar)

    def _look_again(self) -> None:
        """Decides which ways requests may take; called from C when a class that matters was patched."""
        own, patches = self.__dict__, self._patches()
        cls: Any = type(self)
        overridden, reason, is_short = _ways_of(cls, patches)
        for name in own.keys() & _METHODS:
            overridden |= name == "request"
            if name != "request":
                reason = f"{cls.__name__}.{name} is {replaced.described(own[name])}"
        if reason is not None:
            replaced.warn_once(self, reason, "so requests prepares its requests")
        is_short = is_short and reason is None and self._cookies_are_ours and self._adapters_are_ours
        # Flags of the C part; writing them costs more than reading.
        if self._request_overridden != overridden:
            self._request_overridden = overridden
        if self._keeps_cookies != self._cookies_are_ours:
            self._keeps_cookies = self._cookies_are_ours
        long_way_only = not is_short or bool(self.trust_env or self.stream)
        if self._long_way_only != long_way_only:
            self._long_way_only = long_way_only

    def _patches(self) -> int:
        """How often a patch of what the engine stands for was noticed; see replaced.watch_for()."""
        return self._watch.look() if self._watch is not None else 0

    # --- settings, made when somebody asks (called from C) ---

    def _wire_headers(self) -> tuple[tuple[str, str], ...]:
        return _default_headers(self._connection_options is None or self._connection_options.keep_alive)

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

    def _make_adapters(self) -> SessionAdapters:
        adapter = EngineAdapter(self)
        return SessionAdapters(self, [("https://", adapter), ("http://", adapter)])

    def _make_cookies(self) -> SessionCookies:
        return SessionCookies(self)

    def get_adapter(self, url: str) -> BaseAdapter:
        """As requests.Session.get_adapter: for an HTTPAdapter that was mounted, one that uses the engine."""
        adapter = super().get_adapter(url)
        return adapter if isinstance(adapter, EngineAdapter) else self.adapters.in_place_of(adapter)

    _tls_settings = staticmethod(settings_of_requests)

    @staticmethod
    def _auth_line(auth: Any) -> bytes | None:
        """Basic credentials as a header line; None for every other kind of authentication."""
        if type(auth) is HTTPBasicAuth:
            auth = (auth.username, auth.password)
        if not isinstance(auth, tuple) or len(auth) != 2 or not all(isinstance(part, str) for part in auth):
            return None
        return f"Authorization: {_basic_auth_str(*auth)}\r\n".encode("latin-1")

    _encode_form = _encode_params = staticmethod(_Encoding.encode)

    @staticmethod
    def _encode_json(value: Any) -> bytes:
        try:
            return _encode(value).encode()
        except ValueError as error:
            raise requests.exceptions.InvalidJSONError(error) from error

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
        start.url = full_url
        token = request_http_version.set(http_version)
        try:
            return self._finish(
                start,
                lambda: requests.Session.request(self, method, full_url, **kwargs),
                catch_response,
            )
        finally:
            request_http_version.reset(token)

    def _with_user_context(self, context: dict[str, Any] | None) -> dict[str, Any] | None:
        return context if self._user_context is None else {**self._user_context(), **(context or {})}

    def _finish(
        self,
        first: ResponseContextManager,
        run: Callable[[], requests.Response],
        catch_response: bool,
    ) -> ResponseContextManager:
        """Runs the exchange(s) that follow, and makes one sample of it all, begun when `first` was."""
        began_ns = time.monotonic_ns()
        start_time = first._start_time or time.time()
        elapsed_before = first._response_time_ms if first._start_time else 0.0
        try:
            response = adopted(run())
        except HTTP_EXCEPTIONS:
            raise
        except requests.RequestException as error:
            response = ResponseContextManager()
            response.status_code = 0
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
        end_ns = response._end_ns or time.monotonic_ns()
        response._response_time_ms = elapsed_before + max(end_ns - began_ns, 0) / 1e6
        response._length = response.length_to_report()
        response._catch_response = catch_response
        origin = response.history[0] if response.history else response
        response.request_meta["url"] = origin.request.url if origin.request is not None else first.url
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
        """Locust's rule: an absolute URL as it is, everything else appended to the base URL."""
        if isinstance(path, bytes):
            path = path.decode()
        if absolute_http_url_regexp.match(path):
            return path
        return f"{self.base_url}{path}"

    @contextmanager
    def rename_request(self, name: str) -> Generator[None]:
        """Gives the requests made inside the block this name in the statistics."""
        before, self.request_name = self.request_name, name
        try:
            yield
        finally:
            self.request_name = before

    def close(self) -> None:
        """Closes the session's connections; it can be used again."""
        self._close_connections()

    def _close_connections(self) -> None:
        _core.Session.close(self)

    def __getstate__(self) -> Mapping[str, Any]:
        raise TypeError("an HttpSession holds connections and cannot be pickled")


@lru_cache(maxsize=256)
def _ways_of(cls: Any, patches: int) -> tuple[bool, str | None, bool]:
    """Of a session class: whether request() is overridden, what of requests is, if the engine is enough."""
    reason = replaced.preparing(cls, HttpSession, patches)
    is_short = reason is None and replaced.transport(patches) is None
    return cls.request is not _core.Session.request, reason, is_short


@cache
def _watch() -> _core.ClassWatch:
    return replaced.watch_for(HttpSession)
