"""The HTTP client of `HttpUser`: requests' Session and Response on the C engine.

A plain call goes from `_core.Session` to the socket and back without any of the code below; what it
does not know goes the long way through `HttpSession._request`, where requests prepares the request and
handles redirects, hooks and authentication, and `EngineAdapter` sends it.
"""

from __future__ import annotations

import datetime
import json as json_module
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from typing import Any, cast
from urllib.parse import unquote, urlsplit, urlunsplit

import certifi
import requests
from requests.auth import HTTPBasicAuth, _basic_auth_str
from requests.cookies import RequestsCookieJar, extract_cookies_to_jar
from requests.models import RequestEncodingMixin
from requests.utils import default_user_agent, get_encoding_from_headers

from locust_c import _core
from locust_c.adapter import EngineAdapter
from locust_c.exception import CatchResponseError, LocustError, ResponseError
from locust_c.failures import HTTP_EXCEPTIONS, innermost, requests_error, status_error
from locust_c.hub import get_engine
from locust_c.session_state import SessionCookies, SessionHeaders, response_headers

__all__ = ["HttpSession", "ResponseContextManager"]

absolute_http_url_regexp = re.compile(r"^https?://", re.I)

ENCODINGS = "gzip, deflate"


class ResponseContextManager(_core.Response, requests.Response):
    """The answer to a request of `HttpSession`; a requests.Response.

    With `catch_response=True` it is a context manager: at the end of the block the request counts as
    what `success()` or `failure()` said last, otherwise by its status.
    """

    _content_consumed = True
    _next = None
    _manual_result: bool | Exception | None = None

    def __init__(self) -> None:
        """Nothing: the engine, or who makes one by hand, fills it."""
    _entered = False

    # --- attributes of requests.Response, made when somebody asks ---

    def _make_headers(self) -> Any:
        return response_headers(self._head_lines)

    def _make_encoding(self) -> str | None:
        return get_encoding_from_headers(self.headers)

    def _make_reason(self) -> str | None:
        parts = self._status_line.split(" ", 2)
        if self.status_code == 0:
            return None
        return parts[2] if len(parts) > 2 else ""

    def _make_cookies(self) -> RequestsCookieJar:
        jar = RequestsCookieJar()
        if any(name.lower() == "set-cookie" for name, _ in self._head_lines):
            extract_cookies_to_jar(jar, self.request, _RawWithMessage(self._head_lines))
        return jar

    def _make_history(self) -> list[requests.Response]:
        return []

    def _make_elapsed(self) -> datetime.timedelta:
        return datetime.timedelta(seconds=self._seconds_to_head)

    def _make_request(self) -> requests.PreparedRequest:
        """The request as it was sent, read back from its bytes."""
        request = requests.PreparedRequest()
        head, _, body = self._request_bytes.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")[1:]
        pairs = [tuple(line.split(": ", 1)) for line in lines if not line.startswith("Host: ")]
        request.method = self._method
        request.url = self.url
        request.headers = response_headers(cast("list[tuple[str, str]]", pairs))
        request.body = body or None
        request.hooks = {"response": []}
        request._cookies = RequestsCookieJar()  # type: ignore[attr-defined]
        return request

    def _make_raw(self) -> Any:
        from urllib3 import HTTPHeaderDict, HTTPResponse

        headers = HTTPHeaderDict()
        for name, value in self._head_lines:
            if name.lower() != "content-encoding":
                headers.add(name, value)
        return HTTPResponse(
            body=BytesIO(self.content or b""),
            headers=headers,
            status=self.status_code,
            reason=self.reason,
            preload_content=False,
            decode_content=False,
        )

    def _make_connection(self) -> None:
        return None

    def _make_request_meta(self) -> dict[str, Any]:
        """The keyword arguments of the request event; changes made inside a with block count."""
        return {
            "request_type": self._method,
            "response_time": self._response_time_ms,
            "name": self._name,
            "context": self._context if self._context is not None else {},
            "response": self,
            "exception": self._exception,
            "start_time": self._start_time,
            "url": self.url,
            "response_length": self._length,
        }

    def json(self, **kwargs: Any) -> Any:
        """The body as JSON; raises requests.exceptions.JSONDecodeError."""
        if not kwargs and self.content:
            try:
                return json_module.loads(self.content)
            except ValueError:
                pass  # other encodings, and the exception users know
        return super().json(**kwargs)

    def close(self) -> None:
        """Nothing to do: the body has been read and the connection is back in the pool."""

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name, None) for name in self.__attrs__}

    # --- success and failure ---

    def __enter__(self) -> ResponseContextManager:
        if not self._catch_response:
            raise LocustError(
                "In order to use a with-block, you need to pass catch_response=True to the request method"
            )
        self._entered = True
        return self

    def __exit__(self, exc: Any, value: Any, traceback: Any) -> bool | None:
        if self._manual_result is not None:
            self._set_exception(None if self._manual_result is True else self._manual_result)
            self._report()
            return None if exc is None else bool(issubclass(exc, ResponseError))
        if exc is not None:
            if not issubclass(exc, ResponseError):
                return False
            self._set_exception(value)
        elif self._exception is None:
            self._set_exception(status_error(self, self._sample_name()))
        self._report()
        return exc is not None

    def _sample_name(self) -> str:
        """The name as the block may have changed it."""
        return str(self.request_meta["name"]) if self._entered else self._name

    def _set_exception(self, exception: Any) -> None:
        self._exception = exception
        self.request_meta["exception"] = exception

    def success(self) -> None:
        """Counts the request as a success, whatever its status. Raises LocustError outside a with block."""
        self._require_block("success")
        self._manual_result = True

    def failure(self, exc: Any) -> None:
        """Counts the request as a failure; `exc` is an exception or a text. LocustError outside a block."""
        self._require_block("failure")
        self._manual_result = exc if isinstance(exc, Exception) else CatchResponseError(exc)

    def _require_block(self, method: str) -> None:
        if not self._entered:
            raise LocustError(
                f"Tried to set status on a request that has not yet been made. Make sure you use a "
                f"with-block, like this:\n\nwith self.client.request(..., catch_response=True) as "
                f"response:\n    response.{method}({'...' if method == 'failure' else ''})"
            )

    def raise_for_status(self) -> None:
        """Raises the request's error, if any; after success() or failure() what they said counts."""
        if self._manual_result is True:
            return
        if isinstance(self._manual_result, Exception):
            raise self._manual_result
        if self.error is not None:
            raise self.error
        super().raise_for_status()


class _RawWithMessage:
    """What requests' cookie extraction looks at: header lines as http.client gives them."""

    class _Message:
        def __init__(self, lines: list[tuple[str, str]]) -> None:
            self.lines = lines

        def get_all(self, name: str, default: Any = None) -> Any:
            values = [value for key, value in self.lines if key.lower() == name.lower()]
            return values or default

    class _Original:
        def __init__(self, lines: list[tuple[str, str]]) -> None:
            self.msg = _RawWithMessage._Message(lines)

    def __init__(self, lines: list[tuple[str, str]]) -> None:
        self._original_response = _RawWithMessage._Original(lines)


@lru_cache(maxsize=1)
def _default_headers() -> tuple[tuple[str, str], ...]:
    return (
        ("User-Agent", default_user_agent()),
        ("Accept-Encoding", ENCODINGS),
        ("Accept", "*/*"),
        ("Connection", "keep-alive"),
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


@lru_cache(maxsize=256)
def _overrides(cls: type[HttpSession]) -> tuple[bool, bool]:
    """Whether a subclass replaces request(), and whether it replaces what only the long way calls."""
    return (
        cls.request is not HttpSession.request,
        any(getattr(cls, name) is not getattr(HttpSession, name) for name in ("send", "prepare_request", "get_adapter")),
    )


@lru_cache(maxsize=256)
def _overrides_context(cls: type) -> bool:
    return any("context" in base.__dict__ and base.__module__ != "locust_c.user.users" for base in cls.__mro__)


def context_source(user: Any) -> Callable[[], dict[str, Any]] | None:
    """The user's context method, if its class has one of its own."""
    return user.context if user is not None and _overrides_context(type(user)) else None


class _Encoding(RequestEncodingMixin):
    """Gives access to requests' own form encoding."""

    encode = staticmethod(RequestEncodingMixin._encode_params)


class HttpSession(_core.Session, requests.Session):
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

    def __init__(
        self, base_url: str | None, request_event: Any, user: Any, *args: Any, pool_manager: Any = None, **kwargs: Any
    ) -> None:
        if args or kwargs:
            raise TypeError(f"unexpected arguments: {args or kwargs}")
        url, credentials = without_credentials(base_url or "")
        self._setup(
            get_engine(),
            url,
            request_event,
            user,
            ResponseContextManager,
            ResponseContextManager,
            _default_headers(),
            header_block(url, _default_headers()),
            False,
        )
        self.pool_manager = pool_manager
        if credentials is not None:
            self.auth = HTTPBasicAuth(*credentials)
        self._request_overridden, self._long_way_only = _overrides(type(self))
        self._user_context = context_source(user)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "request":
            self._request_overridden = True
        elif name in ("send", "prepare_request", "get_adapter"):
            self._long_way_only = True

    # --- settings, made when somebody asks (called from C) ---

    def _make_headers(self) -> SessionHeaders:
        return SessionHeaders(_default_headers())

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

    def _make_adapters(self) -> OrderedDict[str, Any]:
        adapter = EngineAdapter(self)
        return OrderedDict([("https://", adapter), ("http://", adapter)])

    def _make_cookies(self) -> SessionCookies:
        return SessionCookies(self)

    def mount(self, prefix: str, adapter: Any) -> None:
        """As requests.Session.mount: requests to URLs with this prefix go through that adapter."""
        self._long_way_only = True
        super().mount(prefix, adapter)

    @staticmethod
    def _tls_files(
        verify: bool | str | None, cert: str | tuple[str, str] | None
    ) -> tuple[bool, str | None, str | None, str | None, str | None]:
        """verify and cert of requests as (verify, CA file, CA folder, certificate, key)."""
        import os

        cert_file, key_file = cert if isinstance(cert, tuple) else (cert, None)
        for path, what in ((cert_file, "TLS certificate file"), (key_file, "TLS key file")):
            if path and not os.path.exists(path):
                raise OSError(f"Could not find the {what}, invalid path: {path}")
        if verify is False:
            return False, None, None, cert_file, key_file
        if isinstance(verify, str):
            if not os.path.exists(verify):
                raise OSError(
                    f"Could not find a suitable TLS CA certificate bundle, invalid path: {verify}"
                )
            folder = os.path.isdir(verify)
            return True, None if folder else verify, verify if folder else None, cert_file, key_file
        return True, certifi.where(), None, cert_file, key_file

    @staticmethod
    def _auth_line(auth: Any) -> bytes | None:
        """Basic credentials as a header line; None for every other kind of authentication."""
        if type(auth) is HTTPBasicAuth:
            auth = (auth.username, auth.password)
        if not isinstance(auth, tuple) or len(auth) != 2 or not all(isinstance(part, str) for part in auth):
            return None
        return f"Authorization: {_basic_auth_str(*auth)}\r\n".encode("latin-1")

    _encode_form = staticmethod(_Encoding.encode)

    @staticmethod
    def _encode_json(value: Any) -> bytes:
        try:
            return json_module.dumps(value, allow_nan=False).encode()
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
    ) -> BaseException:
        """Sets the response's error; returns what the statistics show, the innermost cause."""
        if code == _core.ETRUNCATED:
            reason = str(received + remaining)
        elif code == _core.EPROTO and not response._status_line.startswith("HTTP/"):
            reason = f"status line: {response._status_line}\r\n"
        seconds: float = int(timeout) if timeout == int(timeout) else timeout
        response.error = requests_error(
            code, response.url, reason, os_errno=os_errno, received=received, timeout=seconds
        )
        return innermost(response.error)

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
        return last

    # --- the long way ---

    def _request(
        self,
        method: str,
        url: str,
        name: str | None = None,
        catch_response: bool = False,
        context: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> ResponseContextManager:
        start = ResponseContextManager()
        start._method = method.upper() if isinstance(method, str) else method
        start._name = name or self.request_name or ""
        start._context = self._with_user_context(context)
        start._hook = self.request_event
        full_url = self._build_url(url)
        start.url = full_url
        return self._finish(
            start,
            lambda: requests.Session.request(self, method, full_url, **kwargs),
            catch_response,
        )

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
            response = self._own(run())
        except HTTP_EXCEPTIONS:
            raise
        except requests.RequestException as error:
            response = ResponseContextManager()
            response.status_code = 0
            response.error = error
            response._exception = innermost(error)
            response.request = error.request or requests.Request(first._method, first.url).prepare()
        response._method = first._method
        response._name = first._name or self._default_name(response)
        response._context = first._context
        response._hook = self.request_event
        response._start_time = start_time
        end_ns = response._last_byte_ns or time.monotonic_ns()
        response._response_time_ms = elapsed_before + max(end_ns - began_ns, 0) / 1e6
        response._length = len(response.content or b"")
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

    def _own(self, response: requests.Response) -> ResponseContextManager:
        """A response of somebody else's adapter as ours."""
        if isinstance(response, ResponseContextManager):
            return response
        own = ResponseContextManager()
        own.status_code = response.status_code
        own._content = response.content
        for attribute in ("headers", "url", "history", "encoding", "reason", "cookies", "elapsed", "request", "raw"):
            setattr(own, attribute, getattr(response, attribute, None))
        return own

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
