"""What `FastHttpSession` gives back: the interface of Locust's fast client on what the engine read."""

from __future__ import annotations

import datetime
import json as json_module
from collections.abc import Iterator
from typing import Any, cast

from requests.utils import get_encoding_from_headers

from locust_c import _core
from locust_c.contrib.fast_failures import LocustBadStatusCode
from locust_c.exception import CatchResponseError, LocustError, ResponseError
from locust_c.session_state import response_headers

__all__ = ["ErrorResponse", "FastRequest", "FastResponse", "ResponseContextManager"]

REDIRECT_RESPONSE_CODES = frozenset((301, 302, 303, 307, 308))
VALID_RESPONSE_CODES = frozenset((*range(200, 209), 226, 304)) | REDIRECT_RESPONSE_CODES


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
        body: bytes | None = self.content
        return None if body is None else body.decode(self.encoding or "utf-8", errors="replace")

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
        if self.status_code and self.status_code not in VALID_RESPONSE_CODES:
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
    def headers(self) -> None:
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
        elif self._exception is None and self.status_code not in VALID_RESPONSE_CODES:
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
