"""The response of `HttpSession`: what the engine read, with the attributes of requests.Response.

They are made when somebody asks for them, so a response that nobody looks at costs nothing but its bytes.
"""

from __future__ import annotations

import datetime
from typing import Any, cast

import requests
from requests.cookies import RequestsCookieJar, extract_cookies_to_jar
from requests.utils import get_encoding_from_headers

from locust_c import _core
from locust_c.body_json import decode_json
from locust_c.catch_response import CatchResponse
from locust_c.credentials import hide_userinfo
from locust_c.failures import response_too_large, status_error
from locust_c.raw import EngineRaw
from locust_c.session_state import response_headers
from locust_c.timings import make_timings

__all__ = ["ResponseContextManager", "RestResponseContextManager", "StreamedResponse", "adopted", "streamed"]

_BLOCK = 65536


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
            extract_cookies_to_jar(jar, self.request, self.raw)  # type: ignore[no-untyped-call]
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
        request.body = (body.decode() if self._body_is_text else body) or None
        request.hooks = {"response": []}
        request._cookies = RequestsCookieJar()  # type: ignore[attr-defined]
        return request

    def _make_raw(self) -> EngineRaw | None:
        return None if self.status_code == 0 else EngineRaw.of(self)

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

    def raise_for_status(self) -> None:
        """As requests.Response.raise_for_status, without the credentials of the URL in what it says."""
        try:
            super().raise_for_status()
        except requests.HTTPError as error:
            hide_userinfo(error)
            raise

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

    def length_to_report(self) -> int:
        """Bytes for the statistics: of the body, or what is announced while it is not read (Locust's)."""
        return len(self.content or b"")

    def close(self) -> None:
        """Nothing to do: the body has been read and the connection is back in the pool."""

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name, None) for name in self.__attrs__}

    def _status_error(self, name: str) -> Exception | None:
        return status_error(self, name)


class StreamedResponse(ResponseContextManager):
    """A response whose body is read when somebody asks for it, as requests does with `stream=True`."""

    close = requests.Response.close

    def __init__(self) -> None:
        super().__init__()
        self._content = False
        self._content_consumed = False

    @property
    def content(self) -> Any:
        """The decoded body, read now if it was not before; requests.Response.content.

        Raises ResponseTooLarge for more than the session's `max_body_size`.
        """
        if self._content is False:
            if self._content_consumed:
                raise RuntimeError("The content for this response was already consumed")
            self._content = self._read_all()
        self._content_consumed = True
        return self._content

    @content.setter
    def content(self, value: bytes | None) -> None:
        self._content, self._content_consumed = value, True

    def _read_all(self) -> bytes | None:
        if self.status_code == 0 or self.raw is None:
            return None
        limit = getattr(getattr(self.connection, "session", None), "max_body_size", None)
        pieces, size = [], 0
        for piece in self.iter_content(_BLOCK):
            size += len(piece)
            if limit is not None and size > limit:
                self.close()
                raise response_too_large(limit)
            pieces.append(piece)
        return b"".join(pieces)

    def __getstate__(self) -> dict[str, Any]:
        _ = self.content
        return super().__getstate__()

    def length_to_report(self) -> int:
        if self._content is not False:
            return super().length_to_report()
        length = self.headers.get("content-length") or ""
        return int(length) if length.isdecimal() else 0


class RestResponseContextManager(ResponseContextManager):
    """What `HttpUser.rest` yields, for annotations: `js` is the body as JSON, or None."""

    js: Any = None


def streamed(response: ResponseContextManager) -> StreamedResponse:
    """The response, which has come as far as its head, as one whose body is still to be read."""
    response.__class__ = StreamedResponse
    response._content, response._content_consumed = False, False
    return cast(StreamedResponse, response)


def adopted(response: requests.Response) -> ResponseContextManager:
    """A response of somebody else's adapter or hook as ours; what it had not read yet is still to be read."""
    if isinstance(response, ResponseContextManager):
        return response
    attributes = vars(response)
    own = StreamedResponse() if attributes["_content"] is False else ResponseContextManager()
    for name, value in attributes.items():
        setattr(own, name, value or 0 if name == "status_code" else value)
    return own
