"""`response.raw` of the engine's responses: urllib3's HTTPResponse, without a connection of urllib3."""

from __future__ import annotations

import sys
from collections.abc import Generator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from requests import RequestException
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import DecodeError, HTTPError

from locust_c import _core

if TYPE_CHECKING:
    from locust_c.response import ResponseContextManager

__all__ = ["EngineRaw", "Message", "StreamFile"]

_BLOCK = 65536
_VERSIONS = {"HTTP/1.0": 10, "HTTP/1.1": 11, "HTTP/2.0": 20}


class Message(HTTPHeaderDict):
    """Header lines as they came; `session`: whose engine's jar has the cookies among them already."""

    session: _core.Session | None = None

    def get_all(self, name: str, failobj: Any = None) -> Any:
        """As email.message.Message has it: `failobj` where there is none."""
        return self.getlist(name) or failobj


class Original:
    """Stands where urllib3 keeps the http.client.HTTPResponse."""

    fp = None

    def __init__(self, status_line: str, message: Message) -> None:
        self.version_string, _, rest = status_line.partition(" ")
        status, _, self.reason = rest.partition(" ")
        self.version = _VERSIONS.get(self.version_string, 0)
        self.status = self.code = int(status) if status.isdecimal() else 0
        self.msg = self.headers = message

    def getheader(self, name: str, default: Any = None) -> Any:
        """All values of a header, joined by a comma; `default` if there is none."""
        return self.msg.get(name, default)

    def isclosed(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing is open."""


def _message_of(response: ResponseContextManager) -> Message:
    message = Message()
    for name, value in response._head_lines:
        message.add(name, value)
    message.session = getattr(response.connection, "session", None)
    return message


class StreamFile:
    """A body that the engine receives, as the file that urllib3's HTTPResponse reads.

    What the body breaks off with is raised as urllib3 raises it.
    """

    def __init__(self, stream: _core.Stream) -> None:
        self._stream = stream

    def read(self, amt: int | None = None) -> bytes:
        """So many bytes, fewer only at the end; without a number all of them."""
        if amt is None:
            data = self._taken(-1)
            self.close()
            return data
        pieces, missing = [], amt
        while missing > 0 and (piece := self._taken(missing)):
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def read1(self, amt: int = -1) -> bytes:
        """What has arrived, at least one byte; b"" at the end."""
        return self._taken(_BLOCK if amt < 0 else amt)

    def _taken(self, amt: int) -> bytes:
        try:
            return self._stream.read(amt)
        except RequestException as error:
            self.close()
            cause = error.args[0] if error.args else None
            if isinstance(cause, HTTPError):
                raise cause from None
            raise

    def close(self) -> None:
        self._stream.close()

    @property
    def closed(self) -> bool:
        return self._stream.closed


class _Zstd:
    """The engine's decoder where urllib3 has none; what it decodes to may be `limit` bytes."""

    has_unconsumed_tail = False

    def __init__(self, limit: int) -> None:
        self._decoder = _core.Decoder("zstd", limit)

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._decoder.feed(data)

    def flush(self) -> bytes:
        try:
            return self._decoder.finish()
        except ValueError as error:
            raise DecodeError(*error.args) from error


class EngineRaw(HTTPResponse):
    """What requests and its users find in `response.raw`."""

    DECODER_ERROR_CLASSES = (*HTTPResponse.DECODER_ERROR_CLASSES, ValueError, OverflowError)

    @classmethod
    def of(cls, response: ResponseContextManager) -> EngineRaw:
        """The raw response: with nothing left in it if its body has been read, as with requests."""
        message = _message_of(response)
        original: Any = Original(response._status_line, message)
        body: Any = BytesIO() if response._stream is None else StreamFile(response._stream)
        if response._stream is None:
            body.close()
        raw = cls(
            body=body,
            headers=message,
            status=response.status_code,
            version=original.version,
            version_string=original.version_string,
            reason=response.reason,
            preload_content=False,
            decode_content=False,
            original_response=original,
            enforce_content_length=False,
            request_method=response._method,
        )
        if response._stream is None:
            raw.length_remaining = 0
        return raw

    def _init_decoder(self) -> None:
        super()._init_decoder()
        if self._decoder is None and self.headers.get("content-encoding", "").lower() == "zstd":
            session = self.headers.session if isinstance(self.headers, Message) else None
            decoder: Any = _Zstd(session.max_body_size if session is not None else sys.maxsize)
            self._decoder = decoder

    def supports_chunked_reads(self) -> bool:
        """True: a body in chunks is given as it arrives."""
        return True

    def read_chunked(self, amt: int | None = None, decode_content: bool | None = None) -> Generator[bytes]:
        """The body in the pieces it arrives in, of `amt` bytes at most."""
        self._init_decoder()
        decodes = self.decode_content if decode_content is None else decode_content
        while data := self._raw_read(amt or _BLOCK, read1=True):
            if decoded := self._decode(data, decodes, flush_decoder=False):
                yield decoded
        if decodes and (rest := self._flush_decoder()):
            yield rest
