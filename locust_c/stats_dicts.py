"""Dicts that the statistics hand out: their owner must know when they are changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypedDict, TypeVar

__all__ = ["CountTable", "StatsBaseDict", "StatsHolder", "WatchedDict", "sort_stats", "text_of"]

_K = TypeVar("_K")
_V = TypeVar("_V")


class StatsBaseDict(TypedDict):
    """What all figures that are sent belong to."""

    name: str
    method: str


class StatsHolder(Protocol):
    """Figures of one name and method: an entry, or an error."""

    name: str
    method: str


class WatchedDict(dict[_K, _V]):
    """A dict that calls ``changed(self)`` after each change that a user makes."""

    def __init__(self, changed: Callable[[Any], None], *args: Any) -> None:
        super().__init__(*args)
        self._changed = changed

    def __setitem__(self, key: _K, value: _V) -> None:
        super().__setitem__(key, value)
        self._changed(self)

    def __delitem__(self, key: _K) -> None:
        super().__delitem__(key)
        self._changed(self)

    def clear(self) -> None:
        super().clear()
        self._changed(self)

    def pop(self, *args: Any) -> Any:
        value = super().pop(*args)
        self._changed(self)
        return value

    def popitem(self) -> tuple[_K, _V]:
        item = super().popitem()
        self._changed(self)
        return item

    def setdefault(self, *args: Any) -> Any:
        value = super().setdefault(*args)
        self._changed(self)
        return value

    def update(self, *args: Any, **kwargs: Any) -> None:
        super().update(*args, **kwargs)
        self._changed(self)

    def __ior__(self, other: Any) -> Any:  # type: ignore[misc]
        self.update(other)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


class CountTable(WatchedDict[int, int]):
    """A copy of a table of counts in C; what is written to the copy goes to the table as well.

    A missing key counts 0 and is not made, so ``table[key] += 1`` works as with Locust's defaultdict.
    """

    def __missing__(self, key: int) -> int:
        return 0


def text_of(key: Any) -> str:
    """A method or name as a plain str; what is none, an int or an enumeration say, is known by its text."""
    return str.__str__(key) if isinstance(key, str) else str(key)


def sort_stats(stats: Mapping[Any, _V]) -> list[_V]:
    """The values in the order of their keys: entries by name, then by method."""
    return [stats[key] for key in sorted(stats)]
