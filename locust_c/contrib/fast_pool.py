"""How the connections of a fast client are made: the arguments of geventhttpclient's connection pool."""

from __future__ import annotations

import base64
import dataclasses
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from locust_c.connections import ConnectionOptions

__all__ = ["PoolSettings", "insecure_ssl_context_factory"]


def insecure_ssl_context_factory(*args: Any, **kwargs: Any) -> ssl.SSLContext:
    """A context that checks no certificate, for `ssl_context_factory`; arguments do not matter."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@lru_cache(maxsize=8)
def _default_context(cafile: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=cafile)


@dataclass(frozen=True)
class PoolSettings:
    """Arguments of geventhttpclient's HTTPClientPool, with its defaults; time-outs are seconds.

    Raises TypeError or ValueError, naming the argument, for what the engine cannot do.
    """

    network_timeout: float = 5.0
    connection_timeout: float = 5.0
    concurrency: int = 1
    insecure: bool = False
    ssl_context_factory: Any = None
    ssl_options: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    proxy_host: str | None = None
    proxy_port: int | str | None = None
    proxy_user: str | None = None
    proxy_password: str | None = None
    version: str = "HTTP/1.1"
    block_size: int = 4096
    disable_ipv6: bool = False

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, not {self.concurrency!r}")
        if self.version not in ("HTTP/1.0", "HTTP/1.1"):
            raise ValueError(f'version must be "HTTP/1.0" or "HTTP/1.1", not {self.version!r}')
        if self.proxy_host and not self.proxy_port:
            raise ValueError("proxy_port must be given with proxy_host")
        if self.proxy_host and not self.proxy_host.isprintable():
            raise ValueError(f"proxy_host is not a host name: {self.proxy_host!r}")
        if self.disable_ipv6:
            raise ValueError("disable_ipv6 is not supported: use connection_options with resolve")
        unknown = set(self.ssl_options) - {"certfile", "keyfile", "ca_certs"}
        if unknown:
            raise ValueError(
                f"ssl_options cannot have {', '.join(sorted(unknown))}: use ssl_context_factory for it"
            )

    @classmethod
    def of(cls, client_pool: Any, own: Mapping[str, Any]) -> PoolSettings:
        """Those of a HTTPClientPool if `client_pool` is one, else `own`, as stock Locust's client does.

        To geventhttpclient `insecure` is only about the host name of a certificate; that none is looked
        at is what a context says.
        """
        given = getattr(client_pool, "client_args", None)
        if not isinstance(given, Mapping):
            return cls(**own)
        settings = cls(**given)
        if settings.insecure and settings.ssl_context_factory is None:
            own_ca = settings.ssl_options.get("ca_certs")
            return dataclasses.replace(
                settings, ssl_context_factory=lambda cafile: _default_context(own_ca or cafile)
            )
        return settings

    @property
    def timeouts(self) -> tuple[float, float]:
        return self.connection_timeout, self.network_timeout

    @property
    def proxy(self) -> str | None:
        """The proxy as a URL."""
        if not self.proxy_host:
            return None
        credentials = ""
        if self.proxy_authorization is not None:
            user, password = (quote(part or "", safe="") for part in (self.proxy_user, self.proxy_password))
            credentials = f"{user}:{password}@"
        return f"http://{credentials}{self.proxy_host}:{self.proxy_port}"

    @property
    def proxy_authorization(self) -> str | None:
        """What a proxy that is spoken to itself gets with each request."""
        if self.proxy_user is None and self.proxy_password is None:
            return None
        credentials = f"{self.proxy_user or ''}:{self.proxy_password or ''}"
        return f"Basic {base64.b64encode(credentials.encode()).decode()}"

    @property
    def cert(self) -> tuple[str, str] | None:
        """The client certificate and its key."""
        files = self.ssl_options.get("certfile"), self.ssl_options.get("keyfile")
        return (str(files[0]), str(files[1])) if all(files) else None

    @property
    def verify(self) -> bool | str:
        """As requests' `verify`."""
        return False if self.insecure else self.ssl_options.get("ca_certs") or True

    @property
    def http_version(self) -> str | None:
        return "1.0" if self.version == "HTTP/1.0" else None

    def limits(self, options: ConnectionOptions) -> tuple[int, int, float]:
        """Most idle connections, most open ones, seconds of life: `concurrency` says how many."""
        idle, most, lifetime = options.limits
        limit = most or self.concurrency
        return limit if idle else 0, limit, lifetime
