"""A worker as its master sees it."""

from __future__ import annotations

__all__ = ["WorkerNode"]


class WorkerNode:
    """One worker: ``id``, ``state``, ``heartbeat`` (how many more beats it may miss) and its last report.

    ``cpu_usage`` is in percent, ``memory_usage`` in bytes.
    """

    def __init__(self, id: str, state: str = "ready", heartbeat_liveness: int = 3) -> None:
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
