"""How far a test is: the part of a runner that knows when it began, how long it may last, and its course."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gevent

from locust_c import stats as statistics
from locust_c.states import STATE_INIT, STATE_MISSING, STATE_STOPPED
from locust_c.timeline import Timeline

if TYPE_CHECKING:
    from locust_c.env import Environment

__all__ = ["KnowsProgress"]

_NO_TEST = (STATE_INIT, STATE_STOPPED, STATE_MISSING)


class KnowsProgress:
    """A runner's knowledge of its test, and the timeline that it writes while there is one."""

    #: Seconds between two points of the timeline. Longer for who is told by others what they counted.
    timeline_interval_s = 1.0

    environment: Environment
    state: str
    user_count: Any
    final_user_classes_count: dict[str, int]
    _spawn: Any

    def __init__(self) -> None:
        super().__init__()
        #: The points of the charts.
        self.timeline = Timeline(self.timeline_interval_s)
        #: Users per second of the last start; 0 before there was one.
        self.spawn_rate: float = 0.0
        self._run_time_s: float | None = None
        self._due_at = 0.0
        self._timer: Any = None
        self._began_at: float | None = None
        self._ended_at: float | None = None
        # Epoch seconds that the clock's being set does not move.
        self._epoch_of_clock = 0.0
        self._recorder: Any = None

    @property
    def elapsed_s(self) -> float | None:
        """Seconds that the test has gone on, or did go on if it has ended; None before the first one."""
        if self._began_at is None:
            return None
        return (time.monotonic() if self._ended_at is None else self._ended_at) - self._began_at

    @property
    def run_time_s(self) -> float | None:
        """The seconds that were asked for, from when they were, after which the test ends; None: no limit."""
        return self._run_time_s

    @property
    def time_left_s(self) -> float | None:
        """Seconds until the test is ended by itself; None if it is not, or if none goes on."""
        if self._run_time_s is None or self.state in _NO_TEST:
            return None
        return max(0.0, self._due_at - time.monotonic())

    def end_after(self, seconds: float, end: Callable[[], object]) -> None:
        """Has ``end`` called in ``seconds``, unless :meth:`cancel_end` is called, or this again."""
        self.cancel_end()
        self._run_time_s = seconds
        self._due_at = time.monotonic() + seconds
        self._timer = self._spawn(self._end_when_due, seconds, end)

    def cancel_end(self) -> None:
        """Forgets what ``end_after`` was told."""
        timer, self._timer, self._run_time_s = self._timer, None, None
        if timer is not None:
            timer.kill()

    def _end_when_due(self, seconds: float, end: Callable[[], object]) -> None:
        gevent.sleep(seconds)
        if self._timer is not gevent.getcurrent():
            return  # cancelled in the same turn of the loop in which it was due
        self._timer = self._run_time_s = None  # nobody is to end this greenlet while it ends the test
        end()

    def _follow_state(self, new_state: str) -> None:
        """To be called when the state changes: a test begins or has ended."""
        if (new_state in _NO_TEST) == (self._recorder is None):
            return
        if self._recorder is None:
            self._began_at, self._ended_at = time.monotonic(), None
            begin = self.timeline.begin(self.environment.stats.total, time.time())
            self._epoch_of_clock = begin - self._began_at
            self._recorder = self._spawn(self._record_timeline)
        else:
            recorder, self._recorder = self._recorder, None
            recorder.kill(block=False)
            self._ended_at = time.monotonic()
            self._write_point(self.timeline.end, sum(self.final_user_classes_count.values()))

    def _record_timeline(self) -> None:
        due = time.monotonic()
        while True:
            due += self.timeline_interval_s
            now = time.monotonic()
            if due - now < self.timeline_interval_s / 2:
                # The last one was late: what it covers is not made up for.
                due = now + self.timeline_interval_s
            gevent.sleep(due - now)
            self._write_point(self.timeline.add, self.user_count)

    def _write_point(self, write: Callable[..., None], users: int) -> None:
        now = time.monotonic() + self._epoch_of_clock
        write(self.environment.stats.total, users, statistics.PERCENTILES_TO_CHART, now)
