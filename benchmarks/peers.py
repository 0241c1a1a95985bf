"""The libraries of `benchmarks.turns` and the servers that they talk to: gRPC, WebSocket, PostgreSQL.

`python -m benchmarks.peers EXTRAS` is a process that serves gRPC and WebSocket on ports of the kernel and
prints them. PostgreSQL is Debian's, with a throwaway database cluster and a Unix-domain socket.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.clients import ROOT, ClientError, cached_directory
from benchmarks.server import ServerError

PACKAGES = ("boto3", "grpcio", "psycopg2-binary", "psycogreen", "websocket-client", "websockets")
METHOD = "/bench.Echo/Echo"
POSTGRES_USER = "nobody"  # PostgreSQL does not run as root
START_TIMEOUT_S = 30


@dataclass(frozen=True)
class Peers:
    """Where the servers are, and the folder of the libraries."""

    extras: Path
    grpc_port: int
    websocket_port: int
    postgres: str | None

    def environment(self) -> dict[str, str]:
        """What the locustfile reads."""
        return {
            "BENCH_EXTRAS": str(self.extras),
            "BENCH_GRPC": f"127.0.0.1:{self.grpc_port}",
            "BENCH_WEBSOCKET": f"ws://127.0.0.1:{self.websocket_port}",
            "BENCH_POSTGRES": self.postgres or "",
        }


def extras(python: str) -> Path:
    """The folder that holds the libraries, for this Python; installed there on first use."""
    asked = subprocess.run(
        [python, "-c", "import sys; print(sys.implementation.cache_tag)"], capture_output=True, text=True
    )
    directory = cached_directory(f"libraries-{asked.stdout.strip()}")
    if not (directory / "complete").exists():
        print(f"installing {', '.join(PACKAGES)} into {directory} (once)", file=sys.stderr)
        command = [python, "-m", "pip", "install", "-q", "--upgrade", "--target", str(directory), *PACKAGES]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ClientError(f"pip could not install the libraries: {done.stderr[-1000:]}")
        (directory / "complete").touch()
    return directory


@contextlib.contextmanager
def running_peers(python: str, core: int) -> Iterator[Peers]:
    """Starts all servers on one core; without PostgreSQL's programs `postgres` is None.

    Raises ServerError when one does not start.
    """
    libraries = extras(python)
    command = ["taskset", "-c", str(core), python, "-m", "benchmarks.peers", str(libraries)]
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        stack.callback(process.kill)
        assert process.stdout is not None
        ports = process.stdout.readline().split()
        if len(ports) != 2:
            raise ServerError("the gRPC and WebSocket servers did not start")
        database = stack.enter_context(_postgres(core)) if postgres_programs() else None
        yield Peers(libraries, int(ports[0]), int(ports[1]), database)


def postgres_programs() -> Path | None:
    """The folder of PostgreSQL's programs as Debian installs them, the newest; None if there is none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: path.parts[-3])
    return folders[-1].parent if folders else None


@contextlib.contextmanager
def _postgres(core: int) -> Iterator[str]:
    """A PostgreSQL server with an empty cluster; yields the connection string."""
    programs = postgres_programs()
    assert programs is not None
    user = POSTGRES_USER if os.geteuid() == 0 else None
    directory = Path(tempfile.mkdtemp(prefix="locust-c-postgres-", dir="/tmp"))
    try:
        if user is not None:
            shutil.chown(directory, user)
        data = directory / "data"
        made = [str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "bench", "--no-sync"]
        run: dict[str, Any] = {"user": user, "cwd": directory, "capture_output": True, "text": True}
        done = subprocess.run(made, check=False, **run)
        if done.returncode != 0:
            raise ServerError(f"initdb failed: {done.stderr[-500:]}")
        control = ["taskset", "-c", str(core), str(programs / "pg_ctl"), "-D", str(data), "-w", "-s"]
        log = str(directory / "log")
        started = [*control, "-l", log, "-o", f"-F -k {directory} -c listen_addresses=", "start"]
        run = {"user": user, "cwd": directory, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if subprocess.run(started, check=False, timeout=START_TIMEOUT_S, **run).returncode != 0:
            raise ServerError(f"PostgreSQL did not start: {Path(log).read_text()[-500:]}")
        try:
            yield f"host={directory} user=bench dbname=postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=False, **run)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def main() -> None:
    """Serves gRPC and WebSocket until its standard input is closed."""
    sys.path.append(sys.argv[1])
    from concurrent import futures

    import grpc  # type: ignore[import-not-found, import-untyped, unused-ignore]
    from websockets.exceptions import ConnectionClosed  # type: ignore[import-not-found, unused-ignore]
    from websockets.sync.server import (  # type: ignore[import-not-found, unused-ignore]
        ServerConnection,
        serve,
    )

    class Echo(grpc.GenericRpcHandler):  # type: ignore[misc, unused-ignore]
        def service(self, details: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(lambda request, context: request)

    def echo(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            for message in connection:
                connection.send(message)

    rpc = grpc.server(futures.ThreadPoolExecutor(2))
    rpc.add_generic_rpc_handlers((Echo(),))
    rpc_port = rpc.add_insecure_port("127.0.0.1:0")
    rpc.start()
    websocket = serve(echo, "127.0.0.1", 0)
    threading.Thread(target=websocket.serve_forever, daemon=True).start()
    print(rpc_port, websocket.socket.getsockname()[1], flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
