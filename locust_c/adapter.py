"""The engine as an adapter of requests: the long way of a request.

Calls that use what the short way in C does not know (files, per-request cookies, hooks, proxies,
authentication classes, redirects) are prepared by requests itself; this adapter writes the prepared
request out and lets the engine exchange it. What the engine cannot honour it leaves to requests and urllib3.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import DEFAULT_POOLBLOCK, DEFAULT_POOLSIZE, BaseAdapter, HTTPAdapter
from requests.auth import AuthBase, HTTPDigestAuth
from requests.exceptions import InvalidProxyURL, InvalidURL
from requests.utils import prepend_scheme_if_needed, select_proxy
from urllib3 import PoolManager
from urllib3.exceptions import LocationParseError, LocationValueError
from urllib3.util import Retry, Timeout, parse_url

from locust_c import _core, replaced
from locust_c.connections import ConnectionOptions, pool_of_adapter, request_http_version, request_source
from locust_c.credentials import without_userinfo
from locust_c.failures import tls_setup_error
from locust_c.hub import get_engine
from locust_c.response import streamed
from locust_c.retries import exchange_with, tries_again
from locust_c.wire import message_of

if TYPE_CHECKING:
    from locust_c.response import ResponseContextManager
    from locust_c.session_ways import SessionWays

__all__ = ["EngineAdapter", "LocustHttpAdapter", "SessionAdapters"]

_REPLACEABLE = frozenset(replaced.EXCHANGING)
_DECISIVE = _REPLACEABLE | {"max_retries"}
_Timeouts = tuple[float | None, float | None]
# What urllib3 is told for a pool that the engine can do as well.
_KNOWN_TO_ENGINE = frozenset({"maxsize", "block", "source_address"})


def _unknown(pool_settings: dict[str, Any]) -> set[str]:
    """Which settings of urllib3's pools the engine cannot honour; a local port is one."""
    unknown = {name for name in pool_settings if name not in _KNOWN_TO_ENGINE}
    source = pool_settings.get("source_address")
    if source is not None and (len(source) != 2 or source[1] != 0 or not source[0]):
        unknown.add("source_address with a port")
    return unknown


def _timeouts(timeout: Any) -> _Timeouts:
    """Seconds to connect and to read of what requests takes as time-out; ValueError as urllib3 raises it."""
    if isinstance(timeout, tuple):
        try:
            connect, read = timeout
            resolved = Timeout(connect=connect, read=read)
        except ValueError:
            raise ValueError(
                f"Invalid timeout {timeout}. Pass a (connect, read) timeout tuple, or a single float to set "
                "both timeouts to the same value."
            ) from None
    elif isinstance(timeout, Timeout):
        resolved = timeout.clone()
    else:
        resolved = Timeout(connect=timeout, read=timeout)
    resolved.start_connect()
    return (
        Timeout.resolve_default_timeout(resolved.connect_timeout),
        Timeout.resolve_default_timeout(resolved.read_timeout),
    )


def _checked_proxy(proxy: str) -> str:
    """The proxy as a URL with a scheme; raises InvalidProxyURL, which does not show its credentials."""
    try:
        proxy = str(prepend_scheme_if_needed(proxy, "http"))  # type: ignore[no-untyped-call]
        parts = parse_url(proxy)
    except LocationParseError:
        raise LocationParseError(without_userinfo(proxy)) from None
    if not parts.host:
        raise InvalidProxyURL("Please check proxy URL. It is malformed and could be missing the host.")
    if parts.scheme == "https":
        raise InvalidProxyURL(f"proxies over TLS are not supported: {parts._replace(auth=None).url}")
    return proxy


def _check_url(request: requests.PreparedRequest) -> None:
    """InvalidURL for what no connection can be made to, as requests finds out when it looks for one."""
    try:
        parts = urlsplit(request.url or "")
        _ = parts.port
        parse_url(request.url or "")
    except ValueError as error:
        raise InvalidURL(error, request=request) from error
    if not parts.hostname:
        raise InvalidURL(LocationValueError("No host specified."), request=request)


def _proxy_for(request: requests.PreparedRequest, proxies: dict[str, str] | None) -> str | None:
    proxy = select_proxy(request.url or "", proxies)
    return _checked_proxy(proxy) if proxy else None


def _as_retry(max_retries: Retry | int) -> Retry:
    return Retry.from_int(max_retries, redirect=False)


def _answers_by_itself(request: requests.PreparedRequest) -> str | None:
    """An authentication class that goes on from the response, perhaps on the same connection."""
    for hook in request.hooks.get("response", ()):
        auth = getattr(hook, "__self__", None)
        if isinstance(auth, AuthBase) and type(auth) is not HTTPDigestAuth:
            return f"{type(auth).__name__} may need the connection of the response"
    return None


class LocustHttpAdapter(HTTPAdapter):
    """requests' adapter, with connections from `pool_manager`; for plug-ins that mount it."""

    def __init__(self, pool_manager: PoolManager | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if pool_manager is not None:
            self.poolmanager = pool_manager


class EngineAdapter(HTTPAdapter):
    """Sends prepared requests of one session through the engine.

    `settings`: an HTTPAdapter that a user mounted, whose pool sizes and retries are to be honoured.
    """

    session: SessionWays
    _settings: HTTPAdapter
    _source: str | None
    _pool: _core.Pool | None
    _pool_connections: int
    _pool_maxsize: int
    _pool_block: bool

    def __init__(self, session: SessionWays, settings: HTTPAdapter | None = None) -> None:
        # Not the base's: its pool manager is made when something goes through urllib3.
        attributes: dict[str, Any] = {
            "session": session,
            "config": {},
            "proxy_manager": {},
            "_pool_connections": DEFAULT_POOLSIZE,
            "_pool_maxsize": DEFAULT_POOLSIZE,
            "_pool_block": DEFAULT_POOLBLOCK,
            "max_retries": Retry(0, read=False),
            "_settings": self if settings is None else settings,
            "_source": None,
            "_pool": None,
        }
        self.__dict__.update(attributes)
        if settings is not None:
            pool_settings = settings.poolmanager.connection_pool_kw
            self.__dict__["_source"] = (pool_settings.get("source_address") or (None,))[0]
            self.__dict__["_pool"] = pool_of_adapter(settings, get_engine())
            if self._source is not None and session._connection_options is None:
                session._connection_options = ConnectionOptions()  # without them C asks for no source

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in _DECISIVE:
            self.session.adapters.changed()

    @property
    def is_as_it_was(self) -> bool:
        """Whether the short way does all that this adapter does."""
        return not (self.__dict__.keys() & _REPLACEABLE) and not tries_again(_as_retry(self.max_retries))

    @staticmethod
    def why_not_for(adapter: HTTPAdapter) -> str | None:
        """What the engine cannot do of what this adapter does; None: it can stand for it."""
        reason = replaced.in_adapter(adapter)
        if reason is None and type(adapter.poolmanager) is not PoolManager:
            reason = f"{type(adapter).__name__} has a pool manager of its own"
        if reason is None and (unknown := _unknown(adapter.poolmanager.connection_pool_kw)):
            reason = f"{type(adapter).__name__} sets {', '.join(sorted(unknown))}"
        return reason

    @cached_property
    def poolmanager(self) -> PoolManager:
        """urllib3's pools, for what the engine cannot honour."""
        if self.session.pool_manager is not None:
            return self.session.pool_manager  # type: ignore[no-any-return]
        self.init_poolmanager(self._pool_connections, self._pool_maxsize, block=self._pool_block)
        return self.__dict__["poolmanager"]  # type: ignore[no-any-return]

    def send(  # type: ignore[override]
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: dict[str, str] | None = None,
    ) -> requests.Response:
        """One exchange, without following redirects; raises requests' exceptions."""
        proxy = _proxy_for(request, proxies)
        reason = replaced.transport(self.session._patches()) or _answers_by_itself(request)
        if proxy is not None and type(self._settings).proxy_manager_for is not HTTPAdapter.proxy_manager_for:
            reason = f"{type(self._settings).__name__} finds pools of proxies by itself"
        if reason is not None:
            replaced.warn_once(self.session, reason, "so urllib3 sends its requests")
            return HTTPAdapter.send(
                self._settings,
                request,
                stream=stream,
                timeout=timeout,
                verify=verify,
                cert=cert,
                proxies=proxies,
            )
        _check_url(request)
        exchange = self._exchange_of(request, stream, timeout, verify, cert, proxy)
        retries = _as_retry(self._settings.max_retries)
        if tries_again(retries):
            response = exchange_with(retries, request, self.request_url(request, proxies), exchange)
        else:
            response = exchange()
        if response.error is not None:
            response.error.request = request
            response.error._outcome = response._outcome
            raise response.error
        response.request = request
        response.connection = self
        return response if response._stream is None else streamed(response)

    def _exchange_of(
        self,
        request: requests.PreparedRequest,
        stream: bool,
        timeout: Any,
        verify: bool | str,
        cert: str | tuple[str, str] | None,
        proxy: str | None,
    ) -> Callable[[], ResponseContextManager]:
        """What makes the engine exchange this request, each time it is called."""
        method, url = request.method or "", request.url or ""
        absolute = (url.lower()[:7], (proxy or "").lower()[:7]) == ("http://", "http://")
        for_proxy = self.proxy_headers(proxy) if proxy is not None and absolute else None
        timeouts = _timeouts(timeout)

        def exchange() -> ResponseContextManager:
            head, body, chunked = message_of(request, absolute, for_proxy)
            source = request_source.set(self._source)
            try:
                return self.session._exchange(  # type: ignore[no-any-return]
                    *(method, url, head, False, timeouts, verify, cert, proxy),
                    body=body,
                    chunked=chunked,
                    stream=stream,
                    http_version=request_http_version.get(),
                    pool=self._pool,
                )
            except OSError as error:
                raise tls_setup_error(error, url) or error from None
            finally:
                request_source.reset(source)

        return exchange

    def close(self) -> None:
        if self._pool is None:
            self.session._close_connections()
        else:
            self._pool.close()
        if "poolmanager" in self.__dict__ and self.session.pool_manager is None:
            super().close()


class SessionAdapters(OrderedDict[str, BaseAdapter]):
    """The adapters of a session by the prefix of their URLs; the session hears of changes."""

    def __init__(self, session: SessionWays, pairs: Any = ()) -> None:
        self._session = session
        self._in_place: dict[BaseAdapter, EngineAdapter] = {}
        super().__init__(pairs)

    def __setitem__(self, prefix: str, adapter: BaseAdapter) -> None:
        super().__setitem__(prefix, adapter)
        self.changed()

    def __delitem__(self, prefix: str) -> None:
        super().__delitem__(prefix)
        self.changed()

    def changed(self) -> None:
        """Tells the session whether its http and https requests may go the short way."""
        adapters = [adapter for prefix, adapter in self.items() if _may_be_http(prefix)]
        self._session._adapters_are_ours = bool(adapters) and all(
            isinstance(adapter, EngineAdapter) and adapter.is_as_it_was for adapter in adapters
        )
        self._session._look_again()

    def in_place_of(self, adapter: BaseAdapter) -> BaseAdapter:
        """The engine in place of a mounted adapter if it can stand for it, else that adapter itself."""
        if isinstance(adapter, HTTPAdapter):
            reason = EngineAdapter.why_not_for(adapter)
        else:
            reason = f"{type(adapter).__name__} is no HTTPAdapter"
        if reason is not None:
            replaced.warn_once(self._session, reason, "so this adapter sends its requests")
            return adapter
        if adapter not in self._in_place:
            self._in_place[adapter] = EngineAdapter(self._session, cast(HTTPAdapter, adapter))
        return self._in_place[adapter]

    def close(self) -> None:
        """Closes what the adapters keep open, those in their place included."""
        for adapter in {*self.values(), *self._in_place.values()}:
            adapter.close()

    def __reduce__(self) -> Any:
        return OrderedDict, (list(self.items()),)


def _may_be_http(prefix: str) -> bool:
    prefix = prefix.lower()
    return prefix.startswith(("http://", "https://")) or "https://".startswith(prefix) or prefix == "http:"
