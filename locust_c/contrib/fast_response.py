"""What `FastHttpSession` gives back: the interface of Locust's fast client on what the engine read."""

from __future__ import annotations

import datetime
import json as json_module
from collections.abc import Iterator
from typing import Any, Self, cast

from requests import compat
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from locust_c import _core
from locust_c.body_json import decode_json
from locust_c.catch_response import CatchResponse
from locust_c.contrib.fast_failures import LocustBadStatusCode
from locust_c.exception import LocustError
from locust_c.session_state import response_headers
from locust_c.timings import make_timings

__all__ = ["ErrorResponse", "FastRequest", "FastResponse", "ResponseContextManager"]

REDIRECT_RESPONSE_CODES = frozenset((301, 302, 303, 307, 308))
VALID_RESPONSE_CODES = frozenset((*range(200, 209), 226, 304)) | REDIRECT_RESPONSE_CODES


class FastRequest:
    """The request that a FastResponse answers: url, method, headers, body (payload)."""

    def __init__(self, url: str, method: str, headers: CaseInsensitiveDict[str], body: bytes | None) -> None:
        self.url = url
        self.method = method
        self.headers = headers
        self.payload = body

    @property
    def body(self) -> bytes | None:
        return self.payload


class FastResponse(_core.Response):
    """The answer to a request of `FastHttpSession`."""

    def _make_headers(self) -> CaseInsensitiveDict[str] | None:
        return response_headers(self._head_lines) if self.status_code else None

    def _make_encoding(self) -> str | None:
        """By the headers, else guessed."""
        headers = self.headers
        encoding = get_encoding_from_headers(headers) if headers is not None else None
        if encoding is None and self.content:
            encoding = compat.chardet.detect(self.content)["encoding"]  # type: ignore[attr-defined]
        return encoding

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
        pairs = cast("list[tuple[str, str]]", [line.split(": ", 1) for line in lines])
        return FastRequest(self.url, first.split(" ")[0], response_headers(pairs), body or None)

    def _make_cookies(self) -> None:
        return None

    def _make_raw(self) -> None:
        return None

    def _make_connection(self) -> None:
        return None

    _make_timings = make_timings

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
        """The body as str, None without a response; see `encoding`."""
        body: bytes | None = self.content
        return None if body is None else body.decode(self.encoding or "utf-8", errors="replace")

    def json(self, **kwargs: Any) -> Any:
        """The body as JSON; raises json.JSONDecodeError (ValueError), TypeError without a response."""
        try:
            if not kwargs and self.content:
                return decode_json(self.content)
            return json_module.loads(self.content, **kwargs)
        except UnicodeDecodeError:
            return json_module.loads(self.text or "", **kwargs)

    def _lines(self) -> list[str]:
        """The body's lines, in UTF-8 if the server does not say otherwise."""
        content_type = self.headers.get("Content-Type", "") if self.headers else ""
        encoding = self.encoding if "charset" in content_type.lower() else None
        return (self.content or b"").decode(encoding or "utf-8", "replace").splitlines()

    @property
    def ok(self) -> bool:
        return 200 <= self.status_code < 400

    def raise_for_status(self) -> None:
        """Raises the request's error, if any."""
        if self.error is not None:
            raise self.error
        error = self._status_error(self._name) if self.status_code else None
        if error is not None:
            raise error

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> bool | None:
        return None

    def _status_error(self, name: str) -> Exception | None:
        fine = self.status_code in VALID_RESPONSE_CODES
        return None if fine else LocustBadStatusCode(self.url, code=self.status_code)


_NO_CATCH = "If you want to change the state of the request, you must pass catch_response=True."


class ErrorResponse(FastResponse):
    """What a request that got no response returns: status_code 0, no content, `error` says why."""


class ResponseContextManager(CatchResponse, FastResponse):  # type: ignore[misc]
    """The response of a call with catch_response=True: reports at the end of the with block."""

    def _status_error(self, name: str) -> Exception | None:
        # The task may look at it later.
        error = super(CatchResponse, self)._status_error(name)
        self.error = error
        return error
