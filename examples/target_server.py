"""A small shop on 127.0.0.1 to try a locustfile on: fast, without dependencies, HTTP/1.1 with keep-alive.

usage: python examples/target_server.py [--port PORT] [--until-input-closes]

The first line on stdout is the address. Port 0, the default, is a free port that the system chooses.
"""

import argparse
import asyncio
import contextlib
import json
import sys

FRONT_PAGE = b"<!doctype html><title>Shop</title><h1>Shop</h1>" + b"<p>Everything you need.</p>" * 40


def answer(method: str, path: str, body: bytes) -> tuple[str, str, bytes]:
    """Return status, content type and body of the answer to one request."""
    if method == "GET" and path == "/":
        return "200 OK", "text/html; charset=utf-8", FRONT_PAGE
    if method == "GET" and path.startswith("/items/"):
        item = path.removeprefix("/items/")
        return "200 OK", "application/json", json.dumps({"item": item, "price": 9.5}).encode()
    if method == "GET" and path == "/stock":
        return "200 OK", "application/json", b'{"in_stock": true}'
    if method == "POST" and path in ("/login", "/orders"):
        try:
            order = json.loads(body)
        except ValueError:
            return "400 Bad Request", "text/plain", b"this is not JSON\n"
        return "201 Created", "application/json", json.dumps(order).encode()
    return "404 Not Found", "text/plain", b"there is no such page\n"


class Shop(asyncio.Protocol):
    """One connection: requests are answered in the order they come."""

    def __init__(self) -> None:
        self.received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            lines = self.received[:end].decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
            total = end + 4 + int(headers.get("content-length", 0))
            if len(self.received) < total:
                return
            body = bytes(self.received[end + 4 : total])
            del self.received[:total]
            method, target, _version = lines[0].split(" ")
            status, content_type, content = answer(method, target.partition("?")[0], body)
            head = (
                f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(content)}\r\n\r\n"
            )
            self.transport.write(head.encode() + content)
            if headers.get("connection") == "close":
                self.transport.close()


async def serve(port: int, until_input_closes: bool) -> None:
    """Serve until the process is ended, or until standard input is closed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Shop, "127.0.0.1", port, backlog=1024)
    host, bound_port = server.sockets[0].getsockname()
    print(f"http://{host}:{bound_port}", flush=True)
    if not until_input_closes:
        await server.serve_forever()
    await loop.run_in_executor(None, sys.stdin.buffer.read)


def main() -> None:
    parser = argparse.ArgumentParser(description="A small shop on 127.0.0.1 to try a locustfile on.")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--until-input-closes", action="store_true", help="end at the end of standard input")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(options.port, options.until_input_closes))


if __name__ == "__main__":
    main()
