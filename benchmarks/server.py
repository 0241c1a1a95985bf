"""The nginx that everything is measured against: on ports of the kernel, pinned to one core, torn down.

One worker serves plain HTTP and TLS. Its own `stub_status` counter is what "finished requests" means in every
benchmark here, so a client cannot flatter itself.
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import os
import random
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

PLAIN_BODY = "a body of about fifty bytes, as the comparison has\n"
BEARER = "benchmark-token-0123456789abcdef"
COOKIES = {"session": "0123456789abcdef0123456789abcdef", "theme": "dark", "visits": "17"}
COOKIE_PAIRS = [f"{name}={value}" for name, value in COOKIES.items()]
COOKIE_HEADER = "; ".join(COOKIE_PAIRS)
ANSWER_BYTES = 4096
LARGE_BYTES = 2**20
START_TIMEOUT_S = 10.0

CONFIG = """\
daemon off;
{user}
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log warn;
worker_rlimit_nofile {files};
events {{ worker_connections {files}; }}
http {{
    access_log off;
    default_type text/plain;
    keepalive_requests 100000000;
    keepalive_timeout 3600s;
    tcp_nodelay on;
    ssl_certificate {dir}/cert.pem;
    ssl_certificate_key {dir}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    open_file_cache max=100;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        listen 127.0.0.1:{tls_port} ssl backlog=4096;
        listen 127.0.0.1:{http2_port} http2 backlog=4096;
        listen 127.0.0.1:{http2_tls_port} ssl http2 backlog=4096;
        root {dir}/www;
        location = / {{ return 200 "{body}"; }}
        location = /status {{ stub_status; }}
        location = /bucket/key {{ return 200 "{body}"; }}
        location = /large {{ sendfile on; sendfile_max_chunk 512k; }}
        location = /login {{
            {set_cookies}
            return 200 "welcome";
        }}
        location = /api {{
            if ($http_authorization != "Bearer {bearer}") {{ return 401; }}
            set $seen "$cookie_session|$cookie_theme|$cookie_visits";
            if ($seen != "{cookies}") {{ return 403; }}
            if ($request_method != POST) {{ return 405; }}
            error_page 418 =200 /answer.json;
            return 418;
        }}
        location = /answer.json {{
            internal;
            gzip_static always;
            default_type application/json;
        }}
    }}
}}
"""


class ServerError(RuntimeError):
    """The server could not be started or stopped answering; the text says why."""


@dataclass(frozen=True)
class Status:
    """One reading of `stub_status`: connections open now, requests since the start (this reading too)."""

    connections: int
    requests: int


def answer_document(size: int = ANSWER_BYTES) -> bytes:
    """A JSON object of exactly `size` bytes that looks like an API's answer."""
    digits = random.Random(1)
    items: list[dict[str, object]] = []
    document: dict[str, object] = {"ok": True, "items": items, "pad": ""}
    while len(json.dumps(document)) < size - 200:
        number = len(items)
        price = digits.randrange(10_000) / 100
        items.append(
            {
                "id": f"{digits.getrandbits(96):024x}",
                "name": f"item {number}",
                "price": price,
                "tags": ["new"],
            }
        )
    document["pad"] = "." * (size - len(json.dumps(document)))
    return json.dumps(document).encode()


def listening_socket() -> socket.socket:
    """A loopback socket on a port that the kernel chose; nginx inherits it, so that the port stays ours."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(4096)
    return listener


def raise_file_limit() -> int:
    """Raises this process's limit of open files (children inherit it) to the hard limit; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def write_certificate(directory: Path) -> None:
    """A throwaway elliptic-curve certificate for localhost and 127.0.0.1: cert.pem and key.pem."""
    options = "req -x509 -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=localhost"
    command = ["openssl", *options.split(), "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", str(directory / "key.pem"), "-out", str(directory / "cert.pem")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServerError(f"openssl could not make a certificate: {done.stderr.strip()}")


class Nginx:
    """A context manager around one nginx.

    `core` pins it to that CPU, where `niceness` lets others go first; `certificate` is a pair of PEM files
    (certificate chain, key) instead of a throwaway one. Inside, `url`, `tls_url`, `http2_url`,
    `http2_tls_url` and `ca_file` say how to reach it. Raises ServerError when it does not start.
    """

    def __init__(
        self,
        core: int | None = None,
        certificate: tuple[Path, Path] | None = None,
        niceness: int = 0,
    ) -> None:
        self.core = core
        self.niceness = niceness
        self.certificate = certificate
        self.port = 0
        self.tls_port = 0
        self.http2_port = 0
        self.http2_tls_port = 0
        self.answer_wire_bytes = 0
        self._dir: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._status: http.client.HTTPConnection | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"https://127.0.0.1:{self.tls_port}"

    @property
    def http2_url(self) -> str:
        return f"http://127.0.0.1:{self.http2_port}"

    @property
    def http2_tls_url(self) -> str:
        return f"https://127.0.0.1:{self.http2_tls_port}"

    @property
    def ca_file(self) -> Path:
        """The certificate to trust; with a throwaway certificate that is the certificate itself."""
        return self._directory() / "cert.pem"

    def __enter__(self) -> Self:
        binary = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        if binary is None:
            raise ServerError("nginx is not installed (Debian: apt install nginx-light)")
        self._dir = Path(tempfile.mkdtemp(prefix="locust-c-nginx-"))
        try:
            self._prepare()
            self._start(binary)
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def status(self) -> Status:
        """The server's own counters; the reading itself counts as one request."""
        if self._status is None:
            self._status = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            self._status.request("GET", "/status")
            text = self._status.getresponse().read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise ServerError(f"nginx does not answer: {error!r}; {self._error_log()}") from error
        lines = text.split("\n")
        return Status(connections=int(lines[0].split(":")[1]), requests=int(lines[2].split()[2]))

    def stop(self) -> None:
        """Ends nginx and removes its directory; safe to call at any time and more than once."""
        if self._status is not None:
            self._status.close()
            self._status = None
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._dir is not None:
            shutil.rmtree(self._dir, ignore_errors=True)
            self._dir = None

    def _directory(self) -> Path:
        if self._dir is None:
            raise ServerError("nginx is not running")
        return self._dir

    def _prepare(self) -> None:
        directory = self._directory()
        if self.certificate is None:
            write_certificate(directory)
        else:
            shutil.copy(self.certificate[0], directory / "cert.pem")
            shutil.copy(self.certificate[1], directory / "key.pem")
        (directory / "www").mkdir()
        packed = gzip.compress(answer_document(), 6)
        self.answer_wire_bytes = len(packed)
        (directory / "www" / "large").write_bytes(random.Random(2).randbytes(LARGE_BYTES))
        (directory / "www" / "answer.json.gz").write_bytes(packed)

    def _start(self, binary: str) -> None:
        directory = self._directory()
        with contextlib.ExitStack() as stack:
            listeners = [stack.enter_context(contextlib.closing(listening_socket())) for _ in range(4)]
            ports = [listener.getsockname()[1] for listener in listeners]
            self.port, self.tls_port, self.http2_port, self.http2_tls_port = ports
            config = CONFIG.format(
                # Started by root, nginx would drop to a user that cannot enter the temporary directory.
                user="user root;" if os.geteuid() == 0 else "",
                dir=directory,
                files=raise_file_limit(),
                port=self.port,
                tls_port=self.tls_port,
                http2_port=self.http2_port,
                http2_tls_port=self.http2_tls_port,
                body=PLAIN_BODY.replace("\n", "\\n"),
                bearer=BEARER,
                cookies="|".join(COOKIES.values()),
                set_cookies="".join(
                    f'add_header Set-Cookie "{name}={value}; Path=/";' for name, value in COOKIES.items()
                ),
            )
            (directory / "nginx.conf").write_text(config)
            command = [binary, "-c", str(directory / "nginx.conf"), "-p", str(directory), "-e", "stderr"]
            if self.core is not None:
                command = ["taskset", "-c", str(self.core), *command]
            if self.niceness:
                command = ["nice", "-n", str(self.niceness), *command]
            with (directory / "stderr.log").open("wb") as errors:
                self._process = subprocess.Popen(
                    command,
                    env={**os.environ, "NGINX": "".join(f"{one.fileno()};" for one in listeners)},
                    pass_fds=[one.fileno() for one in listeners],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                )

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise ServerError(f"nginx ended with code {self._process.returncode}; {self._error_log()}")
            # The inherited socket queues the request until the worker is up; one attempt usually waits.
            with contextlib.suppress(ServerError):
                self.status()
                return
            self._status = None
        raise ServerError(f"nginx was not ready within {START_TIMEOUT_S} s; {self._error_log()}")

    def _error_log(self) -> str:
        directory = self._directory()
        logs = [directory / "stderr.log", directory / "error.log"]
        return "\n".join(log.read_text() for log in logs if log.exists()).strip() or "its log is empty"


@contextlib.contextmanager
def checked_nginx(core: int | None, niceness: int = 0) -> Iterator[Nginx]:
    """An Nginx that has been seen to answer as the scenarios expect: plain, TLS, and gzip on the wire."""
    with Nginx(core, niceness=niceness) as server:
        check_answers(server)
        yield server


def check_answers(server: Nginx) -> None:
    """Raises ServerError unless `/`, TLS and `/api` answer as the scenarios need."""
    context = ssl.create_default_context(cafile=str(server.ca_file))
    connection: http.client.HTTPConnection
    for connection in (
        http.client.HTTPConnection("127.0.0.1", server.port, timeout=5),
        http.client.HTTPSConnection("127.0.0.1", server.tls_port, timeout=5, context=context),
    ):
        with contextlib.closing(connection):
            connection.request("GET", "/")
            if connection.getresponse().read() != PLAIN_BODY.encode():
                raise ServerError("nginx does not send the plain body")
            headers = {
                "Authorization": f"Bearer {BEARER}",
                "Cookie": COOKIE_HEADER,
                "Accept-Encoding": "gzip",
            }
            connection.request("POST", "/api", body=b'{"a": 1}', headers=headers)
            response = connection.getresponse()
            body = response.read()
            if response.status != 200 or response.headers["Content-Encoding"] != "gzip":
                raise ServerError(f"/api answers {response.status} {response.headers}")
            if gzip.decompress(body) != answer_document():
                raise ServerError("/api does not send the document")
            if response.headers["Connection"] == "close":
                raise ServerError("/api does not keep the connection")
