"""The tests' side of the server process: start it, open scripted servers in it, see what they saw.

Every call makes a control connection of its own through `socket`, as that is at the moment of the call: under
gevent's patches the calling greenlet waits and the others run, without them the thread waits.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from servers.certificates import Certificates
from servers.steps import Step

TESTS = Path(__file__).resolve().parent.parent
CONTROL_TIMEOUT_S = 40.0


class ServerProcessError(AssertionError):
    """A command failed in the server process, or what a test waited for did not happen."""


@dataclass(frozen=True)
class Seen:
    """One connection as the server saw it: all bytes, whole requests, how TLS went, how the script ended."""

    received: bytes
    requests: list[bytes]
    tls: dict[str, Any]
    end: str


class ServerProcess:
    """The process and its control connections; `stop` ends it."""

    def __init__(self, certificates: Certificates) -> None:
        self.certificates = certificates
        with contextlib.closing(socket.create_server(("127.0.0.1", 0), backlog=64)) as listener:
            self._port: int = listener.getsockname()[1]
            command = [
                sys.executable,
                "-m",
                "servers.process",
                str(listener.fileno()),
                str(certificates.directory),
            ]
            self._process = subprocess.Popen(
                command, cwd=TESTS, stdin=subprocess.PIPE, pass_fds=[listener.fileno()]
            )
        ports = self.ask("echo")
        self.echo = Echo(ports["port"], ports["tls_port"], certificates.ca)

    def ask(self, command: str, **arguments: object) -> Any:
        """Sends one command and returns its answer; raises ServerProcessError with what went wrong."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=CONTROL_TIMEOUT_S) as control:
            control.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
            received = b""
            while not received.endswith(b"\n"):
                data = control.recv(65536)
                if not data:
                    raise ServerProcessError(f"the server process ended during {command!r}")
                received += data
        answer = json.loads(received)
        if "error" in answer:
            raise ServerProcessError(answer["error"])
        return answer["answer"]

    def stop(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass(frozen=True)
class Echo:
    """Where the echo server is; see servers.echo for its paths."""

    port: int
    tls_port: int
    ca: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"https://localhost:{self.tls_port}"


class Scripted:
    """A scripted server: connection n follows `scripts[n]`, later ones the last script.

    `tls` is a kind of certificate of servers.certificates; `options` as in servers.scripted.
    """

    def __init__(
        self,
        process: ServerProcess,
        *scripts: list[Step],
        tls: str | None = None,
        address: str = "127.0.0.1",
        **options: object,
    ) -> None:
        self._process = process
        self.tls = tls
        self.address = address
        self.port: int = process.ask("open", scripts=scripts, tls=tls, address=address, options=options)

    @property
    def url(self) -> str:
        """The base URL; over TLS with the name that the good certificate is for."""
        if self.tls:
            return f"https://localhost:{self.port}"
        return f"http://{f'[{self.address}]' if ':' in self.address else self.address}:{self.port}"

    def wait_for(self, what: str, count: int = 1, seconds: float = 5.0) -> None:
        """Waits until there were `count` "connections", "requests", "ended" scripts or "stalled" ones.

        Raises ServerProcessError, with what was seen instead, after `seconds`.
        """
        if not self._process.ask("wait", port=self.port, what=what, count=count, seconds=seconds):
            raise ServerProcessError(f"no {count} {what} within {seconds} s, but {self.connections()}")

    def release(self, name: str) -> None:
        """Lets the stalls of this name go on."""
        self._process.ask("release", port=self.port, name=name)

    def connections(self) -> list[Seen]:
        """What every connection brought so far, in the order they were accepted."""
        return [
            Seen(
                base64.b64decode(seen["received"]),
                [base64.b64decode(raw) for raw in seen["requests"]],
                seen["tls"],
                seen["end"],
            )
            for seen in self._process.ask("report", port=self.port)
        ]

    def requests(self) -> list[bytes]:
        """The raw bytes of every request so far, connection by connection."""
        return [raw for seen in self.connections() for raw in seen.requests]

    def close(self) -> None:
        """Closes the server and its connections."""
        self._process.ask("close", port=self.port)


class OpenScripted(Protocol):
    """Opens a :class:`Scripted`, which is closed at the end of the test."""

    def __call__(
        self, *scripts: list[Step], tls: str | None = None, address: str = "127.0.0.1", **options: object
    ) -> Scripted: ...
