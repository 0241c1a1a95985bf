"""locust-c with its page, in a process of its own, for the browser to look at."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import requests
from command_process import Command, write
from page import wait_until


class Site:
    """One run of the command; ``url`` is its page. Ended by :meth:`end`, whatever state it is in."""

    def __init__(
        self, folder: Path, locustfile: str, *options: str, env: dict[str, str] | None = None, port: int = 0
    ) -> None:
        write(folder, locustfile)
        self.folder = folder
        self.process = Command("-P", str(port), "--web-host", "127.0.0.1", *options, folder=folder, env=env)
        self.url = self.process.address
        if not self.url.endswith("/"):
            self.url += "/"
        self.port = self.process.port

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Ask the server without the browser."""
        with requests.Session() as session:
            session.trust_env = False
            session.verify = False
            return session.request(method, self.url + path, timeout=30, **arguments)

    @property
    def figures(self) -> Any:
        """What ``/stats/requests`` answers."""
        return self.call("GET", "stats/requests").json()

    def start(self, users: int = 2, **form: str) -> None:
        """Start a test; it runs when this returns."""
        fields = {"user_count": str(users), "spawn_rate": "100", **form}
        answer = self.call("POST", "swarm", data=fields).json()
        assert answer["success"], answer
        wait_until(lambda: self.figures["state"] == "running", "the test runs")

    def stop(self) -> None:
        """Stop the test."""
        self.call("POST", "stop")

    def pause(self) -> None:
        """Stop the process in its tracks: it is there, but answers nothing."""
        self.process.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.process.send(signal.SIGCONT)

    def end(self) -> None:
        """End the process."""
        if self.process.process.poll() is None:
            self.process.send(signal.SIGKILL)
        self.process.process.wait()
