"""The engine in gevent's hub: the only module that touches gevent's loop.

Each hub (each thread has its own) gets one engine when somebody first needs it. The hub watches the
engine's descriptor and a timer; both call `Engine.step`, which wakes greenlets from C.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from gevent import get_hub
from gevent.monkey import get_original

from locust_c import _core

__all__ = ["get_engine", "sleep", "yield_if_needed"]

# Engines belong to native threads, so this local must be the interpreter's own, not gevent's.
if TYPE_CHECKING:
    from threading import local as _Local
else:
    _Local = get_original("threading", "local")


class _Watchers:
    """The watchers of one hub, set by its engine."""

    def __init__(self, hub: Any) -> None:
        self.hub = hub
        self.engine = _core.Engine(hub, self.arm)
        self.readable = hub.loop.io(self.engine.fileno(), 1, ref=False)
        self.timer = hub.loop.timer(0.0, 0.0, ref=False)
        self.readable.start(self.engine.step)

    def arm(self, seconds: float | None, active: bool) -> None:
        """Makes the hub call step() after `seconds` (0: at once, None: when the descriptor is ready).

        `active`: somebody waits, so the hub has to stay alive.
        """
        self.readable.ref = active
        if seconds is None:
            self.timer.stop()
        elif seconds == 0:
            self.hub.loop.run_callback(self.engine.step)
        else:
            self.timer.stop()
            self.timer = self.hub.loop.timer(seconds, 0.0, ref=False)
            # From now, not from when the loop last looked at its clock.
            self.timer.start(self.engine.step, True, update=True)

    def close(self) -> None:
        self.readable.stop()
        self.readable.close()
        self.timer.stop()
        self.timer.close()
        self.engine.close()


class _PerThread(_Local):
    watchers: _Watchers | None = None


_per_thread = _PerThread()


def _leave_to_the_parent() -> None:
    """The engine knows by itself that it is in a child; a new one is made when somebody asks."""
    _per_thread.watchers = None


os.register_at_fork(after_in_child=_leave_to_the_parent)


def get_engine() -> _core.Engine:
    """The engine of this thread's hub, made when first needed."""
    watchers = _per_thread.watchers
    hub = get_hub()
    if watchers is None or watchers.hub is not hub:
        if watchers is not None:
            watchers.close()
        watchers = _per_thread.watchers = _Watchers(hub)
    return watchers.engine


def sleep(seconds: float) -> None:
    """Parks the current greenlet for `seconds`; raises what is thrown into it meanwhile."""
    get_engine().sleep(seconds)


def yield_if_needed() -> None:
    """Gives other greenlets their turn, unless the current one has parked since it last called this."""
    get_engine().yield_if_needed()
