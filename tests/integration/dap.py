"""The few requests of the Debug Adapter Protocol that an editor makes to stop in a task and go on."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

PATIENCE_S = 20.0

Message = dict[str, Any]


class Debugger:
    """A client of a debug adapter on 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._file = self._socket.makefile("rwb")
        self._sent = 0
        self._kept: list[Message] = []

    def __enter__(self) -> Debugger:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def send(self, command: str, **arguments: Any) -> int:
        """Sends a request; its number."""
        self._sent += 1
        message = {"seq": self._sent, "type": "request", "command": command, "arguments": arguments}
        data = json.dumps(message).encode()
        self._file.write(b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
        self._file.flush()
        return self._sent

    def ask(self, command: str, **arguments: Any) -> Any:
        """Sends a request and waits for its answer."""
        number = self.send(command, **arguments)
        answer = self._wait(lambda message: message.get("request_seq") == number)
        assert answer["success"], answer
        return answer.get("body")

    def event(self, name: str) -> Any:
        """Waits for an event; what came with it."""
        return self._wait(lambda message: message.get("event") == name).get("body")

    def break_at(self, path: str, *lines: int) -> None:
        """Replaces the break points of a file."""
        points = [{"line": line} for line in lines]
        made = self.ask("setBreakpoints", source={"path": path}, breakpoints=points)
        assert all(point["verified"] for point in made["breakpoints"])

    def stopped(self) -> tuple[int, list[Message]]:
        """Waits until the program stops; its thread and frames, innermost first."""
        thread = self.event("stopped")["threadId"]
        return thread, self.ask("stackTrace", threadId=thread)["stackFrames"]

    def _wait(self, wanted: Callable[[Message], bool]) -> Message:
        for message in self._kept:
            if wanted(message):
                self._kept.remove(message)
                return message
        while not wanted(message := self._read()):
            self._kept.append(message)
        return message

    def _read(self) -> Message:
        length = 0
        while line := self._file.readline().strip():
            length = int(line.partition(b":")[2])
        assert length, "the debug adapter is gone"
        message: Message = json.loads(self._file.read(length))
        return message
