"""The engine in gevent's hub: the only module that touches gevent's loop.

Each hub (each thread has its own) gets one engine when somebody first needs it. The hub watches the
engine's descriptor and a timer; both call `Engine.step`, which wakes greenlets from C. It works with each of
gevent's loops: libev and, with `GEVENT_LOOP=libuv`, gevent's own libuv.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gevent import get_hub
from gevent.monkey import get_original

from locust_c import _core

__all__ = ["call_every", "get_engine", "sleep", "yield_if_needed"]

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
        # On libuv, gevent lets everything that watches a descriptor keep the hub alive.
        self.readable_keeps_alive = self.readable.ref
        self.timer = hub.loop.timer(0.0, 0.0, ref=False)
        # Not run_callback: callbacks that ask for the next one run many times before the loop looks at
        # descriptors again, and other libraries would wait for theirs meanwhile.
        self.soon = hub.loop.idle(priority=hub.loop.MAXPRI)
        if not self.readable_keeps_alive:
            self.readable.start(self.engine.step)

    def arm(self, seconds: float | None, active: bool) -> None:
        """Makes the hub call step() after `seconds` (0: at once, None: when the descriptor is ready).

        `active`: somebody waits, so the hub has to stay alive.
        """
        if not self.readable_keeps_alive:
            self.readable.ref = active
        elif active != self.readable.active:
            if active:
                self.readable.start(self.engine.step)
            else:
                self.readable.stop()
        if seconds is None:
            self.timer.stop()
        elif seconds == 0:
            self.soon.start(self._step_soon)
        else:
            self.timer.stop()
            self.timer.close()  # libuv goes on using what is not closed
            loop = self.hub.loop
            self.timer = loop.timer(max(seconds, loop.approx_timer_resolution), 0.0, ref=False)
            # From now, not from when the loop last looked at its clock.
            self.timer.start(self.engine.step, True, update=True)

    def _step_soon(self) -> None:
        self.soon.stop()
        self.engine.step()

    def stop(self) -> None:
        """Takes the watchers out of the hub's loop, which may be gone already."""
        for watcher in (self.readable, self.timer, self.soon):
            with contextlib.suppress(ValueError):
                watcher.stop()
                watcher.close()
            # gevent keeps what was started, and what that refers to, when it destroys a loop.
            watcher.callback = None

    def close(self) -> None:
        self.stop()
        self.engine.close()


class _Owner:
    """Closes the engine when its thread ends."""

    def __init__(self, watchers: _Watchers) -> None:
        self.watchers = watchers
        self.forked = False

    def __del__(self) -> None:
        if not self.forked and not sys.is_finalizing():
            self.watchers.close()


class _PerThread(_Local):
    owner: _Owner | None = None


_per_thread = _PerThread()


def _leave_to_the_parent() -> None:
    """The engine knows by itself that it is in a child; a new one is made when somebody asks."""
    owner = _per_thread.owner
    if owner is not None:
        owner.forked = True
        # Not now: gevent's loop still shares its descriptors with the parent's.
        owner.watchers.hub.loop.run_callback(owner.watchers.stop)
        _per_thread.owner = None


os.register_at_fork(after_in_child=_leave_to_the_parent)


def get_engine() -> _core.Engine:
    """The engine of this thread's hub, made when first needed."""
    owner = _per_thread.owner
    hub = get_hub()
    if owner is None or owner.watchers.hub is not hub:
        owner = _per_thread.owner = _Owner(_Watchers(hub))
    return owner.watchers.engine


def sleep(seconds: float) -> None:
    """Parks the current greenlet for `seconds`; raises what is thrown into it meanwhile."""
    get_engine().sleep(seconds)


def yield_if_needed() -> None:
    """Gives other greenlets their turn, unless the current one has parked since it last called this."""
    get_engine().yield_if_needed()


def call_every(seconds: float, function: Callable[[], object]) -> Callable[[], None]:
    """Has this thread's hub call `function` now and then, but not stay alive for it; returns what ends that.

    Not in a greenlet: `function` must not wait.
    """
    timer = get_hub().loop.timer(seconds, seconds, ref=False)
    timer.start(function)

    def end() -> None:
        timer.stop()
        timer.close()

    return end
