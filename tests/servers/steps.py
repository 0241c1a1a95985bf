"""The words a scripted connection is written in. A script is a list of steps, then the end: close.

Steps are plain lists, so that they travel to the server process as JSON. Bytes travel in base64.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable

Step = list[object]
Headers = Iterable[tuple[str, str]]


def request() -> Step:
    """Reads one whole request, head and body."""
    return ["request"]


def head() -> Step:
    """Reads a request's head only; its body stays unread until `body()`."""
    return ["head"]


def body() -> Step:
    """Reads the body that the head before announced."""
    return ["body"]


def take(count: int) -> Step:
    """Reads so many bytes, whatever they are."""
    return ["bytes", count]


def until(*marks: bytes) -> Step:
    """Reads up to and with the first of these bytes, for requests that are not HTTP/1."""
    return ["until", [base64.b64encode(mark).decode() for mark in marks]]


def send(data: bytes) -> Step:
    """Sends bytes at once."""
    return ["send", base64.b64encode(data).decode()]


def drip(data: bytes, pause_ms: float = 0.2) -> Step:
    """Sends bytes one by one, each in a segment of its own."""
    return ["drip", base64.b64encode(data).decode(), pause_ms]


def flood(data: bytes, megabytes: int = 64) -> Step:
    """Sends the bytes again and again until the client closes; gives up after so many megabytes."""
    return ["flood", base64.b64encode(data).decode(), megabytes]


def pause(ms: float) -> Step:
    """Waits; for answers that must take time, never to make a race go away."""
    return ["pause", ms]


def stall(name: str) -> Step:
    """Waits until the test releases this name."""
    return ["stall", name]


def wait_eof() -> Step:
    """Reads until the client closes."""
    return ["wait_eof"]


def half_close() -> Step:
    """Ends the server's direction; the client can still send."""
    return ["half_close"]


def close() -> Step:
    """Closes the connection; over TLS without a close_notify."""
    return ["close"]


def close_notify() -> Step:
    """Ends TLS as the protocol wants it, then closes."""
    return ["close_notify"]


def reset() -> Step:
    """Closes with a TCP reset (SO_LINGER of 0)."""
    return ["reset"]


def start_tls(certificate: str = "good") -> Step:
    """Goes over to TLS in the middle of a connection, as behind a CONNECT."""
    return ["start_tls", certificate]


def tunnel(port: int) -> Step:
    """Passes bytes to and from 127.0.0.1:`port` until either side closes, as a proxy does."""
    return ["tunnel", port]


def repeat(*steps: Step, times: int = 0) -> Step:
    """Does the steps `times` times; 0: until the client closes."""
    return ["repeat", times, list(steps)]


def reply(
    content: bytes = b"", status: int = 200, reason: str = "OK", headers: Headers = (), version: str = "1.1"
) -> Step:
    """Sends one whole response with the right Content-Length."""
    return send(response(content, status, reason, headers, version))


def response(
    content: bytes = b"", status: int = 200, reason: str = "OK", headers: Headers = (), version: str = "1.1"
) -> bytes:
    """The bytes of one response with the right Content-Length."""
    return head_bytes(status, reason, [*headers, ("Content-Length", str(len(content)))], version) + content


def head_bytes(status: int = 200, reason: str = "OK", headers: Headers = (), version: str = "1.1") -> bytes:
    """The bytes of a response's head, with just these headers."""
    lines = [f"HTTP/{version} {status} {reason}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def chunked_response(pieces: Iterable[bytes], headers: Headers = (), trailers: Headers = ()) -> bytes:
    """The bytes of a response that carries `pieces` as one chunk each."""
    start = head_bytes(headers=[*headers, ("Transfer-Encoding", "chunked")])
    return start + chunks(pieces) + last_chunk(trailers)


def chunks(pieces: Iterable[bytes]) -> bytes:
    """Chunks of the chunked coding, without the last one."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


def last_chunk(trailers: Headers = ()) -> bytes:
    """The end of a chunked body."""
    return b"0\r\n" + "".join(f"{name}: {value}\r\n" for name, value in trailers).encode("latin-1") + b"\r\n"


def deflated(data: bytes) -> bytes:
    """The "deflate" coding as it is meant: a zlib stream."""
    return zlib.compress(data)


def raw_deflated(data: bytes) -> bytes:
    """The "deflate" coding as some servers send it: without the zlib header."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def zstandard(data: bytes) -> bytes:
    """The "zstd" coding: a frame that holds the bytes as they are (RFC 8878, 3.1.1)."""
    pieces = [data[start : start + 0x20000] for start in range(0, len(data), 0x20000)] or [b""]
    # One segment, its size in four bytes; then blocks, each with its size, the last one marked.
    blocks = [(len(piece) << 3).to_bytes(3, "little") + piece for piece in pieces[:-1]]
    last = (len(pieces[-1]) << 3 | 1).to_bytes(3, "little") + pieces[-1]
    return b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little") + b"".join(blocks) + last
