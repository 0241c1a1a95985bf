"""The response of `HttpSession`: what the engine read, with the attributes of requests.Response.

They are made when somebody asks for them, so a response that nobody looks at costs nothing but its bytes.
"""

from __future__ import annotations

import datetime
import json as json_module
from io import BytesIO
from typing import Any, cast

import requests
from requests.cookies import RequestsCookieJar, extract_cookies_to_jar
from requests.utils import get_encoding_from_headers

from locust_c import _core
from locust_c.exception import CatchResponseError, LocustError, ResponseError
from locust_c.failures import status_error
from locust_c.session_state import response_headers

__all__ = ["ResponseContextManager"]


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
            raw = _RawWithMessage(self._head_lines)
            extract_cookies_to_jar(jar, self.request, raw)  # type: ignore[no-untyped-call]
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

    def __exit__(self, exc: Any, value: Any, traceback: Any) -> bool | None:  # type: ignore[override]
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
