"""The misbehaving server: every connection follows a script, and all that was seen is kept.

Runs in the server process, one plain thread per connection. Nothing here waits longer than LIMIT_S.
"""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field

from servers.certificates import Certificates
from servers.wire import ClientClosed, Reader, Request, read_body, read_head

LIMIT_S = 30.0


@dataclass
class Seen:
    """What one connection brought; `end` is empty while its script runs, then how it ended."""

    received: bytearray = field(default_factory=bytearray)
    requests: list[Request] = field(default_factory=list)
    tls: dict[str, object] = field(default_factory=dict)
    end: str = ""

    def as_json(self) -> dict[str, object]:
        return {
            "received": _text(self.received),
            "requests": [_text(request.raw) for request in self.requests],
            "tls": self.tls,
            "end": self.end,
        }


class ScriptedServer:
    """Listens on `address`; connection n follows script n, later ones the last script.

    `tls` names a certificate of servers.certificates; `options` may hold "client_ca" (true: a client
    certificate is required), "alpn" (list), "min_version" and "max_version" ("1.2" or "1.3"), "ciphers" (of
    TLS 1.2), and "accept" (false: connections are never accepted and, as the queue is full, never made).
    """

    def __init__(
        self,
        scripts: list[list[list[object]]],
        tls: str | None,
        certificates: Certificates,
        address: str,
        options: dict[str, object],
    ) -> None:
        self.scripts = scripts
        self.tls = tls
        self.certificates = certificates
        self.options = options
        self.changed = threading.Condition()
        self.seen: list[Seen] = []
        self.stalled: list[str] = []
        self.released: set[str] = set()
        self.closed = False
        self._sockets: list[socket.socket] = []
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        accepts = options.get("accept", True)
        self.listener = socket.create_server((address, 0), family=family, backlog=128 if accepts else 0)
        self.port: int = self.listener.getsockname()[1]
        if accepts:
            threading.Thread(target=self._accept, daemon=True).start()
        else:
            self._fill_queue()

    def close(self) -> None:
        """Closes the listener and every connection; the threads end by that."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()
        with contextlib.suppress(OSError):
            # close() alone does not wake a thread that is in accept().
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for sock in list(self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def wait(self, what: str, count: int, seconds: float) -> bool:
        """Waits until there were `count` "connections", "requests", "ended" scripts or "stalled" ones."""
        with self.changed:
            return self.changed.wait_for(lambda: self._count(what) >= count, min(seconds, LIMIT_S))

    def release(self, name: str) -> None:
        """Lets all stalls of this name go on, now and later."""
        with self.changed:
            self.released.add(name)
            self.changed.notify_all()

    def report(self) -> list[dict[str, object]]:
        """What every connection brought so far."""
        with self.changed:
            return [seen.as_json() for seen in self.seen]

    def note(self, seen: Seen, request: Request) -> None:
        """Records a request whose head has been read."""
        with self.changed:
            seen.requests.append(request)
            self.changed.notify_all()

    def stall(self, name: str) -> None:
        """Waits for `release(name)`; raises TimeoutError after LIMIT_S."""
        with self.changed:
            self.stalled.append(name)
            self.changed.notify_all()
            if not self.changed.wait_for(lambda: name in self.released or self.closed, LIMIT_S):
                raise TimeoutError(f"stall {name!r} was never released")

    def context(self, kind: str) -> ssl.SSLContext:
        """The server's TLS settings with a certificate of this kind."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates.chain(kind), self.certificates.key(kind))
        if self.options.get("client_ca"):
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.certificates.ca)
        versions = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
        context.minimum_version = versions[str(self.options.get("min_version", "1.2"))]
        context.maximum_version = versions[str(self.options.get("max_version", "1.3"))]
        if "ciphers" in self.options:
            context.set_ciphers(str(self.options["ciphers"]))
        alpn = self.options.get("alpn")
        if isinstance(alpn, list):
            context.set_alpn_protocols(alpn)
        return context

    def _count(self, what: str) -> int:
        if what == "connections":
            return len(self.seen)
        if what == "requests":
            return sum(len(seen.requests) for seen in self.seen)
        if what == "ended":
            return sum(bool(seen.end) for seen in self.seen)
        if what == "stalled":
            return len(self.stalled)
        raise ValueError(f"nothing to wait for is called {what!r}")

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.settimeout(LIMIT_S)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.changed:
                number = len(self.seen)
                seen = Seen()
                self.seen.append(seen)
                self._sockets.append(sock)
                self.changed.notify_all()
            script = self.scripts[min(number, len(self.scripts) - 1)] if self.scripts else []
            threading.Thread(target=self._serve, args=(sock, seen, script), daemon=True).start()

    def _serve(self, sock: socket.socket, seen: Seen, script: list[list[object]]) -> None:
        try:
            end = Connection(self, sock, seen).follow(script)
        except ClientClosed:
            end = "client closed"
        except (OSError, ValueError) as error:
            end = f"{type(error).__name__}: {error}"
        finally:
            sock.close()
        with self.changed:
            seen.end = end
            self.changed.notify_all()

    def _fill_queue(self) -> None:
        """Takes the places in the accept queue, so that a further connect gets no answer."""
        for _ in range(4):
            filler = socket.socket(self.listener.family)
            filler.setblocking(False)
            filler.connect_ex(self.listener.getsockname()[:2])
            self._sockets.append(filler)


class Connection:
    """One connection and its script; `follow` returns how it ended."""

    def __init__(self, server: ScriptedServer, sock: socket.socket, seen: Seen) -> None:
        self.server = server
        self.sock = sock
        self.seen = seen
        self.reader = Reader(sock, received=seen.received)
        self.open = True

    def follow(self, script: list[list[object]]) -> str:
        """Does all steps; raises ClientClosed, OSError or ValueError where one cannot be done."""
        if self.server.tls:
            self.do_start_tls(self.server.tls)
        self._run(script)
        if self.open:
            self.do_close()
        return "done"

    def do_request(self) -> None:
        request = read_head(self.reader)
        read_body(self.reader, request)
        self.server.note(self.seen, request)

    def do_head(self) -> None:
        self.server.note(self.seen, read_head(self.reader))

    def do_body(self) -> None:
        read_body(self.reader, self.seen.requests[-1])

    def do_bytes(self, count: int) -> None:
        self.reader.take(count)

    def do_until(self, marks: list[str]) -> None:
        searched = [base64.b64decode(mark) for mark in marks]
        while True:
            ends = [at + len(mark) for mark in searched if (at := self.reader.pending.find(mark)) >= 0]
            if ends:
                self.reader.take(min(ends))
                return
            self.reader.fill()

    def do_send(self, data: str) -> None:
        self.sock.sendall(base64.b64decode(data))

    def do_drip(self, data: str, pause_ms: float) -> None:
        for byte in base64.b64decode(data):
            self.sock.sendall(bytes([byte]))
            time.sleep(pause_ms / 1000)

    def do_flood(self, data: str, megabytes: int) -> None:
        piece = base64.b64decode(data)
        piece *= max(1, 65536 // len(piece))
        for _ in range((megabytes << 20) // len(piece)):
            self.sock.sendall(piece)

    def do_pause(self, pause_ms: float) -> None:
        time.sleep(min(pause_ms / 1000, LIMIT_S))

    def do_stall(self, name: str) -> None:
        self.server.stall(name)

    def do_wait_eof(self) -> None:
        self.reader.until_end()

    def do_half_close(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    def do_close(self) -> None:
        self.open = False
        self.sock.close()

    def do_close_notify(self) -> None:
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock = self.sock.unwrap()
        self.do_close()

    def do_reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.do_close()

    def do_start_tls(self, kind: str) -> None:
        secure = self.server.context(kind).wrap_socket(self.sock, server_side=True)
        self.sock = self.reader.sock = secure
        self.seen.tls.update(version=secure.version(), resumed=secure.session_reused, cipher=secure.cipher())
        self.seen.tls.update(alpn=secure.selected_alpn_protocol(), client=bool(secure.getpeercert(True)))

    def do_tunnel(self, port: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as other:
            if self.reader.pending:
                other.sendall(self.reader.take(len(self.reader.pending)))
            ways = {self.sock: other, other: self.sock}
            while True:
                for source in select.select(list(ways), [], [], LIMIT_S)[0] or [self.sock]:
                    data = source.recv(65536)
                    if not data:
                        return
                    ways[source].sendall(data)

    def do_repeat(self, times: int, script: list[list[object]]) -> None:
        done = 0
        while self.open and (times == 0 or done < times):
            self._run(script)
            done += 1

    def _run(self, script: list[list[object]]) -> None:
        for name, *arguments in script:
            getattr(self, f"do_{name}")(*arguments)


def _text(data: bytes | bytearray) -> str:
    return base64.b64encode(data).decode()
