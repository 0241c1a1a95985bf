"""The part of a runner that has requests counted in the statistics of its environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from locust_c.stats_recorder import Recorder

if TYPE_CHECKING:
    from locust_c.env import Environment
    from locust_c.stats import RequestStats

__all__ = ["RecordsRequests"]


class RecordsRequests:
    """From its creation to the end of the process a runner counts what ``request`` is fired with."""

    environment: Environment
    _recording: Recorder | None = None

    @property
    def stats(self) -> RequestStats:
        """The statistics of the environment."""
        return self.environment.stats

    @property
    def errors(self) -> dict[str, Any]:
        """The failures of requests, as in ``stats.errors``."""
        return self.stats.errors

    def record_requests(self) -> None:
        """From now on ``request`` events are counted in the statistics of the environment."""
        if self._recording is None or not self._recording.serves(self.stats):
            self.stop_recording()
            self._recording = Recorder(self.environment.events.request, self.stats)

    def follow_statistics(self) -> None:
        """The environment has other statistics: what is counted is counted in those."""
        if self._recording is not None:
            self.record_requests()

    def stop_recording(self) -> None:
        """Ends what ``record_requests`` began."""
        if self._recording is not None:
            self._recording.end()
            self._recording = None

    def _on_quit(self, exit_code: int | None = None, **_: Any) -> None:
        self.stop_recording()
