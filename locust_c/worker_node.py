"""Workers as their master sees them."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, ValuesView

from locust_c.states import STATE_INIT, STATE_MISSING, STATE_RUNNING, STATE_SPAWNING

__all__ = ["WorkerNode", "WorkerNodes"]


class WorkerNode:
    """One worker: ``id``, ``state``, ``heartbeat`` (how many more beats it may miss) and its last report.

    ``cpu_usage`` is in percent, ``memory_usage`` in bytes.
    """

    def __init__(self, id: str, state: str = STATE_INIT, heartbeat_liveness: int = 3) -> None:
        self.id = id
        self.state = state
        self.heartbeat = heartbeat_liveness
        self.cpu_usage = 0.0
        self.cpu_warning_emitted = False
        self.memory_usage = 0
        self.user_classes_count: dict[str, int] = {}

    @property
    def user_count(self) -> int:
        """How many users it runs."""
        return sum(self.user_classes_count.values())


class WorkerNodes(MutableMapping[str, WorkerNode]):
    """The workers of a master, by id."""

    def __init__(self) -> None:
        self._workers: dict[str, WorkerNode] = {}

    @property
    def all(self) -> ValuesView[WorkerNode]:
        """All of them, whatever their state."""
        return self.values()

    @property
    def ready(self) -> list[WorkerNode]:
        """Those that wait for a test."""
        return self.get_by_state(STATE_INIT)

    @property
    def spawning(self) -> list[WorkerNode]:
        """Those that start users."""
        return self.get_by_state(STATE_SPAWNING)

    @property
    def running(self) -> list[WorkerNode]:
        """Those that have all their users."""
        return self.get_by_state(STATE_RUNNING)

    @property
    def missing(self) -> list[WorkerNode]:
        """Those that were not heard of for too long."""
        return self.get_by_state(STATE_MISSING)

    def get_by_state(self, state: str) -> list[WorkerNode]:
        """Those in a state, in the order in which they came."""
        return [worker for worker in self._workers.values() if worker.state == state]

    def __getitem__(self, worker_id: str) -> WorkerNode:
        return self._workers[worker_id]

    def __setitem__(self, worker_id: str, worker: WorkerNode) -> None:
        self._workers[worker_id] = worker

    def __delitem__(self, worker_id: str) -> None:
        del self._workers[worker_id]

    def __len__(self) -> int:
        return len(self._workers)

    def __iter__(self) -> Iterator[str]:
        return iter(self._workers)
