"""Ending users: at once, or after their task."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import gevent
from greenlet import greenlet as Greenlet

from locust_c.user.group import UserGreenlet

__all__ = ["stop_greenlets"]

logger = logging.getLogger("locust.runners")


def stop_greenlets(greenlets: Iterable[UserGreenlet], stop_timeout: float, caller: Greenlet) -> None:
    """Stops the users of ``greenlets`` and returns when they have ended.

    Users that wait are ended at once. The others get ``stop_timeout`` seconds for their task, and are
    ended then. A user that is the ``caller`` cannot be waited for: it is left out.
    """
    others = [greenlet for greenlet in greenlets if greenlet is not caller and not greenlet.dead]
    busy = [greenlet for greenlet in others if not greenlet.user._begin_stop(stop_timeout <= 0)]
    if busy:
        gevent.joinall(busy, timeout=stop_timeout)
        late = [greenlet for greenlet in busy if not greenlet.dead]
        if late:
            logger.info(
                "%d users did not finish their tasks within %g seconds: they are ended now",
                len(late),
                stop_timeout,
            )
            for greenlet in late:
                greenlet.user._begin_stop(force=True)
    gevent.joinall(others)
