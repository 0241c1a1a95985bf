"""What somebody replaced in requests and urllib3, and what follows from it.

Mocks and tracers work by replacing methods of these libraries. The engine calls none of them, so a session
has to notice: its watch (`watch_for`) tells it to look again, `preparing` and `transport` say what is found.
It is found by what the methods are, not by what they were when this module was imported: they may have
been replaced before.
"""

from __future__ import annotations

import logging
import sys
from functools import lru_cache
from types import FunctionType
from typing import Any

from requests.adapters import HTTPAdapter
from requests.sessions import Session
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from locust_c import _core

__all__ = ["PREPARING", "described", "in_adapter", "preparing", "transport", "warn_once", "watch_for"]

logger = logging.getLogger("locust.clients")

# What requests calls on a session on the way to the adapter; the engine's short way calls none of it.
PREPARING = (
    "send",
    "prepare_request",
    "get_adapter",
    "merge_environment_settings",
    "get_redirect_target",
)
# What an adapter calls on itself to make an exchange.
EXCHANGING = (
    "send",
    "add_headers",
    "build_connection_pool_key_attributes",
    "build_response",
    "cert_verify",
    "get_connection",
    "get_connection_with_tls_context",
    "proxy_headers",
    "proxy_manager_for",
    "request_url",
)
_POOLS = (HTTPConnectionPool, HTTPSConnectionPool)


def _flag_tells() -> bool:
    """Whether this interpreter clears a class's flag when a base is changed (CPython 3.11 and 3.12)."""
    valid = 1 << 19  # Py_TPFLAGS_VALID_VERSION_TAG

    class Base:
        method = None

    class Derived(Base): ...

    _ = Derived.method
    was_set = bool(Derived.__flags__ & valid)
    Base.method = None
    return was_set and not Derived.__flags__ & valid


def watch_for(session_class: type[_core.Session]) -> _core.ClassWatch:
    """Notices when a method that the engine stands for is replaced, in this class or the libraries."""
    guard = type("Guard", (session_class, HTTPAdapter, HTTPSConnectionPool), {})
    attributes: tuple[tuple[type, str], ...] = (
        *((session_class, name) for name in ("request", *PREPARING)),
        *((Session, name) for name in ("request", *PREPARING)),
        *((HTTPAdapter, name) for name in EXCHANGING),
        (HTTPConnectionPool, "urlopen"),
        *((pool, "ConnectionCls") for pool in _POOLS),
    )
    return _core.ClassWatch(guard, attributes, _flag_tells())


def _is_original(owner: type, name: str) -> bool:
    """Whether a class still has the method of this name that it was written with."""
    method = owner.__dict__.get(name)
    # By type(): wrapt's wrappers say that they are what they wrap.
    return (
        type(method) is FunctionType
        and method.__code__.co_qualname == f"{owner.__qualname__}.{name}"
        and method.__globals__ is sys.modules[owner.__module__].__dict__
    )


def described(value: object) -> str:
    """Name and module of what somebody put in the place of a method."""
    value = getattr(value, "__func__", value)
    name = getattr(value, "__qualname__", type(value).__qualname__)
    module = getattr(value, "__module__", None)
    return f"{name} of {module}" if module else str(name)


@lru_cache(maxsize=64)
def preparing(cls: Any, changes: int) -> str | None:
    """Which method that prepares a request a session class has replaced; None: none.

    `changes`: what the watch says. Methods of our own do what requests does.
    """
    for name in PREPARING:
        for owner in cls.__mro__:
            is_known = owner.__module__.partition(".")[0] in ("requests", "locust_c")
            if name in owner.__dict__ and not (is_known and _is_original(owner, name)):
                return f"{owner.__name__}.{name} is {described(owner.__dict__[name])}"
    if not _is_original(Session, "request"):
        return f"requests.Session.request is {described(Session.request)}"
    return None


@lru_cache(maxsize=1)
def transport(changes: int) -> str | None:
    """What is replaced between HTTPAdapter.send() and urllib3's connections; None: nothing.

    `changes`: what the watch says.
    """
    for name in EXCHANGING:
        if not _is_original(HTTPAdapter, name):
            return f"HTTPAdapter.{name} is {described(getattr(HTTPAdapter, name))}"
    if not _is_original(HTTPConnectionPool, "urlopen"):
        return f"HTTPConnectionPool.urlopen is {described(HTTPConnectionPool.urlopen)}"
    for pool in _POOLS:
        if pool.ConnectionCls.__module__ != "urllib3.connection":
            return f"{pool.__name__}.ConnectionCls is {described(pool.ConnectionCls)}"
    return None


def in_adapter(adapter: HTTPAdapter) -> str | None:
    """Which method of the exchange an adapter has of its own; None: those of HTTPAdapter are all it has.

    How it finds a proxy's pool matters only where there is a proxy: that is for the exchange to ask.
    """
    for name in EXCHANGING:
        if name == "proxy_manager_for":
            continue
        owner = adapter if name in adapter.__dict__ else _owner(type(adapter), name)
        if owner is not HTTPAdapter:
            if isinstance(owner, type):
                return f"{type(adapter).__name__} of {type(adapter).__module__} has a {name} of its own"
            return f"{type(adapter).__name__}.{name} is {described(getattr(adapter, name))}"
    return None


def _owner(cls: type, name: str) -> type | None:
    return next((base for base in cls.__mro__ if name in base.__dict__), None)


def warn_once(session: object, reason: str, consequence: str) -> None:
    """Logs why the engine does not do all of a request, once for each class of sessions and reason."""
    session_class: Any = type(session)
    _warn(session_class, reason, consequence)


@lru_cache(maxsize=1024)
def _warn(session_class: type, reason: str, consequence: str) -> None:
    logger.warning(
        "%s: %s, %s. It costs much more CPU time for each request; the statistics are the same.",
        *(session_class.__name__, reason, consequence),
    )
