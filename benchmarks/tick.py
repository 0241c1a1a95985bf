"""The server that answers after an exact time (tick_server.c), compiled, pinned to its core and torn down."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.server import ServerError

SOURCE = Path(__file__).resolve().parent / "tick_server.c"


@dataclass
class TickServer:
    """The running server; after its end it says how late its own answers were, in words too."""

    port: int
    lateness: str = ""
    late_p50_ms: float = 0.0
    late_p99_ms: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def tick_server(core: int, delay_ms: float) -> Iterator[TickServer]:
    """Compiles the server, runs it on its core, and ends it; raises ServerError when that is not possible."""
    with tempfile.TemporaryDirectory(prefix="locust-c-tick-") as directory:
        binary = Path(directory) / "tick_server"
        try:
            subprocess.run(["cc", "-O2", "-o", binary, SOURCE], check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise ServerError(f"tick_server.c does not compile: {error}") from error
        command = ["taskset", "-c", str(core), str(binary), str(round(delay_ms * 1000))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            server = TickServer(int(process.stdout.readline()))
            try:
                yield server
            finally:
                process.send_signal(signal.SIGTERM)
                count, median, p99, most = (int(word) for word in process.stdout.readline().split())
                server.late_p50_ms, server.late_p99_ms = median / 1000, p99 / 1000
                server.lateness = (
                    f"{count:,} answers, late by p50 {median} µs, p99 {p99} µs, at most {most} µs"
                )
