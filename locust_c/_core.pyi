from collections.abc import Callable
from typing import Any, Self, TypeVar

_Handler = TypeVar("_Handler", bound=Callable[..., Any])

__version__: str

def _types() -> tuple[type, ...]: ...

# ---- events ----

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

class EventHook:
    """The listeners of one event."""

    _handlers: list[Callable[..., Any]]
    _companions: tuple[EventHook, ...]
    _condition: Callable[..., bool] | None
    def __iadd__(self, handler: Callable[..., Any]) -> Self: ...
    def __isub__(self, handler: Callable[..., Any]) -> Self: ...
    def add_listener(self, handler: _Handler) -> _Handler: ...
    def remove_listener(self, handler: Callable[..., Any]) -> None: ...
    def add_recorder(self, table: Any) -> None: ...
    def remove_recorder(self, table: Any) -> None: ...
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
    def _bind(self, handler: Callable[..., Any]) -> Listener: ...
    def _listener_failed(self, exception: Exception) -> bool: ...
    def _coroutine_returned(self, handler: Callable[..., Any], coroutine: Any) -> None: ...
