"""How a test ends, and its users: at once, or after their task."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event
from gevent.pool import Group
from greenlet import greenlet as Greenlet

from locust_c.exception import StopTest
from locust_c.states import STATE_CLEANUP, STATE_INIT, STATE_STOPPED
from locust_c.user.group import UserGreenlet, UserGroup

if TYPE_CHECKING:
    from locust_c.dispatch import UsersDispatcher
    from locust_c.env import Environment

__all__ = ["StopsTests", "stop_greenlets"]

logger = logging.getLogger("locust.runners")

# Starting or ending many users takes a while: that often the other greenlets get their turn.
USERS_BETWEEN_TURNS = 100


def stop_greenlets(greenlets: Iterable[UserGreenlet], stop_timeout: float, caller: Greenlet) -> None:
    """Stops the users of ``greenlets`` and returns when they have ended.

    Users that wait are ended at once. The others get ``stop_timeout`` seconds for their task, and are
    ended then. A user that is the ``caller`` cannot be waited for: it is left out.
    """
    others = [greenlet for greenlet in greenlets if greenlet is not caller and not greenlet.dead]
    busy = _begin_stop(others, force=stop_timeout <= 0)
    if busy:
        gevent.joinall(busy, timeout=stop_timeout)
        late = [greenlet for greenlet in busy if not greenlet.dead]
        if late:
            logger.info(
                "%d users did not finish their tasks within %g seconds: they are ended now",
                len(late),
                stop_timeout,
            )
            _begin_stop(late, force=True)
    gevent.joinall(others)


def _begin_stop(greenlets: list[UserGreenlet], *, force: bool) -> list[UserGreenlet]:
    """Ends the users that wait, with ``force`` all, and returns the others; waits for none."""
    busy: list[UserGreenlet] = []
    for number, greenlet in enumerate(greenlets, 1):
        if not greenlet.user._begin_stop(force):
            busy.append(greenlet)
        # Who ends is queued in the hub: a web request would wait behind all of them.
        if number % USERS_BETWEEN_TURNS == 0:
            gevent.sleep(0)
    return busy


class StopsTests:
    """The part of a runner that ends tests."""

    environment: Environment
    state: str
    user_greenlets: UserGroup
    greenlet: Group
    spawning_greenlet: Any
    shape_greenlet: Any
    shape_last_tick: Any
    user_classes_count: Any
    final_user_classes_count: dict[str, int]
    update_state: Any
    cpu_log_warning: Any
    _log_repeated_exceptions: Any
    _users_dispatcher: UsersDispatcher | None
    _stopping: Event | None
    _stopper: Any
    _end_is_near: bool

    def stop(self) -> None:
        """Stops the test: fires ``test_stopping``, stops the users, fires ``test_stop``.

        Returns when the users have ended. Called by a user or the shape, it cannot wait for that one, which
        ends when it next lets another greenlet run. Without a test in progress nothing is fired.
        """
        current = gevent.getcurrent()
        by_user = current in self.user_greenlets
        if self._stopping is not None:
            if by_user:
                current.kill(block=False)
            elif current is not self._stopper:  # a listener of the end cannot wait for it
                users = list(self.user_greenlets)
                self._stopping.wait()
                gevent.joinall(users)  # the one that called stop() ends only now
            return
        if self.state in (STATE_INIT, STATE_STOPPED):
            self.update_state(STATE_STOPPED)
            if not by_user:
                gevent.joinall(list(self.user_greenlets))  # not those of a test that begins meanwhile
            return
        self._stopping = Event()
        if by_user:
            # In another greenlet: who ends this user meanwhile is not to end the end of the test.
            self._stopper = gevent.spawn(self._stop_users, current)
            self._stopper.get()
        else:
            self._stopper = current
            self._stop_users(current)

    def _stop_users(self, caller: Any) -> None:
        try:
            self._end_users(caller)
        finally:
            if self._stopping is not None:
                self._stopping.set()
            self._stopping = self._stopper = None

    def _end_users(self, caller: Any) -> None:
        self.environment.events.test_stopping.fire(environment=self.environment)
        self.final_user_classes_count = self.user_classes_count
        self.update_state(STATE_CLEANUP)
        is_to_end = caller in self.user_greenlets or caller is self.shape_greenlet
        for greenlet in (self.shape_greenlet, self.spawning_greenlet):
            if greenlet is not None and greenlet is not caller:
                greenlet.kill(block=True)
        self.shape_greenlet = None
        self.shape_last_tick = None
        self.spawning_greenlet = None
        self._users_dispatcher = None
        stop_greenlets(list(self.user_greenlets), self.environment.stop_timeout or 0, caller)
        if caller in self.user_greenlets:
            self.user_greenlets.disregard(caller)  # the next test may begin before it has ended
        self.cpu_log_warning()
        self._log_repeated_exceptions()
        self.update_state(STATE_STOPPED)
        self.environment.events.test_stop.fire(environment=self.environment)
        if is_to_end:
            caller.kill(block=False)

    def quit(self) -> None:
        """Stops the test and everything that the runner itself has running."""
        try:
            self.stop()
        finally:
            self.greenlet.kill(block=gevent.getcurrent() not in self.greenlet)

    def end_test(self, reason: StopTest) -> None:
        """Ends the test because somebody raised ``StopTest``; the whole run if there is no web UI.

        Returns at once.
        """
        if self._stopping is not None or self._end_is_near or self.state == STATE_STOPPED:
            return
        self._end_is_near = True
        if str(reason):
            logger.error("%s", reason)
        logger.warning("Stopping Locust...")
        gevent.spawn(self.quit if self.environment.web_ui is None else self.stop)
