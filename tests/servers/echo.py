"""An honest HTTP/1.1 server that says in JSON what it was asked, byte for byte, and has a path per behaviour.

| path | answer |
|---|---|
| `/`, `/anything…` | 200, the request as JSON |
| `/status/N` | status N, the request as JSON where a body is allowed |
| `/redirect/N?status=302` | N redirects, then `/anything` |
| `/redirect-to?url=U&status=302` | a redirect to U, unescaped, in `Location` |
| `/cookies` | the request's cookies as JSON |
| `/cookies/set?a=1&b=2` | sets cookies (value and attributes as given), redirects to `/cookies` |
| `/gzip`, `/deflate`, `/raw-deflate`, `/br`, `/zstd` | the request as JSON in that coding |
| `/chunked?pieces=3`, `/read-to-close` | the request as JSON, framed that way |
| `/delay/MS` | the request as JSON, later |
| `/bytes/N` | N bytes |
| `/text?charset=C&type=T` | "Grüße, 世界" or as much of it as C can hold |
| `/headers?Name=value` | 200 with these headers |
| `/close` | the request as JSON, then the connection is closed |
| `/basic-auth/USER/PASSWORD` | 401 with a challenge until they are right |
"""

from __future__ import annotations

import base64
import gzip
import json
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

import brotli

from servers import steps
from servers.certificates import Certificates
from servers.wire import ClientClosed, Reader, Request, read_request

IDLE_LIMIT_S = 60.0
NO_BODY = (204, 304)
REASONS = {200: "OK", 201: "Created", 204: "No Content", 302: "Found", 304: "Not Modified", 404: "Not Found"}


@dataclass
class Answer:
    """What a path answers; `framing` is "length", "chunked" or "close"."""

    content: bytes = b""
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    framing: str = "length"
    pieces: int = 1
    keep: bool = True


class EchoServer:
    """The server on one port, with TLS when it has certificates; a thread per connection."""

    def __init__(self, certificates: Certificates | None = None) -> None:
        self.context: ssl.SSLContext | None = None
        if certificates is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificates.chain("good"), certificates.key("good"))
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            sock, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(IDLE_LIMIT_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self.context is not None:
                sock = self.context.wrap_socket(sock, server_side=True)
            reader = Reader(sock)
            while answer_one(sock, read_request(reader)):
                reader.received.clear()
        except (ClientClosed, OSError, ValueError):
            # A client may go away or send nonsense at any point; this server has nothing to add to that.
            return
        finally:
            sock.close()


def answer_one(sock: socket.socket, request: Request) -> bool:
    """Answers one request; returns whether the connection goes on."""
    if (request.header("Expect") or "").lower() == "100-continue":
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    answer = route(request)
    keep = (
        answer.keep and answer.framing != "close" and (request.header("Connection") or "").lower() != "close"
    )
    sock.sendall(encode(request, answer, keep))
    return keep


def encode(request: Request, answer: Answer, keep: bool) -> bytes:
    """The bytes of an answer to this request."""
    headers = list(answer.headers)
    content = answer.content
    if answer.status in NO_BODY:
        content = b""
    elif answer.framing == "chunked":
        headers.append(("Transfer-Encoding", "chunked"))
        size = max(1, -(-len(content) // answer.pieces))
        content = (
            steps.chunks([content[at : at + size] for at in range(0, len(content), size)])
            + steps.last_chunk()
        )
    elif answer.framing == "length":
        headers.append(("Content-Length", str(len(content))))
    if not keep:
        headers.append(("Connection", "close"))
    if request.method == "HEAD":
        content = b""
    return steps.head_bytes(answer.status, REASONS.get(answer.status, "Some Reason"), headers) + content


def described(request: Request) -> bytes:
    """The request as JSON; text in it is latin-1, so that every byte has its character."""
    url = urlsplit(request.target)
    description = {
        "method": request.method,
        "target": request.target,
        "path": url.path,
        "query": url.query,
        "version": request.version,
        "headers": request.headers,
        "body": request.body.decode("latin-1"),
        "raw": request.raw.decode("latin-1"),
    }
    return json.dumps(description).encode()


def route(request: Request) -> Answer:
    """The answer to a request, by its path."""
    url = urlsplit(request.target)
    parts = [unquote(part) for part in url.path.strip("/").split("/")]
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    handler = HANDLERS.get(parts[0])
    if handler is None:
        return _json(described(request), status=404)
    return handler(request, parts[1:], query)


def _json(content: bytes, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(content, status, [("Content-Type", "application/json"), *headers])


def _echo(request: Request, rest: list[str], query: dict[str, str]) -> Answer:
    return _json(described(request))


def _status(request: Request, rest: list[str], query: dict[str, str]) -> Answer:
    return _json(described(request), status=int(rest[0]))


def _redirect(request: Request, rest: list[str], query: dict[str, str]) -> Answer:
    left, status = int(rest[0]), query.get("status", "302")
    target = f"/redirect/{left - 1}?status={status}" if left > 1 else "/anything"
    return Answer(b"moved", int(status), [("Location", target)])


def _redirect_to(request: Request, rest: list[str], query: dict[str, str]) -> Answer:
    return Answer(b"moved", int(query.get("status", "302")), [("Location", query["url"])])


def _cookies(request: Request, rest: list[str], query: dict[str, str]) -> Answer:
    if rest == ["set"]:
        made = [("Set-Cookie", f"{name}={value}") for name, value in query.items()]
        return Answer(b"", 302, [*made, ("Location", "/cookies")])
    pairs = [
        pair.strip().split("=", 1) for pair in (request.header("Cookie") or "").split(";") if pair.strip()
    ]
    return _json(json.dumps(pairs).encode())


def _coded(request: Request, rest: list[str], query: dict[str, str]) -> Answer:
    name = urlsplit(request.target).path.strip("/")
    coder = {
        "gzip": gzip.compress,
        "deflate": steps.deflated,
        "raw-deflate": steps.raw_deflated,
        "br": brotli.compress,
        "zstd": steps.zstandard,
    }[name]
    return _json(coder(described(request)), headers=(("Content-Encoding", name.removeprefix("raw-")),))


def _chunked(request: Request, rest: list[str], query: dict[str, str]) -> Answer:
    answer = _json(described(request))
    answer.framing, answer.pieces = "chunked", int(query.get("pieces", "3"))
    return answer


def _read_to_close(request: Request, rest: list[str], query: dict[str, str]) -> Answer:
    answer = _json(described(request))
    answer.framing = "close"
    return answer


def _delay(request: Request, rest: list[str], query: dict[str, str]) -> Answer:
    time.sleep(min(float(rest[0]) / 1000, IDLE_LIMIT_S))
    return _json(described(request))


def _bytes(request: Request, rest: list[str], query: dict[str, str]) -> Answer:
    count = int(rest[0])
    pattern = bytes(range(256))
    content = (pattern * (count // 256 + 1))[:count]
    return Answer(content, headers=[("Content-Type", "application/octet-stream")])


def _text(request: Request, rest: list[str], query: dict[str, str]) -> Answer:
    charset, kind = query.get("charset", ""), query.get("type", "text/plain")
    content = "Grüße, 世界".encode(charset or "utf-8", "replace")
    return Answer(content, headers=[("Content-Type", f"{kind}; charset={charset}" if charset else kind)])


def _headers(request: Request, rest: list[str], query: dict[str, str]) -> Answer:
    return Answer(
        b"see the headers", headers=parse_qsl(urlsplit(request.target).query, keep_blank_values=True)
    )


def _close(request: Request, rest: list[str], query: dict[str, str]) -> Answer:
    answer = _json(described(request))
    answer.keep = False
    return answer


def _basic_auth(request: Request, rest: list[str], query: dict[str, str]) -> Answer:
    expected = "Basic " + base64.b64encode(":".join(rest).encode("latin-1")).decode()
    if request.header("Authorization") == expected:
        return _json(described(request))
    return _json(described(request), status=401, headers=(("WWW-Authenticate", 'Basic realm="echo"'),))


HANDLERS = {
    "": _echo,
    "anything": _echo,
    "status": _status,
    "redirect": _redirect,
    "redirect-to": _redirect_to,
    "cookies": _cookies,
    "gzip": _coded,
    "deflate": _coded,
    "raw-deflate": _coded,
    "br": _coded,
    "zstd": _coded,
    "chunked": _chunked,
    "read-to-close": _read_to_close,
    "delay": _delay,
    "bytes": _bytes,
    "text": _text,
    "headers": _headers,
    "close": _close,
    "basic-auth": _basic_auth,
}
