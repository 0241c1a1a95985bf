"""FastHttpUser and its client: the interface of Locust's geventhttpclient flavour on the C engine.

Both flavours run on the same engine; they differ in defaults (headers, names, what counts as a failure,
when a request is sent again) and in the classes that users see.
"""

from __future__ import annotations

import datetime
import errno
import json as json_module
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import HTTPBasicAuth
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from locust_c import _core
from locust_c.adapter import wire_of
from locust_c.clients import (
    ENCODINGS,
    HttpSession,
    absolute_http_url_regexp,
    context_source,
    header_block,
    without_credentials,
)
from locust_c.exception import CatchResponseError, LocustError, ResponseError
from locust_c.failures import refused_cause, resolve_cause
from locust_c.hub import get_engine
from locust_c.session_state import SessionCookies, SessionHeaders, response_headers
from locust_c.user.rest import RestMixin
from locust_c.user.users import User

if TYPE_CHECKING:
    from locust_c.env import Environment

    FAILURE_EXCEPTIONS: tuple[type[BaseException], ...]

__all__ = ["ErrorResponse", "FastHttpSession", "FastHttpUser", "FastResponse", "ResponseContextManager"]

VALID_RESPONSE_CODES = frozenset((*range(200, 209), 226))
REDIRECT_RESPONSE_CODES = frozenset((301, 302, 303, 307, 308))


def __getattr__(name: str) -> Any:
    """FAILURE_EXCEPTIONS names geventhttpclient's classes, which are imported only when asked for."""
    if name == "FAILURE_EXCEPTIONS":
        import socket
        import zlib
        from ssl import SSLError

        from gevent.timeout import Timeout
        from geventhttpclient._parser import HTTPParseError
        from geventhttpclient.response import HTTPConnectionClosed
        from geventhttpclient.useragent import ConnectionError as FastConnectionError

        return (
            FastConnectionError,
            ConnectionRefusedError,
            ConnectionResetError,
            socket.error,
            SSLError,
            Timeout,
            HTTPConnectionClosed,
            HTTPParseError,
            zlib.error,
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class LocustBadStatusCode(Exception):
    """The response has a status that counts as a failure."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code

    def __repr__(self) -> str:
        return f"LocustBadStatusCode(code={self.code})"

    __str__ = __repr__


class FastRequest:
    """The request that a FastResponse answers: url, method, headers, body (payload)."""

    def __init__(self, url: str, method: str, headers: dict[str, str], body: bytes) -> None:
        self.url = url
        self.method = method
        self.headers = headers
        self.payload = body

    @property
    def body(self) -> bytes:
        return self.payload


class FastResponse(_core.Response):
    """The answer to a request of `FastHttpSession`."""

    _manual_result: bool | Exception | None = None
    _entered = False

    def _make_headers(self) -> Any:
        return response_headers(self._head_lines)

    def _make_encoding(self) -> str | None:
        return get_encoding_from_headers(self.headers)

    def _make_reason(self) -> str:
        parts = self._status_line.split(" ", 2)
        return parts[2] if len(parts) > 2 else ""

    def _make_history(self) -> list[FastResponse]:
        return []

    def _make_elapsed(self) -> datetime.timedelta:
        return datetime.timedelta(seconds=self._seconds_to_head)

    def _make_request(self) -> FastRequest:
        head, _, body = self._request_bytes.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = response_headers(cast("list[tuple[str, str]]", [line.split(": ", 1) for line in lines]))
        return FastRequest(self.url, first.split(" ")[0], cast("dict[str, str]", headers), body)

    def _make_cookies(self) -> None:
        return None

    def _make_raw(self) -> None:
        return None

    def _make_connection(self) -> None:
        return None

    def _make_request_meta(self) -> dict[str, Any]:
        """The keyword arguments of the request event; changes made inside a with block count."""
        return {
            "request_type": self._method,
            "name": self._name,
            "context": self._context if self._context is not None else {},
            "response": self,
            "exception": self._exception,
            "start_time": self._start_time,
            "url": self.url,
            "response_length": self._length,
            "response_time": self._response_time_ms,
        }

    @property
    def text(self) -> str | None:
        """The body as str: by the charset of the Content-Type, else UTF-8; None without a response."""
        if self.content is None:
            return None
        return self.content.decode(self.encoding or "utf-8", errors="replace")

    def json(self, **kwargs: Any) -> Any:
        """The body as JSON; raises json.JSONDecodeError (ValueError)."""
        return json_module.loads(self.content or b"", **kwargs)

    @property
    def ok(self) -> bool:
        return 200 <= self.status_code < 400

    def raise_for_status(self) -> None:
        """Raises the request's error, if any."""
        if self.error is not None:
            raise self.error
        if self.status_code and not _is_fine(self.status_code):
            raise LocustBadStatusCode(self.status_code)

    def iter_content(self, chunk_size: int = 1024, decode_content: bool = True) -> Iterator[bytes]:
        """The body in pieces of `chunk_size` bytes."""
        body = self.content or b""
        return (body[at : at + chunk_size] for at in range(0, len(body), chunk_size))

    def read(self, length: int | None = None) -> bytes:
        """The body, or its first `length` bytes."""
        body = self.content or b""
        return body if length is None else body[:length]

    def release(self) -> None:
        """Nothing to do: the body has been read and the connection is back in the pool."""

    close = release

    def success(self) -> None:
        raise LocustError(_NO_CATCH)

    def failure(self, exc: Any) -> None:
        raise LocustError(_NO_CATCH)

    def __enter__(self) -> FastResponse:
        raise LocustError(
            "In order to use a with-block, you need to pass catch_response=True to the request method"
        )

    def __exit__(self, *_: object) -> None:
        return None


_NO_CATCH = "If you want to change the state of the request, you must pass catch_response=True."


class ErrorResponse(FastResponse):
    """What a request that got no response returns: status_code 0, no content, `error` says why."""

    @property
    def headers(self) -> None:  # type: ignore[override]
        return None


class ResponseContextManager(FastResponse):
    """The response of a call with catch_response=True: reports at the end of the with block."""

    def __enter__(self) -> ResponseContextManager:
        self._entered = True
        return self

    def __exit__(self, exc: Any, value: Any, traceback: Any) -> bool | None:  # type: ignore[override]
        if self._manual_result is not None:
            self._set_exception(None if self._manual_result is True else self._manual_result)
            self._report()
            return None if exc is None else bool(issubclass(exc, ResponseError))
        if exc is not None:
            if not issubclass(exc, ResponseError):
                return False
            self._set_exception(value)
        elif self._exception is None and not _is_fine(self.status_code):
            self.error = LocustBadStatusCode(self.status_code)
            self._set_exception(self.error)
        self._report()
        return exc is not None

    def _set_exception(self, exception: Any) -> None:
        self._exception = exception
        self.request_meta["exception"] = exception

    def success(self) -> None:
        """Counts the request as a success, whatever its status. Raises LocustError outside a with block."""
        self._require_block()
        self._manual_result = True

    def failure(self, exc: Any) -> None:
        """Counts the request as a failure; `exc` is an exception or a text. LocustError outside a block."""
        self._require_block()
        self._manual_result = exc if isinstance(exc, Exception) else CatchResponseError(exc)

    def _require_block(self) -> None:
        if not self._entered:
            raise LocustError(
                "Tried to set status on a request that has not yet been made. Make sure you use a with-block"
            )


def _is_fine(status: int) -> bool:
    return status in VALID_RESPONSE_CODES or status in REDIRECT_RESPONSE_CODES


@lru_cache(maxsize=1)
def _user_agent() -> str:
    from importlib.metadata import version

    return f"python/gevent-http-client-{version('geventhttpclient')}"


@lru_cache(maxsize=64)
def _fast_headers(own: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    headers = CaseInsensitiveDict([("User-Agent", _user_agent())])
    for name, value in own:
        headers[name] = value
    headers.setdefault("Accept-Encoding", ENCODINGS)
    return tuple(headers.items())


class _ClientPool:
    """Stands where users reach for geventhttpclient's pool: `client.client.clientpool.close()`."""

    def __init__(self, session: FastHttpSession) -> None:
        self._session = session

    def close(self) -> None:
        """Closes the session's connections; the next request opens a new one."""
        _core.Session.close(self._session)


class LocustUserAgent:
    """The low-level client behind a FastHttpSession, as far as locustfiles reach for it."""

    response_type = FastResponse
    request_type = FastRequest
    valid_response_codes = VALID_RESPONSE_CODES
    redirect_response_codes = REDIRECT_RESPONSE_CODES

    def __init__(self, session: FastHttpSession) -> None:
        self.clientpool = _ClientPool(session)
        self.cookiejar = session.cookies
        self.max_redirects = session.max_redirects
        self.max_retries = session.max_retries
        self.default_headers = dict(session._own_headers)

    def close(self) -> None:
        self.clientpool.close()


class FastHttpSession(_core.Session):
    """The client of `FastHttpUser`.

    `base_url`: what relative URLs are appended to. `request_event`: the hook that gets every request.
    `insecure`: do not check TLS certificates. `network_timeout`, `connection_timeout`: seconds.
    `headers`: defaults sent with each request. `concurrency`: idle connections kept.
    """

    def __init__(
        self,
        base_url: str | None,
        request_event: Any,
        user: Any,
        insecure: bool = True,
        client_pool: Any = None,
        ssl_context_factory: Any = None,
        *,
        network_timeout: float = 60.0,
        connection_timeout: float = 60.0,
        max_redirects: int = 30,
        max_retries: int = 0,
        headers: dict[str, str] | None = None,
        concurrency: int = 10,
        proxy_host: str | None = None,
        proxy_port: int | None = None,
    ) -> None:
        url, credentials = without_credentials(base_url or "")
        self._own_headers = tuple((headers or {}).items())
        wire_headers = _fast_headers(self._own_headers)
        self._setup(
            get_engine(),
            url,
            request_event,
            user,
            FastResponse,
            ResponseContextManager,
            wire_headers,
            header_block(url, wire_headers),
            True,
        )
        self._default_timeouts = (connection_timeout, network_timeout)
        self._set_timeouts(self._default_timeouts)
        self.max_redirects = max_redirects
        self.max_retries = max_retries
        self._user_context = context_source(user)
        self._proxy = f"http://{proxy_host}:{proxy_port}" if proxy_host else None
        self._long_way_only = self._proxy is not None
        self.verify = not insecure
        if credentials is not None:
            self.auth = HTTPBasicAuth(*credentials)

    def _make_headers(self) -> SessionHeaders:
        raise AttributeError("FastHttpSession has no attribute 'headers'")

    def _make_auth(self) -> None:
        return None

    _make_cert = _make_proxies = _make_hooks = _make_params = _make_adapters = _make_auth

    def _make_verify(self) -> bool:
        return False

    def _make_cookies(self) -> SessionCookies:
        return SessionCookies(cast("HttpSession", self))

    _tls_files = staticmethod(HttpSession._tls_files)
    _auth_line = staticmethod(HttpSession._auth_line)
    _encode_form = staticmethod(HttpSession._encode_form)

    @staticmethod
    def _encode_json(value: Any) -> bytes:
        return json_module.dumps(value).encode()

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
    ) -> BaseException:
        """Sets the response's error and class; returns what the statistics show."""
        error = _fast_error(code, response.url, reason, os_errno)
        if code == _core.ETRUNCATED:
            return error
        response.error = error
        if not response._catch_response:
            response.__class__ = ErrorResponse
        return error

    def _judge(self, response: FastResponse) -> Exception | None:
        if _is_fine(response.status_code):
            return None
        response.error = LocustBadStatusCode(response.status_code)
        return response.error

    def _follow(self, first: FastResponse, catch_response: bool, timeout: float | None) -> FastResponse:
        """Goes on from a redirect that the short way met; one sample for the chain."""
        began_ns = time.monotonic_ns() - int(first._response_time_ms * 1e6)
        sent = first.request
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url = sent.method, sent.url
        prepared.headers = CaseInsensitiveDict(sent.headers)
        prepared.headers.pop("Host", None)
        prepared.body = sent.payload or None
        last = self._redirected(first, prepared, catch_response, timeout)
        self._time(last, began_ns)
        return self._conclude(last, catch_response)

    def _redirected(
        self,
        first: FastResponse,
        prepared: requests.PreparedRequest,
        catch_response: bool,
        timeout: float | None,
    ) -> FastResponse:
        """Follows redirects from `first`, which answered `prepared`; what it returns has the same sample."""
        response, history = first, []
        while response._exception is None and response.status_code in REDIRECT_RESPONSE_CODES:
            location = response.headers.get("Location")
            if location is None:
                break
            if len(history) == self.max_redirects:
                from geventhttpclient.useragent import RetriesExceeded

                response.error = response._exception = RetriesExceeded(
                    response.url, "Redirection limit reached"
                )
                break
            history.append(response)
            self._point_to(prepared, response.status_code, urljoin(response.url, location))
            response = self._send(prepared, catch_response, timeout)
        if response is not first:
            meta = dict(first.request_meta, response=response, exception=response._exception)
            meta["response_length"] = response._length
            for attribute in ("_method", "_name", "_context", "_hook", "_start_time"):
                setattr(response, attribute, getattr(first, attribute))
            response.history = history
            response.request_meta = meta
        return response

    def _point_to(self, prepared: requests.PreparedRequest, status: int, url: str) -> None:
        """Turns the prepared request into the one that a redirect asks for (RFC 9110, 15.4)."""
        old, new = urlsplit(cast(str, prepared.url)), urlsplit(url)
        prepared.url = requests.utils.requote_uri(url)
        if status == 303 or (status in (301, 302) and prepared.method == "POST"):
            prepared.method = "HEAD" if prepared.method == "HEAD" else "GET"
            prepared.body = None
            for name in ("Content-Length", "Content-Type", "Transfer-Encoding"):
                prepared.headers.pop(name, None)
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            prepared.headers.pop("Authorization", None)
            prepared.headers.pop("Host", None)
        prepared.headers.pop("Cookie", None)
        prepared.prepare_cookies(self.cookiejar.copy())

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
        **kwargs: Any,
    ) -> FastResponse:
        if kwargs:
            raise TypeError(f"unexpected keyword argument {next(iter(kwargs))!r}")
        began_ns, start_time = time.monotonic_ns(), time.time()
        full_url = self._build_url(url)
        prepared = self._prepare(method, full_url, headers, params, data, json, files, auth)
        response = self._send(prepared, catch_response, timeout)
        response._name = name or self.request_name or url
        response._context = (
            context if self._user_context is None else {**self._user_context(), **(context or {})}
        )
        response._hook = self.request_event
        response._start_time = start_time
        response.request_meta["url"] = full_url
        if allow_redirects:
            response = self._redirected(response, prepared, catch_response, timeout)
        self._time(response, began_ns)
        return self._conclude(response, catch_response)

    def _prepare(
        self, method: str, url: str, headers: Any, params: Any, data: Any, json: Any, files: Any, auth: Any
    ) -> requests.PreparedRequest:
        merged = CaseInsensitiveDict(_fast_headers(self._own_headers))
        merged.update(headers or {})
        if data is None and json is not None:
            merged.setdefault("Content-Type", "application/json")
            merged.setdefault("Accept", "application/json")
        if isinstance(data, str) and data:
            merged.setdefault("Content-Type", "text/plain; charset=utf-8")
        request = requests.Request(
            method,
            url,
            headers=merged,
            params=params,
            data=data,
            json=json,
            files=files,
            auth=auth or self.auth,
            cookies=self.cookies.copy(),
        )
        return request.prepare()

    def _send(
        self, prepared: requests.PreparedRequest, catch_response: bool, timeout: float | None
    ) -> FastResponse:
        plain_proxy = self._proxy is not None and cast(str, prepared.url).startswith("http://")
        return cast(
            FastResponse,
            self._exchange(
                cast(str, prepared.method),
                cast(str, prepared.url),
                wire_of(prepared, absolute=plain_proxy),
                catch_response,
                timeout if timeout is not None else self._default_timeouts,
                self.verify,
                None,
                self._proxy,
            ),
        )

    @staticmethod
    def _time(response: FastResponse, began_ns: int) -> None:
        end_ns = response._last_byte_ns or time.monotonic_ns()
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
        """The lines of a response's body, decoded, one at a time."""
        response = self.request(method, url, **kwargs)
        yield from (response.text or "").splitlines()

    @contextmanager
    def rename_request(self, name: str) -> Generator[None]:
        """Gives the requests made inside the block this name in the statistics."""
        before, self.request_name = self.request_name, name
        try:
            yield
        finally:
            self.request_name = before


def _fast_error(code: int, url: str, reason: str, os_errno: int) -> Exception:
    """The engine's codes as the exceptions that geventhttpclient's users know."""
    if code in (_core.ECLOSED, _core.ERESET):
        from geventhttpclient.response import HTTPConnectionClosed

        return cast(Exception, HTTPConnectionClosed("connection closed."))
    if code in (_core.ECONNTIMEOUT, _core.EREADTIMEOUT):
        from geventhttpclient.useragent import RetriesExceeded

        return cast(Exception, RetriesExceeded(url, 3, original=TimeoutError("timed out")))
    if code in (_core.EPROTO, _core.ETRUNCATED):
        from geventhttpclient._parser import HTTPParseError

        text = "Incomplete response." if code == _core.ETRUNCATED else reason
        return cast(Exception, HTTPParseError(text))
    if code == _core.ERESOLVE:
        return resolve_cause("")
    if code == _core.ECONNECT:
        return refused_cause(os_errno)
    return _tls_or_other_error(code, reason)


def _tls_or_other_error(code: int, reason: str) -> Exception:
    if code == _core.ETLSVERIFY:
        import ssl

        return ssl.SSLCertVerificationError(1, f"[SSL: CERTIFICATE_VERIFY_FAILED] {reason}")
    if code == _core.ETLS:
        import ssl

        return ssl.SSLError(1, reason)
    if code == _core.EDECODE:
        import zlib

        return zlib.error("Error -3 while decompressing data: incorrect header check")
    return ConnectionError(errno.EIO, reason)


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
        )
