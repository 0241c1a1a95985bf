"""A limit of task iterations, for all users of a test together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gevent.event import Event

from locust_c.exception import StopUser
from locust_c.user.task import LOCUST_STATE_WAITING

if TYPE_CHECKING:
    from locust_c.user.task import TaskSet

__all__ = ["IterationLimit"]


class IterationLimit:
    """Lets ``count`` tasks begin, and no more.

    A task set that is run as a task does not count, its tasks do. ``ended`` is set when the last of them has
    ended: until then, users that would begin one more wait, and can be stopped at once; afterwards they stop.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.left = count
        self.ended = Event()
        self._busy: set[int] = set()

    def execute_next_task(self, task_set: TaskSet) -> None:
        """Run the first task of the queue of ``task_set``, if one more may begin.

        :raises StopUser: none may begin any more.
        """
        queue = task_set._task_queue
        if self.left and queue and isinstance(queue[0], type):
            task_set.execute_next_task()
            return
        user = task_set.user
        # A task may run a task set itself: it cannot wait for its own end.
        nested = id(user) in self._busy
        if not self.left:
            if not nested:
                user._state = LOCUST_STATE_WAITING
                self.ended.wait()
            raise StopUser
        self.left -= 1
        if nested:
            task_set.execute_next_task()
            return
        self._busy.add(id(user))
        try:
            task_set.execute_next_task()
        finally:
            self._busy.remove(id(user))
            if not self.left and not self._busy:
                self.ended.set()
