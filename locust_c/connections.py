"""Connections under the user's control: what a user class says about them, and pools that users share."""

from __future__ import annotations

import ipaddress
import math
import weakref
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from locust_c import _core
from locust_c.tls_context import TLS_VERSIONS, Certificate, TlsSettings, check_ciphers

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter

    from locust_c._core import Engine, Pool, Session

__all__ = [
    "DEFAULT_MAX_IDLE",
    "ConnectionAttributes",
    "ConnectionOptions",
    "ConnectionSettings",
    "checked_options",
    "pool_of_adapter",
    "request_http_version",
    "request_source",
    "shared_pool",
]

request_http_version: ContextVar[str | None] = ContextVar("request_http_version", default=None)
"""The `http_version` that the call at hand was given, on its way through requests' own code."""

request_source: ContextVar[str | None] = ContextVar("request_source", default=None)
"""The local address that the adapter at hand wants a connection to come from."""

DEFAULT_MAX_IDLE = 10
"""Idle connections that a session keeps, as requests' adapters do (pool_maxsize)."""


@dataclass(frozen=True)
class ConnectionOptions:
    """How the connections of a user class are made and kept; `connection_options` of the class.

    Raises ValueError or TypeError, naming the argument, for what cannot be.
    """

    keep_alive: bool = True
    """False: a new connection for each request, which says ``Connection: close`` (RFC 9112, 9.6)."""
    lifetime: float | None = None
    """Seconds after which a connection is not used for another request; None: no limit."""
    limit: int | None = None
    """Most connections open at a time, per user or shared pool; further requests wait. None: no limit."""
    source: str | None = None
    """The local address, or the name of the interface, that connections come from (CURLOPT_INTERFACE)."""
    unix_socket: str | None = None
    """Path of a Unix-domain socket that is connected to instead of the URL's host."""
    resolve: Mapping[str, str] = field(default_factory=dict)
    """Addresses to use instead of looking names up: ``{"host:port": "address"}`` or ``{"host": ...}``;
    several addresses are separated by commas."""
    tls_min: str | None = None
    """Lowest TLS version: "1.0" to "1.3"; None: "1.2"."""
    tls_max: str | None = None
    """Highest TLS version; None: the highest that OpenSSL has."""
    tls_ciphers: str | None = None
    """Ciphers in OpenSSL's notation; names of TLS 1.3 suites among them count for TLS 1.3."""
    tls_resumption: bool = False
    """True: a new connection resumes the TLS session of the one before (RFC 8446, 2.2)."""

    def __post_init__(self) -> None:
        if self.lifetime is not None and not _is_duration(self.lifetime):
            raise ValueError(f"lifetime must be a positive number of seconds, not {self.lifetime!r}")
        if self.limit is not None and (not isinstance(self.limit, int) or self.limit < 1):
            raise ValueError(f"limit must be a positive number of connections, not {self.limit!r}")
        for name in ("source", "unix_socket", "tls_ciphers"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or not value or "\0" in value):
                raise ValueError(f"{name} must be a str that is not empty, not {value!r}")
        for name in ("tls_min", "tls_max"):
            value = getattr(self, name)
            if value is not None and value not in TLS_VERSIONS:
                raise ValueError(f"{name} must be one of {', '.join(TLS_VERSIONS)}, not {value!r}")
        if self.tls_min and self.tls_max and self.tls_min > self.tls_max:
            raise ValueError(f"tls_min {self.tls_min!r} is above tls_max {self.tls_max!r}")
        for name in ("keep_alive", "tls_resumption"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be True or False, not {getattr(self, name)!r}")
        if self.tls_ciphers:
            check_ciphers("tls_ciphers", self.tls_ciphers)
        self._check_resolve()

    def _check_resolve(self) -> None:
        if not isinstance(self.resolve, Mapping):
            raise ValueError(f'resolve must be a dict of "host:port" to addresses, not {self.resolve!r}')
        for host, addresses in self.resolve.items():
            if not isinstance(host, str) or not isinstance(addresses, str) or not host or not addresses:
                raise ValueError(f'resolve maps "host:port" to addresses, not {host!r} to {addresses!r}')
            for address in addresses.split(","):
                try:
                    ipaddress.ip_address(address.strip("[]"))
                except ValueError:
                    raise ValueError(f"resolve maps {host!r} to what is no address: {address!r}") from None

    def addresses_of(self, host: str, port: int) -> str | None:
        """What `resolve` says of a host, as libcurl's "host:port:address,…"; None: nothing."""
        shown = f"[{host}]" if ":" in host else host
        for known, addresses in self.resolve.items():
            if known.lower() in (f"{shown}:{port}".lower(), shown.lower()):
                return f"{shown}:{port}:{addresses}"
        return None

    @property
    def limits(self) -> tuple[int, int, float]:
        """Most idle connections, most open ones, seconds of life; 0: no limit."""
        return DEFAULT_MAX_IDLE if self.keep_alive else 0, self.limit or 0, self.lifetime or 0.0


def _is_duration(seconds: object) -> bool:
    return isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 < seconds < math.inf


_DEFAULT = ConnectionOptions()


def checked_options(options: ConnectionOptions | None) -> ConnectionOptions:
    """The options, or the defaults for None; raises TypeError for anything else."""
    if options is None:
        return _DEFAULT
    if not isinstance(options, ConnectionOptions):
        raise TypeError(f"connection_options must be ConnectionOptions, not {options!r}")
    return options


class ConnectionAttributes:
    """Mixin of the user classes: what a class says about its connections is checked when its body has run."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Raises ValueError or TypeError, naming the attribute, for what cannot be."""
        super().__init_subclass__(**kwargs)
        inherited = {
            name: check for name, check in _FAST_ATTRIBUTES.items() if hasattr(super(cls, cls), name)
        }
        for name, check in (_ATTRIBUTES | inherited).items():
            value = vars(cls).get(name)
            if value is not None and not hasattr(value, "__get__"):  # a property is asked for each user
                try:
                    check(value)
                except (TypeError, ValueError) as error:
                    raise type(error)(f"{cls.__name__}.{error}") from None


def _check_http_version(value: Any) -> None:
    _core.Session().http_version = value


def _check_max_body_size(value: Any) -> None:
    _core.Session().max_body_size = value


def _check_concurrency(value: Any) -> None:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"concurrency must be at least 1, not {value!r}")


def _check_factory(value: Any) -> None:
    if not callable(value):
        raise TypeError(f"ssl_context_factory must be a function that makes an SSLContext, not {value!r}")


def _check_timeout(name: str) -> Callable[[Any], object]:
    def check(value: Any) -> None:
        if not isinstance(value, Real) or not float(value) > 0:
            raise ValueError(f"{name} must be a number of seconds above 0, not {value!r}")

    return check


def _check_limit(name: str) -> Callable[[Any], object]:
    def check(value: Any) -> None:
        if not isinstance(value, Integral) or value < 0:
            raise ValueError(f"{name} must be a whole number of 0 or more, not {value!r}")

    return check


def _check_insecure(value: Any) -> None:
    if not isinstance(value, int):
        raise TypeError(f"insecure must be True or False, not {value!r}")


def _check_headers(value: Any) -> None:
    try:
        dict(value)
    except (TypeError, ValueError):
        raise TypeError(f"default_headers must be a dict of names and values, not {value!r}") from None


_ATTRIBUTES: dict[str, Callable[[Any], object]] = {
    "connection_options": checked_options,
    "http_version": _check_http_version,
    "max_body_size": _check_max_body_size,
    "concurrency": _check_concurrency,
    "ssl_context_factory": _check_factory,
}
# Of FastHttpUser; a class of another kind may mean something else by them.
_FAST_ATTRIBUTES: dict[str, Callable[[Any], object]] = {
    "network_timeout": _check_timeout("network_timeout"),
    "connection_timeout": _check_timeout("connection_timeout"),
    "max_redirects": _check_limit("max_redirects"),
    "max_retries": _check_limit("max_retries"),
    "insecure": _check_insecure,
    "default_headers": _check_headers,
}


class ConnectionSettings:
    """Mixin of the session classes: applies ConnectionOptions, and answers what the engine asks of them."""

    if TYPE_CHECKING:
        _connection_options: ConnectionOptions | None
        http_version: str
        _set_limits: Any

        def _tls_settings(self, verify: bool | str | None, cert: Certificate) -> TlsSettings: ...

    def _use_options(self, options: ConnectionOptions, http_version: str | None) -> None:
        """Called once, when the session is set up."""
        if http_version is not None:
            self.http_version = http_version
        if options != _DEFAULT:
            self._connection_options = options
            self._set_limits(*options.limits)

    def _origin_options(self, host: str, port: int) -> tuple[str | None, str | None, str | None]:
        """Source, Unix socket and addresses for connections to that host (called from C)."""
        options = self._connection_options or _DEFAULT
        return request_source.get() or options.source, options.unix_socket, options.addresses_of(host, port)

    def _tls_files(self, verify: bool | str | None, cert: Certificate) -> TlsSettings:
        """How TLS connections are made under requests' `verify` and `cert` (called from C)."""
        settings = self._tls_settings(verify, cert)
        options = self._connection_options
        if options is None:
            return settings
        return settings.restricted(
            options.tls_min, options.tls_max, options.tls_ciphers, options.tls_resumption
        )


class _SharedPools:
    """The pool that belongs to each object that users pass around to share connections."""

    def __init__(self) -> None:
        self._pools: dict[int, tuple[Pool, Engine, Any]] = {}

    def get(self, owner: Any, engine: Engine, limits: tuple[int, int, float]) -> Pool:
        found = self._pools.get(id(owner))
        if found is not None and found[1] is engine:
            return found[0]
        kept = None
        try:
            if found is None:
                weakref.finalize(owner, self._pools.pop, id(owner), None).atexit = False
        except TypeError:
            kept = owner  # it cannot say when it goes, and its identity must not be taken by another
        pool = _core.Pool(engine, *limits)
        self._pools[id(owner)] = (pool, engine, kept)
        return pool


_shared_pools = _SharedPools()


def shared_pool(session: Session, owner: Any, engine: Engine, limits: tuple[int, int, float]) -> None:
    """Lets the session take its connections from the pool of `owner`: who has the same object shares them.

    `limits` (see ConnectionOptions.limits) count when the pool is made, by the first session.
    """
    session._set_pool(_shared_pools.get(owner, engine, limits))


def pool_of_adapter(adapter: HTTPAdapter, engine: Engine) -> Pool:
    """The engine's pool for an adapter of requests: sessions that mount the same one share it."""
    settings = adapter.poolmanager.connection_pool_kw
    most = settings.get("maxsize", DEFAULT_MAX_IDLE)
    idle = max(adapter.poolmanager.pools._maxsize, most)
    return _shared_pools.get(adapter, engine, (idle, most if settings.get("block") else 0, 0.0))
