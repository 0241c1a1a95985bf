"""A web server in the test's own process that says which ends a connection has."""

from __future__ import annotations

import socket
from typing import Any

from gevent.server import StreamServer


class EndsServer(StreamServer):
    """Answers one request per connection with the address that it was connected to, and from where."""

    def __enter__(self) -> EndsServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def handle(self, client: socket.socket, address: Any) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(65536)
        ends = (client.getsockname(), address)
        body = " ".join(end[0] if isinstance(end, tuple) else end or "unnamed" for end in ends).encode()
        length = b"Content-Length: %d" % len(body)
        client.sendall(b"\r\n".join((b"HTTP/1.1 200 OK", b"Connection: close", length, b"", body)))
        client.close()
