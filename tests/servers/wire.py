"""Reading HTTP/1.1 requests from a blocking socket, keeping every byte as it came."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

HEAD_LIMIT = 1 << 20


class ClientClosed(Exception):
    """The client closed the connection where a request, or the rest of one, was expected."""


@dataclass
class Request:
    """One request as it was received; `raw` is head and body, byte for byte."""

    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]
    head: bytes
    body: bytes = b""
    framed: bytes = b""

    @property
    def raw(self) -> bytes:
        return self.head + self.framed

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever the case of its name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass
class Reader:
    """Buffers what a socket delivers; `received` is all that ever came."""

    sock: socket.socket
    received: bytearray = field(default_factory=bytearray)
    pending: bytearray = field(default_factory=bytearray)

    def fill(self) -> None:
        """Reads more; raises ClientClosed at the end."""
        data = self.sock.recv(65536)
        if not data:
            raise ClientClosed
        self.received += data
        self.pending += data

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        while len(self.pending) < count:
            self.fill()
        data = bytes(self.pending[:count])
        del self.pending[:count]
        return data

    def take_line_end(self, mark: bytes) -> bytes:
        """All bytes up to and including `mark`."""
        while (at := self.pending.find(mark)) < 0:
            if len(self.pending) > HEAD_LIMIT:
                raise ValueError("the head is too long")
            self.fill()
        return self.take(at + len(mark))

    def until_end(self) -> None:
        """Reads until the client closes."""
        try:
            while True:
                self.fill()
        except (ClientClosed, OSError):
            return


def read_head(reader: Reader) -> Request:
    """Reads one request's head."""
    head = reader.take_line_end(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, target, version = lines[0].split(" ", 2)
    headers = []
    for line in lines[1:-2]:
        name, _, value = line.partition(":")
        headers.append((name, value.strip()))
    return Request(method, target, version, headers, head)


def read_body(reader: Reader, request: Request) -> None:
    """Reads the body that the head announced, by Content-Length or in chunks."""
    if (request.header("Transfer-Encoding") or "").lower() == "chunked":
        _read_chunks(reader, request)
    else:
        request.body = request.framed = reader.take(int(request.header("Content-Length") or 0))


def read_request(reader: Reader) -> Request:
    """Reads one whole request."""
    request = read_head(reader)
    read_body(reader, request)
    return request


def _read_chunks(reader: Reader, request: Request) -> None:
    body, framed = bytearray(), bytearray()
    while True:
        line = reader.take_line_end(b"\r\n")
        framed += line
        size = int(line.split(b";")[0], 16)
        if size == 0:
            break
        piece = reader.take(size + 2)
        framed += piece
        body += piece[:-2]
    line = b""
    while line != b"\r\n":
        line = reader.take_line_end(b"\r\n")
        framed += line
    request.body, request.framed = bytes(body), bytes(framed)
