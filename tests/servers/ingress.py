"""nginx in front of a web page, as an ingress: below a prefix, with or without TLS."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from servers.certificates import Certificates
from servers.real import _binary, _directory, _running, _sockets

CONFIG = """\
daemon off;
{user}
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    ssl_certificate {dir}/good.pem;
    ssl_certificate_key {dir}/good.key;
    server {{
        listen 127.0.0.1:{ports[0]};
        location /team/one/ {{
            proxy_pass http://127.0.0.1:{plain}/;
            proxy_set_header X-Forwarded-Prefix /team/one;
        }}
        location /named/ {{
            proxy_pass http://127.0.0.1:{plain}/;
            proxy_set_header Host $http_host;
        }}
        location /locust {{ proxy_pass http://127.0.0.1:{based}; }}
    }}
    server {{
        listen 127.0.0.1:{ports[1]} ssl;
        location / {{
            proxy_pass http://127.0.0.1:{plain};
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-For $remote_addr;
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Ingress:
    """Where the page is to be seen from outside."""

    port: int
    tls_port: int


@contextlib.contextmanager
def ingress(certificates: Certificates, plain: int, based: int) -> Iterator[Ingress]:
    """Runs nginx before a page on the port `plain`, and one on the port `based` with the base path /locust.

    `/team/one/` and `/named/` are prefixes that it strips; the second passes the browser's Host on.
    What comes over TLS goes to the first page, with X-Forwarded-* as ingresses write them.
    """
    with _directory() as directory, contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(sock) for sock in _sockets(2)]
        ports = [sock.getsockname()[1] for sock in sockets]
        for source in (certificates.chain("good"), certificates.key("good")):
            shutil.copy(source, directory / source.name)
        user = "user root;" if os.geteuid() == 0 else ""
        config = directory / "nginx.conf"
        config.write_text(CONFIG.format(dir=directory, ports=ports, user=user, plain=plain, based=based))
        command = [_binary("nginx"), "-c", str(config), "-p", str(directory), "-e", "stderr"]
        with _running(command, ports, directory / "error.log", sockets):
            yield Ingress(*ports)
