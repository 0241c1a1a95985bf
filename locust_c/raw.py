"""`response.raw` of the engine's responses: urllib3's HTTPResponse, without a connection of urllib3."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from urllib3 import HTTPHeaderDict, HTTPResponse

if TYPE_CHECKING:
    from locust_c import _core
    from locust_c.response import ResponseContextManager

__all__ = ["EngineRaw", "Message"]

_VERSIONS = {"HTTP/1.0": 10, "HTTP/1.1": 11, "HTTP/2": 20}


class Message(HTTPHeaderDict):
    """Header lines as they came; `session`: whose engine's jar has the cookies among them already."""

    session: _core.Session | None = None


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


class EngineRaw(HTTPResponse):
    """What requests and its users find in `response.raw`."""

    @classmethod
    def of(cls, response: ResponseContextManager) -> EngineRaw:
        """The raw response of one whose body has been read: nothing is left in it, as with requests."""
        message = _message_of(response)
        original: Any = Original(response._status_line, message)
        drained = BytesIO()
        drained.close()
        raw = cls(
            body=drained,
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
        raw.length_remaining = 0
        return raw
