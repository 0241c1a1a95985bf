"""How much of the processor and of memory this process takes."""

from __future__ import annotations

import psutil

__all__ = ["ProcessUsage"]


class ProcessUsage:
    """Samples the usage of this process."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent()  # psutil measures from one call to the next

    def cpu_percent(self) -> float:
        """Percent of one core, since the call before."""
        return float(self._process.cpu_percent())

    def memory_bytes(self) -> int:
        """Resident memory."""
        return int(self._process.memory_info().rss)
