"""Which way the requests of a session may go, and the settings that decide about it.

The short way in C knows neither adapters nor jars nor methods that somebody put in the place of those a
session has by itself; with one of them, requests go the long way through requests' own code.
"""

from __future__ import annotations

from functools import cache, lru_cache
from http.cookiejar import CookieJar
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.cookies import RequestsCookieJar

from locust_c import _core, replaced
from locust_c.adapter import EngineAdapter, SessionAdapters
from locust_c.session_state import SessionCookies

__all__ = ["SessionWays", "watch_for"]

_METHODS = frozenset({"request", *replaced.PREPARING})
# Attributes that decide which way requests go.
_DECISIVE = _METHODS | {"trust_env", "stream", "cookies", "adapters"}


class SessionWays(_core.Session, requests.Session):  # type: ignore[misc]  # verbs take more than requests'
    """A requests.Session that knows whether the engine can do all that is set on it."""

    # Attributes of requests.Session that the engine does not keep; the others are made when asked for.
    stream = False
    trust_env = False
    max_redirects = 30
    pool_manager: Any
    _cookies_are_ours = True
    _adapters_are_ours = True
    _adapters_made: SessionAdapters | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _DECISIVE:
            object.__setattr__(self, name, value)
            return
        if name == "cookies":
            self._set_cookies(value)
        elif name == "adapters":
            self._adapters_made = SessionAdapters(self, value)
            object.__setattr__(self, name, self._adapters_made)
        elif name in replaced.PREPARING and self._is_back(name, value):
            self.__dict__.pop(name, None)
        else:
            object.__setattr__(self, name, value)
        self._look_again()

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        if name in _DECISIVE:
            self._look_again()

    def _is_back(self, name: str, value: Any) -> bool:
        """Whether a mock puts the method back that it found."""
        function, usual = getattr(value, "__func__", None), getattr(type(self), name)
        originals = {usual}
        if usual.__module__.startswith(("locust_c.", "requests.")):
            originals.add(getattr(requests.Session, name))
        return getattr(value, "__self__", None) is self and function in originals

    def _set_cookies(self, jar: Any) -> None:
        """The session's jar becomes a view of the engine's, unless only requests can do what it does."""
        before = self.cookies
        if jar is before:
            return
        if not (isinstance(before, SessionCookies) and before._session is self):
            before = SessionCookies(self)
        self._cookies_are_ours = True
        if not isinstance(jar, CookieJar):
            before.detach()
            object.__setattr__(self, "cookies", SessionCookies(self))
            self.cookies.clear()
            self.cookies.update(jar)
            return
        if not (isinstance(jar, RequestsCookieJar) and before.attach(jar)):
            before.detach()
            self._cookie_remove(None, None, None)
            self._cookies_are_ours = False
        object.__setattr__(self, "cookies", jar)

    def _look_again(self) -> None:
        """Decides which ways requests may take; called from C when a class that matters was patched."""
        own, patches = self.__dict__, self._patches()
        cls: Any = type(self)
        overridden, reason, is_short = _ways_of(cls, patches)
        for name in own.keys() & _METHODS:
            overridden |= name == "request"
            if name != "request":
                reason = f"{cls.__name__}.{name} is {replaced.described(own[name])}"
        if reason is not None:
            replaced.warn_once(self, reason, "so requests prepares its requests")
        is_short = is_short and reason is None and self._cookies_are_ours and self._adapters_are_ours
        # Flags of the C part; writing them costs more than reading.
        if self._request_overridden != overridden:
            self._request_overridden = overridden
        if self._keeps_cookies != self._cookies_are_ours:
            self._keeps_cookies = self._cookies_are_ours
        long_way_only = not is_short or bool(self.trust_env or self.stream)
        if self._long_way_only != long_way_only:
            self._long_way_only = long_way_only

    def close(self) -> None:
        """Closes the session's connections and adapters; it can be used again."""
        self._close_connections()
        if self._adapters_made is not None:
            self._adapters_made.close()

    def _close_connections(self) -> None:
        _core.Session.close(self)

    def _patches(self) -> int:
        """How often a patch of what the engine stands for was noticed; see replaced.watch_for()."""
        return self._watch.look() if self._watch is not None else 0

    def _make_adapters(self) -> SessionAdapters:
        adapter = EngineAdapter(self)
        self._adapters_made = SessionAdapters(self, [("https://", adapter), ("http://", adapter)])
        return self._adapters_made

    def _make_cookies(self) -> SessionCookies:
        return SessionCookies(self)

    def get_adapter(self, url: str) -> BaseAdapter:
        """As requests.Session.get_adapter: for an HTTPAdapter that was mounted, one that uses the engine."""
        adapter = super().get_adapter(url)
        return adapter if isinstance(adapter, EngineAdapter) else self.adapters.in_place_of(adapter)


@lru_cache(maxsize=256)
def _ways_of(cls: Any, patches: int) -> tuple[bool, str | None, bool]:
    """Of a session class: whether request() is overridden, what of requests is, if the engine is enough."""
    reason = replaced.preparing(cls, patches)
    is_short = reason is None and replaced.transport(patches) is None
    return cls.request is not _core.Session.request, reason, is_short


@cache
def watch_for(session_class: Any) -> _core.ClassWatch:
    """The watch over the libraries and over this class, the one that all session classes derive from."""
    return replaced.watch_for(session_class)
