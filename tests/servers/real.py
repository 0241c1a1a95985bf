"""Servers and proxies installed from packages, run as an ordinary configuration in a directory of the test.

nginx and Node inherit sockets that listen; the others are told ports that the kernel chose a moment before.
Started by root, Apache and squid become another user, who cannot enter directories of root's: all may enter
theirs.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from servers.certificates import Certificates

START_TIMEOUT_S = 10.0
LARGE = bytes(range(256)) * 8192
CERTIFICATE, KEY, AUTHORITY = "good.pem", "good.key", "ca.pem"

NGINX = """\
daemon off;
{user}
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    types {{ text/plain txt; text/html html; }}
    client_max_body_size 100m;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    ssl_certificate {dir}/good.pem;
    ssl_certificate_key {dir}/good.key;
    ssl_client_certificate {dir}/ca.pem;
    ssl_verify_client optional;
    add_header X-Port $remote_port always;
    server {{
        listen 127.0.0.1:{ports[0]};
        listen 127.0.0.1:{ports[1]} ssl{http2};
        root {dir};
        location = /packed.txt {{ gzip on; gzip_types text/plain; }}
        location = /chunked.html {{ ssi on; }}
        location = /upload {{ proxy_pass http://127.0.0.1:{ports[0]}/uploaded; }}
        location = /uploaded {{ return 200 $content_length; }}
        location = /redirect {{ return 302 /plain.txt; }}
        location = /login {{
            add_header Set-Cookie "a=1; Path=/";
            add_header Set-Cookie "b=2; Path=/; HttpOnly";
            return 200 welcome;
        }}
        location = /cookies {{ return 200 $http_cookie; }}
        location = /client {{ return 200 $ssl_client_verify; }}
    }}
    server {{
        listen 127.0.0.1:{ports[2]}{http2};
        root {dir};
        keepalive_requests 3;
        keepalive_timeout 30ms;
    }}
}}
"""

APACHE_MODULES = (
    *("mpm_event", "authz_core", "mime", "dir", "headers", "deflate", "filter", "include", "reflector"),
    *("alias", "setenvif", "ssl", "rewrite"),
)
APACHE = """\
ServerName localhost
ServerRoot {dir}
DocumentRoot {dir}
PidFile {dir}/apache.pid
Mutex file:{dir}
ErrorLog {dir}/error.log
TypesConfig /dev/null
User {user}
Group {group}
StartServers 1
ThreadsPerChild 25
{modules}
Listen 127.0.0.1:{ports[0]}
Listen 127.0.0.1:{ports[1]}
Listen 127.0.0.1:{ports[2]}
KeepAlive On
AddType text/plain .txt
AddType text/html .html
Header always set X-Port "expr=%{{REMOTE_PORT}}"
<Directory {dir}>
    Require all granted
    Options +Includes
</Directory>
<Location /packed.txt>
    SetOutputFilter DEFLATE
</Location>
<Location /chunked.html>
    SetOutputFilter INCLUDES
</Location>
<Location /upload>
    SetHandler reflector
    ReflectorHeader X-Sent
</Location>
Redirect 302 /redirect /plain.txt
Alias /login {dir}/plain.txt
Alias /cookies {dir}/plain.txt
Alias /client {dir}/plain.txt
<Location /login>
    Header add Set-Cookie "a=1; Path=/"
    Header add Set-Cookie "b=2; Path=/; HttpOnly"
</Location>
<Location /cookies>
    Header set X-Cookies "expr=%{{HTTP_COOKIE}}"
</Location>
<VirtualHost 127.0.0.1:{ports[1]}>
    SSLEngine on
    SSLCertificateFile {dir}/good.pem
    SSLCertificateKeyFile {dir}/good.key
    SSLCACertificateFile {dir}/ca.pem
    SSLVerifyClient optional
    <Location /client>
        Header set X-Client "%{{SSL_CLIENT_VERIFY}}s"
    </Location>
</VirtualHost>
<VirtualHost 127.0.0.1:{ports[2]}>
    MaxKeepAliveRequests 2
    KeepAliveTimeout 30ms
</VirtualHost>
"""

SQUID = """\
http_port 127.0.0.1:{ports[0]} name=open
http_port 127.0.0.1:{ports[1]} name=locked
pid_filename {dir}/squid.pid
access_log none
cache_log {dir}/cache.log
cache deny all
cache_mem 1 MB
coredump_dir {dir}
netdb_filename none
pinger_enable off
# With the limit of a container it would take seconds to set up a table for a million.
max_filedescriptors 1024
shutdown_lifetime 0 seconds
visible_hostname localhost
auth_param basic program {helpers}/basic_ncsa_auth {dir}/passwords
auth_param basic children 1 startup=1
acl locked myportname locked
acl known proxy_auth REQUIRED
acl blocked dstdomain blocked.test
http_access deny blocked
http_access deny locked !known
http_access allow all
"""
PROXY_USER, PROXY_PASSWORD = "proxy user", "p@ss:word"


class StartError(RuntimeError):
    """A server did not start; the text has its log."""


@dataclass(frozen=True)
class RealServer:
    """A web server: plain, TLS, and plain with connections that take 3 requests and 30 ms of idleness."""

    name: str
    ports: Sequence[int]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def tls_url(self) -> str:
        return f"https://localhost:{self.ports[1]}"

    @property
    def brief_url(self) -> str:
        return f"http://127.0.0.1:{self.ports[2]}"


def _sockets(count: int) -> list[socket.socket]:
    return [socket.create_server(("127.0.0.1", 0), backlog=128) for _ in range(count)]


@contextlib.contextmanager
def _directory(owner: str | None = None) -> Iterator[Path]:
    """A directory that other users may enter, and that belongs to one of them if there is a choice."""
    directory = Path(tempfile.mkdtemp(prefix="real-server-"))
    directory.chmod(0o755)
    if owner is not None and os.geteuid() == 0:
        shutil.chown(directory, owner)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def _write_files(directory: Path, certificates: Certificates) -> None:
    (directory / "plain.txt").write_text("a plain text\n")
    (directory / "packed.txt").write_text("compressible text, again and again\n" * 200)
    (directory / "chunked.html").write_text('one <!--#set var="A" value="two" --><!--#echo var="A" -->')
    (directory / "large.bin").write_bytes(LARGE)
    for source in (certificates.chain("good"), certificates.key("good"), certificates.ca):
        shutil.copy(source, directory / source.name)
        (directory / source.name).chmod(0o644)


@contextlib.contextmanager
def _running(
    command: Sequence[str],
    ports: Sequence[int],
    log: Path,
    inherited: Sequence[socket.socket] = (),
    end: signal.Signals = signal.SIGTERM,
) -> Iterator[None]:
    """Runs the command until the block ends, beginning when all ports accept connections."""
    environment = {**os.environ, "NGINX": "".join(f"{sock.fileno()};" for sock in inherited)}
    with (log.parent / "output.log").open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            pass_fds=[sock.fileno() for sock in inherited],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        for port in ports:
            _wait_for(process, port, [log, log.parent / "output.log"])
        yield
    finally:
        process.send_signal(end)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int, logs: Sequence[Path]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            said = "\n".join(log.read_text() for log in logs if log.exists())
            raise StartError(f"{process.args!r} does not listen on {port}: {said}")
        time.sleep(0.01)


@contextlib.contextmanager
def nginx(certificates: Certificates, http2: bool = False) -> Iterator[RealServer]:
    """`http2`: over TLS, and on the brief port with prior knowledge; what is plain stays HTTP/1.1."""
    with _directory() as directory, contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(sock) for sock in _sockets(3)]
        ports = [sock.getsockname()[1] for sock in sockets]
        _write_files(directory, certificates)
        user = "user root;" if os.geteuid() == 0 else ""
        config = directory / "nginx.conf"
        config.write_text(
            NGINX.format(dir=directory, ports=ports, user=user, http2=" http2" if http2 else "")
        )
        command = [_binary("nginx"), "-c", str(config), "-p", str(directory), "-e", "stderr"]
        with _running(command, ports, directory / "error.log", sockets):
            yield RealServer("nginx", ports)


@contextlib.contextmanager
def apache(certificates: Certificates) -> Iterator[RealServer]:
    with _directory() as directory:
        ports = _free_ports(3)
        _write_files(directory, certificates)
        modules = "\n".join(
            f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in APACHE_MODULES
        )
        config = directory / "apache.conf"
        config.write_text(
            APACHE.format(dir=directory, ports=ports, modules=modules, user="www-data", group="www-data")
        )
        command = [_binary("apache2"), "-f", str(config), "-D", "FOREGROUND"]
        with _running(command, ports, directory / "error.log"):
            yield RealServer("apache", ports)


@contextlib.contextmanager
def node(certificates: Certificates) -> Iterator[RealServer]:
    with _directory() as directory, contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(sock) for sock in _sockets(3)]
        ports = [sock.getsockname()[1] for sock in sockets]
        _write_files(directory, certificates)
        script = Path(__file__).with_name("node_server.js")
        command = [_binary("node"), str(script), str(directory), CERTIFICATE, KEY, AUTHORITY]
        command += [str(sock.fileno()) for sock in sockets]
        with _running(command, ports, directory / "error.log", sockets):
            yield RealServer("node", ports)


WEB_SERVERS: dict[str, Callable[[Certificates], contextlib.AbstractContextManager[RealServer]]] = {
    "nginx": nginx,
    "apache": apache,
    "node": node,
}


@contextlib.contextmanager
def nghttpd(certificates: Certificates) -> Iterator[RealServer]:
    """An HTTP/2 server: with prior knowledge, over TLS; what is uploaded comes back."""
    with _directory() as directory, contextlib.ExitStack() as stack:
        ports = _free_ports(2)
        _write_files(directory, certificates)
        base = [_binary("nghttpd"), "-a", "127.0.0.1", "-d", str(directory), "--echo-upload"]
        plain = [*base, "--no-tls", str(ports[0])]
        tls = [*base, str(ports[1]), str(directory / KEY), str(directory / CERTIFICATE)]
        for command, port in ((plain, ports[0]), (tls, ports[1])):
            stack.enter_context(_running(command, [port], directory / "error.log"))
        yield RealServer("nghttpd", ports)


@contextlib.contextmanager
def squid() -> Iterator[tuple[str, str]]:
    """An HTTP proxy; host:port of one that is open, and of one that wants PROXY_USER and PROXY_PASSWORD."""
    with _directory(owner="proxy") as directory:
        ports = _free_ports(2)
        hashed = subprocess.check_output(["openssl", "passwd", "-apr1", PROXY_PASSWORD], text=True)
        (directory / "passwords").write_text(f"{PROXY_USER}:{hashed}")
        config = directory / "squid.conf"
        config.write_text(SQUID.format(dir=directory, ports=ports, helpers="/usr/lib/squid"))
        command = [_binary("squid"), "-N", "-f", str(config)]
        # Asked politely, it takes two seconds.
        with _running(command, ports, directory / "cache.log", end=signal.SIGKILL):
            yield f"127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}"


@contextlib.contextmanager
def microsocks() -> Iterator[tuple[str, str]]:
    """A SOCKS5 proxy; host:port of one that is open, and of one that wants PROXY_USER and PROXY_PASSWORD."""
    with _directory() as directory, contextlib.ExitStack() as stack:
        ports = _free_ports(2)
        base = [_binary("microsocks"), "-i", "127.0.0.1", "-p"]
        for command, port in (
            ([*base, str(ports[0])], ports[0]),
            ([*base, str(ports[1]), "-u", PROXY_USER, "-P", PROXY_PASSWORD], ports[1]),
        ):
            stack.enter_context(_running(command, [port], directory / "no.log"))
        yield f"127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}"


def _free_ports(count: int) -> list[int]:
    sockets = _sockets(count)
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


def _binary(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise StartError(f"{name} is not installed: .ci/setup --for-tests does that")
    return found
