"""Which users run on which worker: the steps of a ramp.

Locust's documented behaviour: classes in proportion to their weights at every moment of the ramp,
``fixed_count`` classes first, workers filled in turn, and ramping down takes away what came last.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from heapq import heapify, heapreplace
from math import isfinite, log2
from numbers import Real
from typing import TYPE_CHECKING, Any

import gevent

if TYPE_CHECKING:
    from locust_c.user.users import User
    from locust_c.worker_node import WorkerNode

__all__ = ["UsersDispatcher"]


class UsersDispatcher(Iterator[dict[str, dict[str, int]]]):
    """Iterates over the steps of a ramp: ``{worker id: {class name: users it must have}}``.

    ``new_dispatch`` sets the target. ``next`` itself waits as long as the spawn rate demands, so that
    iterating over the dispatcher is the ramp. Workers may come and go meanwhile.
    """

    def __init__(self, worker_nodes: Sequence[WorkerNode], user_classes: Sequence[type[User]]) -> None:
        self._workers: list[str] = []
        self._user_classes: list[type[User]] = []
        self._fixed: Iterator[str] | None = None
        self._pairs: dict[tuple[str, str], tuple[str, str]] = {}
        self._spawned: list[tuple[str, str]] = []
        self._per_class: Counter[str] = Counter()
        self._counts: dict[str, dict[str, int]] = {}
        self._target_user_count = 0
        self._spawn_rate = 1.0
        self._steps: Iterator[None] | None = None
        self._dispatch_iteration_durations: list[float] = []
        self._moved = False
        self._set_user_classes(user_classes)
        self._set_workers(_interleave_hosts([node.id for node in worker_nodes]))

    @property
    def dispatch_in_progress(self) -> bool:
        """Whether the target of the last ``new_dispatch`` was not reached yet."""
        return self._steps is not None

    @property
    def dispatch_iteration_durations(self) -> list[float]:
        """Seconds that computing each step of the last ramp took."""
        return self._dispatch_iteration_durations

    def get_current_user_count(self) -> int:
        """How many users there are after the steps so far."""
        return len(self._spawned)

    def new_dispatch(
        self, target_user_count: float, spawn_rate: float, user_classes: Sequence[type[User]] | None = None
    ) -> None:
        """Starts a ramp to ``target_user_count`` users, by ``spawn_rate`` users a second.

        Of a target that is no whole number the fraction is dropped. ``user_classes`` replaces the classes of
        the users that are added from now on. Raises ``ValueError`` for a negative target and for a rate that
        is not a finite number above 0, ``TypeError`` for what is no number.
        """
        for name, value in (("target_user_count", target_user_count), ("spawn_rate", spawn_rate)):
            if not isinstance(value, Real):
                raise TypeError(f"{name} must be a number, got {value!r}")
        if not isfinite(target_user_count):
            raise ValueError(f"target_user_count must be a finite number, got {target_user_count}")
        if target_user_count < 0:
            raise ValueError(f"target_user_count must be >= 0, got {target_user_count}")
        if not isfinite(spawn_rate):
            raise ValueError(f"spawn_rate must be a finite number, got {spawn_rate}")
        if spawn_rate <= 0:
            raise ValueError(f"spawn_rate must be > 0, got {spawn_rate}")
        self._target_user_count = int(target_user_count)
        self._spawn_rate = spawn_rate
        if user_classes is not None and _sorted(user_classes) != self._user_classes:
            self._set_user_classes(user_classes)
        self._dispatch_iteration_durations = []
        self._steps = self._ramp()

    def add_worker(self, worker_node: WorkerNode) -> None:
        """Adds a worker; the users there are will be distributed anew, in one step."""
        names = [*(name for name in self._workers if name != worker_node.id), worker_node.id]
        self._set_workers(_interleave_hosts(names))
        self._redistribute()

    def remove_worker(self, worker_node: WorkerNode) -> None:
        """Removes a worker; its users go to the others, in one step."""
        self._set_workers([name for name in self._workers if name != worker_node.id])
        self._redistribute()

    def __next__(self) -> dict[str, dict[str, int]]:
        if self._steps is None:
            raise StopIteration
        try:
            next(self._steps)
        except StopIteration:
            self._steps = None
            raise
        return {worker: dict(counts) for worker, counts in self._counts.items()}

    def _ramp(self) -> Iterator[None]:
        step = max(1, int(self._spawn_rate))
        pause = step / self._spawn_rate
        while True:
            started = time.perf_counter()
            before = len(self._spawned)
            moved = self._moved
            if moved:
                self._moved = False  # the step that tells the workers about their new share
            elif len(self._spawned) < self._target_user_count:
                self._add_users(min(step, self._target_user_count - len(self._spawned)))
            else:
                self._remove_users(min(step, len(self._spawned) - self._target_user_count))
            took = time.perf_counter() - started
            self._dispatch_iteration_durations.append(took)
            yield
            if self._moved:
                continue
            if len(self._spawned) == self._target_user_count:
                return
            if len(self._spawned) == before and not moved:
                return  # no worker, or only classes of a fixed count
            gevent.sleep(max(0.0, pause - (time.perf_counter() - started)))

    def _add_users(self, count: int) -> None:
        if not self._workers or not self._user_classes:
            return
        for _ in range(count):
            name = self._next_class()
            if name is None:
                return
            worker = self._workers[len(self._spawned) % len(self._workers)]
            self._spawned.append(self._pairs.setdefault((worker, name), (worker, name)))
            self._per_class[name] += 1
            self._counts[worker][name] += 1

    def _remove_users(self, count: int) -> None:
        for _ in range(count):
            worker, name = self._spawned.pop()
            self._per_class[name] -= 1
            self._counts[worker][name] -= 1
            if name in self._fixed_counts:
                self._fixed = None

    def _next_class(self) -> str | None:
        if self._fixed is None:
            missing = {
                name: count - self._per_class[name]
                for name, count in self._fixed_counts.items()
                if self._per_class[name] < count
            }
            self._fixed = iter(_first(_by_weight(missing), sum(missing.values())))
        name = next(self._fixed, None)
        return name if name is not None else next(self._weighted, None)

    def _set_user_classes(self, user_classes: Sequence[type[User]]) -> None:
        self._user_classes = _sorted(user_classes)
        self._fixed_counts = {cls.__name__: cls.fixed_count for cls in self._user_classes if cls.fixed_count}
        self._fixed = None
        self._weighted = _by_weight(
            {cls.__name__: cls.weight for cls in self._user_classes if not cls.fixed_count}
        )
        for counts in self._counts.values():
            for cls in self._user_classes:
                counts.setdefault(cls.__name__, 0)

    def _set_workers(self, names: list[str]) -> None:
        self._workers = names
        classes = [cls.__name__ for cls in self._user_classes]
        self._counts = {name: self._counts.get(name, dict.fromkeys(classes, 0)) for name in self._workers}

    def _redistribute(self) -> None:
        count = len(self._spawned)
        self._spawned = []
        self._per_class = Counter()
        self._pairs = {}
        self._counts = {}
        self._set_workers(self._workers)
        self._set_user_classes(self._user_classes)
        self._add_users(count)
        self._moved = True


def _sorted(user_classes: Sequence[type[User]]) -> list[type[User]]:
    return sorted(user_classes, key=lambda cls: cls.__name__)


def _interleave_hosts(names: Sequence[str]) -> list[str]:
    """Worker ids so that filling them in turn fills all hosts evenly: the first of each host come first."""
    per_host: Counter[str] = Counter()
    indexed = []
    for name in sorted(names):
        host = name.split("_", 1)[0]
        indexed.append((per_host[host], name))
        per_host[host] += 1
    return [name for _, name in sorted(indexed)]


def _first(names: Iterator[str], count: int) -> Iterator[str]:
    for _ in range(count):
        name = next(names, None)
        if name is None:
            return
        yield name


def _by_weight(weights: dict[str, Any]) -> Iterator[str]:
    """Names for ever, so that at every moment their shares are as near to the weights as can be.

    Greedy: each name taken is the one that brings the Kullback-Leibler divergence of the shares from the
    weights down the most. Ties go to the one taken least, then to the smaller weight, then by name. A class
    whose weight a listener has set to 0 gets no users.
    """
    heap = [
        (weight * log2(weight / (weight + 1)), weight + 1, weight, name)
        for name, weight in weights.items()
        if weight > 0
    ]
    heapify(heap)
    while heap:
        _, x, weight, name = heap[0]
        yield name
        heapreplace(heap, (weight * log2(x / (x + 1)), x + 1, weight, name))
