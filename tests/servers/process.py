"""The server process: `python -m servers.process LISTENER_FD CERTIFICATES_DIR`.

Runs the scripted and the echo servers away from the tests' event loop. Each control connection brings one
command as a line of JSON and takes one answer. The process ends when its standard input does: with the test
run, however that ends.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from servers.certificates import Certificates
from servers.echo import EchoServer
from servers.scripted import ScriptedServer


class Commands:
    """What the control connection can ask for; every method is one command."""

    def __init__(self, certificates: Certificates) -> None:
        self.certificates = certificates
        self.servers: dict[int, ScriptedServer] = {}
        self.plain = EchoServer()
        self.secure = EchoServer(certificates)

    def echo(self) -> dict[str, int]:
        return {"port": self.plain.port, "tls_port": self.secure.port}

    def open(
        self, scripts: list[list[list[object]]], tls: str | None, address: str, options: dict[str, object]
    ) -> int:
        server = ScriptedServer(scripts, tls, self.certificates, address, options)
        self.servers[server.port] = server
        return server.port

    def close(self, port: int) -> None:
        self.servers.pop(port).close()

    def wait(self, port: int, what: str, count: int, seconds: float) -> bool:
        return self.servers[port].wait(what, count, seconds)

    def release(self, port: int, name: str) -> None:
        self.servers[port].release(name)

    def report(self, port: int) -> list[dict[str, object]]:
        return self.servers[port].report()


def obey(commands: Commands, control: socket.socket) -> None:
    """Does the one command of a control connection."""
    with control, control.makefile("rw") as stream:
        command = json.loads(stream.readline())
        action: Callable[..., object] = getattr(commands, command.pop("command"))
        try:
            answer = {"answer": action(**command)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        stream.write(json.dumps(answer) + "\n")


def end_with_input() -> None:
    """Ends the process when nobody holds the other end of its standard input any more."""
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    threading.Thread(target=end_with_input, daemon=True).start()
    commands = Commands(Certificates(Path(sys.argv[2])))
    listener = socket.socket(fileno=int(sys.argv[1]))
    # Under gevent's patches the tests' side made it non-blocking, for every process that shares it.
    listener.setblocking(True)
    while True:
        control, _ = listener.accept()
        threading.Thread(target=obey, args=(commands, control), daemon=True).start()


if __name__ == "__main__":
    main()
