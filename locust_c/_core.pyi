from collections.abc import Callable, Iterable
from typing import Any, Self, TypeVar, final

from typing_extensions import Buffer, disjoint_base

from locust_c.timings import Timings

_Handler = TypeVar("_Handler", bound=Callable[..., Any])

__version__: str

def _types() -> tuple[type, ...]: ...
def _counts() -> dict[str, tuple[int, int]]: ...
def _blocks() -> int: ...
def _make_certificate(is_rsa: bool, /) -> bytes: ...

# ---- error codes of the engine ----

ENOMEM: int
EINVAL: int
ELIMIT: int
EPROTO: int
ERESOLVE: int
ECONNECT: int
ECONNTIMEOUT: int
EREADTIMEOUT: int
ERESET: int
ECLOSED: int
ETRUNCATED: int
ETLS: int
ETLSVERIFY: int
EDECODE: int
ECANCELLED: int
EAGAIN: int
EFORKED: int
ESYS: int

# ---- events ----

@final
class Listener:
    """A callable and the way an event's values reach it."""

    def __new__(
        cls,
        handler: Callable[..., Any],
        bindings: tuple[tuple[str | None, tuple[str, ...], Callable[[], Any] | None], ...] = (),
        own: tuple[str, ...] = (),
        rest: bool = True,
        extras: tuple[tuple[str, str], ...] = (),
    ) -> Self: ...
    @property
    def handler(self) -> Callable[..., Any]: ...

@disjoint_base
class EventHook:
    """The listeners of one event."""

    _handlers: list[Callable[..., Any]]
    _companions: tuple[EventHook, ...]
    _condition: Listener | None
    def __iadd__(self, handler: Callable[..., Any], /) -> Self: ...
    def __isub__(self, handler: Callable[..., Any], /) -> Self: ...
    def add_listener(self, handler: _Handler, /) -> _Handler: ...
    def remove_listener(self, handler: Callable[..., Any], /) -> None: ...
    def add_recorder(self, table: Any, /) -> None: ...
    def remove_recorder(self, table: Any, /) -> None: ...
    def fire(self, *, reverse: bool = False, **kwargs: Any) -> None: ...
    def record(
        self,
        *,
        request_type: Any,
        name: Any,
        response_time: float | None,
        response_length: int | None,
        exception: Any = None,
        **kwargs: Any,
    ) -> None: ...
    def _bind(self, handler: Callable[..., Any], /) -> Listener: ...
    def _listener_failed(self, exception: Exception, /) -> bool: ...
    def _coroutine_returned(self, handler: Callable[..., Any], coroutine: Any, /) -> None: ...

# ---- statistics ----

PHASES: tuple[str, ...]

@disjoint_base
class StatsCounters:
    """The statistics of one (method, name)."""

    num_requests: int
    num_none_requests: int
    num_failures: int
    num_resent: int
    total_content_length: int
    total_response_time: float
    min_response_time: float | None
    max_response_time: float
    start_time: float
    last_request_timestamp: float | None
    def __new__(cls, window: bool = False, now: float = 0.0) -> Self: ...
    @property
    def histogram_count(self) -> int: ...
    @property
    def has_window(self) -> bool: ...
    def record(self, response_time: float | None, content_length: int, now: float, /) -> None: ...
    def record_failure(self, now: float, /) -> None: ...
    def reset_counters(self, now: float, /) -> None: ...
    def merge(self, other: StatsCounters, /) -> None: ...
    def rounded_percentile(self, p: float, /) -> int: ...
    def rounded_percentile_since(self, key: int, p: float, /) -> int | None: ...
    def quantile(self, p: float, /) -> float | None: ...
    def rounded(self) -> dict[int, int]: ...
    def histogram(self) -> list[tuple[float, float, int]]: ...
    def coarse_histogram(self) -> dict[int, int]: ...
    def add_times(self, response_time: float, times: int, /) -> None: ...
    def clear_times(self) -> None: ...
    def seconds(self) -> list[tuple[int, int, int]]: ...
    def set_seconds(self, rows: Iterable[tuple[int, int, int]], /) -> None: ...
    def counts_between(self, first: float, end: float, /) -> tuple[int, int]: ...
    def intervals(self) -> list[tuple[int, int, int]]: ...
    def interval_times(self, key: int, /) -> dict[int, int]: ...
    def record_phases(
        self,
        lookup: float | None,
        connect: float | None,
        tls: float | None,
        send: float | None,
        wait: float | None,
        receive: float | None,
        lag: float | None,
        /,
    ) -> None: ...
    def phase_count(self, phase: int, /) -> int: ...
    def phase_quantile(self, phase: int, p: float, /) -> float | None: ...
    def phase_histogram(self, phase: int, /) -> list[tuple[float, float, int]]: ...
    def phase_coarse_histogram(self, phase: int, /) -> dict[int, int]: ...

@disjoint_base
class StatsErrorCount:
    """How often and when one error occurred."""

    occurrences: int
    first_seen: float | None
    last_seen: float | None

@final
class StatsTable:
    """Finds the counters of a sample and records it."""

    entries: Any
    total: Any
    def __new__(
        cls,
        entries: dict[Any, Any],
        total: StatsCounters,
        find_error: Callable[[str, str, Any, str], StatsErrorCount],
    ) -> Self: ...
    def record(
        self,
        request_type: str,
        name: str,
        response_time: float | None,
        response_length: int,
        exception: Any = None,
        now: float | None = None,
        /,
    ) -> None: ...
    def record_failure(self, request_type: str, name: str, error: Any, now: float, /) -> None: ...
    def record_resent(self, request_type: str, name: str, /) -> None: ...
    def forget(self) -> None: ...

# ---- requests ----

@final
class Engine:
    """The request engine of one gevent hub."""

    def __new__(cls, hub: Any, arm: Callable[[float | None, bool], object]) -> Self: ...
    def step(self, timer_fired: bool = False, /) -> None: ...
    def yield_if_needed(self) -> None: ...
    def sleep(self, seconds: float, /) -> None: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...
    def counts(self) -> dict[str, int]: ...

@final
class ClassWatch:
    """Notices that attributes of classes, (class, name) each, were replaced."""

    def __new__(cls, guard: type, attributes: tuple[tuple[type, str], ...], flag_tells: bool) -> Self: ...
    def look(self) -> int: ...

@final
class Pool:
    """Connections that several sessions share."""

    def __new__(
        cls, engine: Engine, max_idle: int = 10, max_open: int = 0, lifetime: float = 0.0
    ) -> Self: ...
    def close(self) -> None: ...
    def counts(self) -> dict[str, int]: ...

@final
class Stream:
    """The body of a response that is read while it arrives."""

    @property
    def closed(self) -> bool: ...
    @property
    def ended(self) -> bool: ...
    def read(self, size: int = -1, /) -> bytes: ...
    def close(self) -> None: ...

@disjoint_base
class Session:
    """Connections, cookies and settings of one user; base of the sessions."""

    request_name: str | None
    request_event: Any
    user: Any
    headers: Any
    auth: Any
    proxies: Any
    hooks: Any
    params: Any
    verify: Any
    cert: Any
    adapters: Any
    cookies: Any
    _resend_closed: int
    _resend_late: int
    _request_overridden: bool
    _keeps_cookies: bool
    _long_way_only: bool
    _user_context: Callable[[], dict[str, Any]] | None
    _watch: ClassWatch | None
    _connection_options: Any
    http_version: str
    max_body_size: int
    @property
    def base_url(self) -> str: ...
    @base_url.setter
    def base_url(self, base_url: str | None) -> None: ...
    def request(
        self,
        method: str,
        url: str,
        name: str | None = None,
        catch_response: bool = False,
        context: dict[str, Any] = {},
        **kwargs: Any,
    ) -> Any: ...
    def get(self, url: str, **kwargs: Any) -> Any: ...
    def options(self, url: str, **kwargs: Any) -> Any: ...
    def head(self, url: str, **kwargs: Any) -> Any: ...
    def post(self, url: str, data: Any = None, json: Any = None, **kwargs: Any) -> Any: ...
    def put(self, url: str, data: Any = None, json: Any = None, **kwargs: Any) -> Any: ...
    def patch(self, url: str, data: Any = None, json: Any = None, **kwargs: Any) -> Any: ...
    def delete(self, url: str, **kwargs: Any) -> Any: ...
    def close(self) -> None: ...
    def _setup(
        self,
        engine: Engine,
        base_url: str,
        request_event: Any,
        user: Any,
        response_type: type[Response],
        context_type: type[Response],
        wire_headers: tuple[tuple[str, str], ...],
        header_block: bytes,
        fast: bool,
        /,
    ) -> None: ...
    def _set_base(self, base_url: str, header_block: bytes, /) -> None: ...
    def _set_timeouts(self, timeout: float | tuple[float, float] | None, /) -> None: ...
    def _exchange(
        self,
        method: str,
        url: str,
        wire: bytes,
        catch_response: bool,
        timeout: float | tuple[float | None, float | None] | None,
        verify: bool | str | None,
        cert: str | tuple[str, str] | None,
        proxy: str | None,
        /,
        *,
        body: Iterable[bytes] | None = None,
        chunked: bool = False,
        stream: bool = False,
        http_version: str | None = None,
        pool: Pool | None = None,
    ) -> Any: ...
    def _set_pool(self, pool: Pool | None, /) -> None: ...
    def _set_limits(self, max_idle: int, max_open: int, lifetime: float, /) -> None: ...
    def _cookie_list(
        self,
    ) -> list[tuple[str, str, str, str | None, int | None, bool, bool, bool, bool]]: ...
    def _cookie_put(
        self,
        domain: str,
        path: str,
        name: str,
        value: str | None,
        expires: int | None,
        secure: bool,
        http_only: bool,
        domain_specified: bool,
        path_specified: bool,
        /,
    ) -> None: ...
    def _cookie_remove(self, domain: str | None, path: str | None, name: str | None, /) -> int: ...

@disjoint_base
class Response:
    """What one request brought; base of the response classes."""

    error: Any
    url: Any
    status_code: int
    headers: Any
    encoding: Any
    reason: Any
    cookies: Any
    history: Any
    elapsed: Any
    request: Any
    raw: Any
    connection: Any
    request_meta: dict[str, Any]
    timings: Timings | None
    _content: Any
    _stream: Stream | None
    _method: str
    _name: str
    _exception: Any
    _catch_response: bool
    _context: dict[str, Any] | None
    _hook: Any
    _start_time: float
    _response_time_ms: float
    _length: int
    _resent: int
    _outcome: bytes
    @property
    def content(self) -> Any: ...
    @content.setter
    def content(self, value: bytes | None) -> None: ...
    @property
    def _error_code(self) -> int: ...
    @property
    def _seconds_to_head(self) -> float: ...
    @property
    def _end_ns(self) -> int: ...
    @property
    def _exchange_ms(self) -> float | None: ...
    @property
    def _moments(self) -> tuple[Any, ...] | None: ...
    @property
    def _head_lines(self) -> list[tuple[str, str]]: ...
    @property
    def _meta_made(self) -> bool: ...
    @property
    def _status_line(self) -> str: ...
    @property
    def _body_is_text(self) -> bool: ...
    @property
    def _request_bytes(self) -> bytes: ...
    def _report(self) -> None: ...

@final
class Decoder:
    """Undoes content codings piece by piece."""

    def __new__(cls, content_encoding: str, limit: int) -> Self: ...
    def feed(self, data: Buffer, /) -> bytes: ...
    def finish(self) -> bytes: ...

@final
class Watchdog:
    """Looks from another thread when this one is not heard of."""

    def __new__(
        cls,
        look: Callable[[float], object],
        tick: float,
        blocked: float,
        lasting: float,
        fd: int,
        warning: bytes,
        stacks: int,
        signal: int,
    ) -> Self: ...
    def beat(self) -> float: ...
    def rest(self) -> None: ...
    def close(self) -> None: ...
