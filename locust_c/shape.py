"""Load shapes: a class that says, second by second, how many users there are to be."""

from __future__ import annotations

import time
from abc import ABCMeta, abstractmethod
from collections.abc import Iterator
from math import inf
from numbers import Real
from typing import TYPE_CHECKING, Any

import gevent

if TYPE_CHECKING:
    from locust_c.runners import Runner
    from locust_c.user.users import User

__all__ = ["BadTickError", "LoadTestShape", "LoadTestShapeMeta", "course"]

TICK_INTERVAL_S = 1.0


class BadTickError(ValueError):
    """``tick`` returned what it must not."""


class LoadTestShapeMeta(ABCMeta):
    """Makes subclasses of a shape not abstract."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], body: dict[str, Any], **keywords: Any
    ) -> LoadTestShapeMeta:
        body.setdefault("abstract", False)
        return super().__new__(mcs, name, bases, body, **keywords)


class LoadTestShape(metaclass=LoadTestShapeMeta):
    """The course of a test; subclass it in the locustfile and define ``tick``."""

    runner: Runner | None = None
    """The runner of the test."""
    abstract: bool = True
    """Whether this class is only there to be subclassed."""
    use_common_options: bool = False
    """Whether the shape reads ``--users``, ``--spawn-rate`` and ``--run-time``."""

    def __init__(self) -> None:
        self._start_time = time.perf_counter()

    def reset_time(self) -> None:
        """Sets the run time back to 0."""
        self._start_time = time.perf_counter()

    def get_run_time(self) -> float:
        """Seconds since the test began."""
        return time.perf_counter() - self._start_time

    def get_current_user_count(self) -> int:
        """How many users there are; 0 without a runner."""
        return self.runner.user_count if self.runner is not None else 0

    @abstractmethod
    def tick(self) -> tuple[int, float] | tuple[int, float, list[type[User]] | None] | None:
        """What is wanted now: ``(users, spawn rate)``, or ``(users, spawn rate, user classes)``.

        Called about once a second; ``None`` ends the test.
        """
        return None


def course(shape: LoadTestShape) -> Iterator[Any]:
    """Asks the shape about once a second; yields what it wants whenever that changed, ends when it does.

    Raises ``BadTickError`` if ``tick`` returns what it must not.
    """
    last: Any = None
    while (tick := shape.tick()) is not None:
        if tick != last:
            _check_tick(type(shape).__name__, tick)
            yield tick
        last = tick
        gevent.sleep(TICK_INTERVAL_S)


def _check_tick(name: str, tick: Any) -> None:
    if not isinstance(tick, (tuple, list)) or len(tick) not in (2, 3):
        raise BadTickError(
            f"{name}.tick() must return (users, spawn_rate), (users, spawn_rate, user_classes) or None,"
            f" not {tick!r}"
        )
    users, spawn_rate = tick[:2]
    if not isinstance(users, Real) or not 0 <= float(users) < inf:
        raise BadTickError(f"{name}.tick(): the number of users must be 0 or more, not {users!r}")
    if not isinstance(spawn_rate, Real) or not 0 < float(spawn_rate) < inf:
        raise BadTickError(f"{name}.tick(): the spawn rate must be a number above 0, not {spawn_rate!r}")
    classes = tick[2] if len(tick) == 3 else None
    if classes is not None and not _are_classes(classes):
        raise BadTickError(f"{name}.tick(): the user classes must be a list of classes, not {classes!r}")


def _are_classes(classes: object) -> bool:
    return isinstance(classes, (tuple, list)) and all(isinstance(one, type) for one in classes)
