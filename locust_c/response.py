"""The response of `HttpSession`: what the engine read, with the attributes of requests.Response.

They are made when somebody asks for them, so a response that nobody looks at costs nothing but its bytes.
"""

from __future__ import annotations

import datetime
from io import BytesIO
from typing import Any, cast

import requests
from requests.cookies import RequestsCookieJar, extract_cookies_to_jar
from requests.utils import get_encoding_from_headers

from locust_c import _core
from locust_c.body_json import decode_json
from locust_c.catch_response import CatchResponse
from locust_c.failures import status_error
from locust_c.session_state import response_headers
from locust_c.timings import make_timings

__all__ = ["ResponseContextManager"]


class ResponseContextManager(_core.Response, CatchResponse, requests.Response):  # type: ignore[misc]
    """The answer to a request of `HttpSession`; a requests.Response.

    With `catch_response=True` it is a context manager: at the end of the block the request counts as
    what `success()` or `failure()` said last, otherwise by its status.
    """

    _content_consumed = True

    def __init__(self) -> None:
        """Nothing: the engine, or who makes one by hand, fills it."""

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
        if self.status_code == 0:
            return None
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

    _make_timings = make_timings

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
                return decode_json(self.content)
            except ValueError:
                pass  # other encodings, and the exception users know
        return super().json(**kwargs)

    @property
    def next(self) -> requests.PreparedRequest | None:
        """The request that a redirect which was not followed asks for (requests.Response.next)."""
        if "_next" not in self.__dict__:
            self._next = None
            if self.is_redirect:
                with requests.Session() as session:
                    session.trust_env = False
                    following = session.resolve_redirects(self, self.request, yield_requests=True)
                    self._next = next(following, None)
        return cast("requests.PreparedRequest | None", self._next)

    def close(self) -> None:
        """Nothing to do: the body has been read and the connection is back in the pool."""

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name, None) for name in self.__attrs__}

    def _status_error(self, name: str) -> Exception | None:
        return status_error(self, name)


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
