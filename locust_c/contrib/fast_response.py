"""What `FastHttpSession` gives back: the interface of Locust's fast client on what the engine read."""

from __future__ import annotations

import contextlib
import datetime
import io
import json as json_module
import sys
from collections.abc import Iterator
from typing import Any, Self

from charset_normalizer import detect
from geventhttpclient.header import Headers
from geventhttpclient.useragent import CompatRequest
from requests.utils import get_encoding_from_headers

from locust_c import _core
from locust_c.body_json import decode_json
from locust_c.catch_response import CatchResponse
from locust_c.contrib.fast_body import Body, decoded
from locust_c.contrib.fast_failures import LocustBadStatusCode
from locust_c.exception import LocustError
from locust_c.timings import make_timings

__all__ = [
    "ErrorContextManager",
    "ErrorResponse",
    "FastRequest",
    "FastResponse",
    "ResponseContextManager",
    "RestResponseContextManager",
]

REDIRECT_RESPONSE_CODES = frozenset((301, 302, 303, 307, 308))
VALID_RESPONSE_CODES = frozenset((*range(200, 209), 226, 304)) | REDIRECT_RESPONSE_CODES


class FastRequest(CompatRequest):
    """The request that a FastResponse answers: url, method, headers, payload."""

    @property
    def body(self) -> Any:
        """The payload."""
        return self.payload


class _Wire:
    """What geventhttpclient's conversation log, and plug-ins that read streams, ask of its response."""

    def __init__(self, response: FastResponse) -> None:
        self.version = response._status_line.partition(" ")[0]
        self.read = response.read


class FastResponse(_core.Response):
    """The answer to a request of `FastHttpSession`.

    `headers` is a geventhttpclient.header.Headers: looked up in any case, a list where a name came several
    times. As with geventhttpclient the length of a response, and by that its truth, is that of its body.
    """

    _valid_response_codes: frozenset[int] = VALID_RESPONSE_CODES
    _body: Body | None = None
    _max_body_size = sys.maxsize
    # Tries before it failed, which its history does not tell.
    _is_repeated = False

    # --- made when somebody asks (called from C) ---

    def _make_headers(self) -> Headers | None:
        if not self.status_code:
            return None
        headers = Headers()
        for name, value in self._head_lines:
            headers.add(name, value)
        return headers

    def _make_encoding(self) -> str | None:
        """By the headers, else guessed."""
        if self.content is None:
            return None
        content_type = self.headers.getlist("content-type")[:1] if self.headers is not None else []
        encoding = get_encoding_from_headers({"content-type": content_type[0]}) if content_type else None
        return encoding if encoding is not None else detect(self.content)["encoding"]

    def _make_reason(self) -> str:
        parts = self._status_line.split(" ", 2)
        return parts[2] if len(parts) > 2 else ""

    def _make_history(self) -> list[FastResponse]:
        return []

    def _make_elapsed(self) -> datetime.timedelta:
        return datetime.timedelta(seconds=self._seconds_to_head)

    def _make_request(self) -> FastRequest:
        """Without Host and what is behind it, which geventhttpclient's connection adds."""
        head, _, body = self._request_bytes.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = Headers()
        for line in lines:
            name, _, value = line.partition(": ")
            if name == "Host":
                break
            headers.add(name, value)
        return FastRequest(self.url, first.partition(" ")[0], headers, _payload(headers, body))

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

    # --- what geventhttpclient's UserAgent asks of a response, and sets on it ---

    @property
    def _history(self) -> list[FastResponse]:
        history: list[FastResponse] = self.history
        return history

    @_history.setter
    def _history(self, value: list[FastResponse]) -> None:
        self.history = value

    @property
    def _elapsed(self) -> float:
        return self._seconds_to_head

    @_elapsed.setter
    def _elapsed(self, value: float) -> None:
        """Nothing: the engine has taken the time where it happened."""

    @property
    def _sent_request(self) -> str:
        head, _, _ = self._request_bytes.partition(b"\r\n\r\n")
        return head.decode("latin-1") + "\r\n\r\n"

    @property
    def _response(self) -> _Wire:
        return _Wire(self)

    # --- the interface ---

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

    @property
    def ok(self) -> bool:
        return 200 <= self.status_code < 400

    @property
    def status(self) -> str:
        """The status code as text."""
        return str(self.status_code)

    @property
    def data(self) -> bytes | None:
        """The body."""
        body: bytes | None = self.content
        return body

    def info(self) -> Headers | None:
        """The headers, as http.client calls them."""
        headers: Headers | None = self.headers
        return headers

    def raise_for_status(self) -> None:
        """Raises the request's error, if any."""
        if self.error is not None:
            raise self.error
        error = self._status_error(self._name) if self.status_code else None
        if error is not None:
            raise error

    def _declared_length(self) -> int | None:
        declared = self.headers.get("content-length") if self.headers is not None else None
        return int(declared) if isinstance(declared, str) and declared.isdecimal() else None

    def _sample_length(self) -> int:
        """For the statistics; of a streamed body what its head declares."""
        if self._exception is not None:
            return 0
        return self._declared_length() or 0 if self._stream is not None else len(self.content or b"")

    def __len__(self) -> int:
        """Of the body as the server declared it, else as it came; TypeError if it is still to come."""
        declared = self._declared_length()
        if declared is not None:
            return declared
        if self._stream is not None:
            raise TypeError("the length of a streamed response is not known")
        return len(self.content or b"")

    def __bool__(self) -> bool:
        """Whether there is a body, or one may come."""
        return (self._stream is not None and self._declared_length() is None) or len(self) > 0

    # --- the body as a file ---

    @property
    def stream(self) -> Body:
        """The body as a file, which read(), readline() and iter_content() move on in.

        With ``stream=True`` it is read from the connection, as it is there, that is with its content coding.
        """
        if self._body is None:
            self._body = Body(self._stream if self._stream is not None else io.BytesIO(self.content or b""))
        return self._body

    def _read_content(self) -> bytes:
        """Reads what is left of a streamed body; afterwards it is the content (called from C)."""
        pieces = self._decoded(iter((self.stream.read(),)), self._max_body_size)
        self.content = content = b"".join(pieces)
        return content

    def _decoded(self, pieces: Iterator[bytes], limit: int = sys.maxsize) -> Iterator[bytes]:
        """The pieces of the body without its content coding, which only a streamed one still has."""
        codings = self.headers.getlist("content-encoding") if self._stream is not None else []
        return decoded(pieces, ", ".join(codings), limit) if codings else pieces

    def read(self, n: int | None = None) -> bytes:
        """The next `n` bytes of the body, or what is left of it."""
        return self.stream.read(n)

    def readline(self) -> bytes:
        """The next line of the body, which CR and LF end; empty if there is none."""
        return self.stream.readline()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.stream)

    def iter_content(self, chunk_size: int = 1024, decode_content: bool = True) -> Iterator[Any]:
        """What is left of the body, read in pieces of `chunk_size` bytes.

        They are str where they are UTF-8, and bytes where they are not (Locust's behaviour). Without
        `decode_content` they are bytes as they came from the connection.
        """
        pieces = iter(lambda: self.read(chunk_size), b"")
        return map(_text_or_bytes, self._decoded(pieces)) if decode_content else pieces

    def iter_lines(self) -> Iterator[str]:
        """The lines of what is left of the body, each when it has arrived, as UTF-8; only LF ends one."""
        rest = b""
        for piece in self._decoded(self.stream.arriving()):
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                yield line.decode("utf-8", "replace")
        if rest:
            yield rest.decode("utf-8", "replace")

    def isclosed(self) -> bool:
        """Whether the body has been read from the connection."""
        return self._stream is None or self._stream.ended

    def release(self) -> None:
        """Gives the connection back; it is closed if a part of the body is still to come."""
        if self._stream is not None and not self._stream.ended:
            self._stream.close()

    close = release

    def success(self) -> None:
        raise LocustError(_NO_CATCH)

    def failure(self, *args: Any, **kwargs: Any) -> None:
        raise LocustError(_NO_CATCH)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> bool | None:
        self.release()
        return None

    def _status_error(self, name: str) -> Exception | None:
        fine = self.status_code in self._valid_response_codes
        return None if fine else LocustBadStatusCode(self.url, code=self.status_code)


def _payload(headers: Headers, body: bytes) -> bytes | str | None:
    """The body as it was given: what the call itself described is most likely JSON, and stays a str there."""
    by_client = "content-length" in headers or headers.get("content-type") == "application/octet-stream"
    if body and not by_client:
        with contextlib.suppress(UnicodeDecodeError):
            return body.decode()
    return body or None


def _text_or_bytes(piece: bytes) -> str | bytes:
    try:
        return piece.decode()
    except UnicodeDecodeError:
        return piece


_NO_CATCH = "If you want to change the state of the request, you must pass catch_response=True."


class ErrorResponse(FastResponse):
    """What a request that got no response returns: status_code 0, no content, `error` says why."""


class ResponseContextManager(CatchResponse, FastResponse):  # type: ignore[misc]
    """The response of a call with catch_response=True: reports at the end of the with block."""


class ErrorContextManager(ResponseContextManager, ErrorResponse):  # type: ignore[misc]
    """An ErrorResponse of a call with catch_response=True."""


class RestResponseContextManager(ResponseContextManager):
    """What `FastHttpUser.rest` yields, for annotations: `js` is the body as JSON, or None."""

    js: Any = None
