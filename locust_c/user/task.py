"""Task sets: the loop in which a user picks a task, runs it and waits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from numbers import Real
from random import choice, random, uniform
from time import perf_counter
from types import FunctionType
from typing import TYPE_CHECKING, Any, NoReturn, final

from greenlet import GreenletExit

from locust_c.exception import (
    InterruptTaskSet,
    MissingWaitTimeError,
    RescheduleTask,
    RescheduleTaskImmediately,
    StopTest,
    StopUser,
)
from locust_c.hub import get_engine, sleep, yield_if_needed
from locust_c.user.declaration import TaskT as TaskT
from locust_c.user.declaration import check_attributes, collect_tasks, task, warn_of_old_hooks
from locust_c.user.errors import (
    MISTAKES,
    BadWaitTimeError,
    NoInitError,
    NoTasksError,
    is_for_the_caller,
    report,
)
from locust_c.user.tags import filter_tasks_by_tags, tag
from locust_c.util.deprecation import RemovedAttribute

if TYPE_CHECKING:
    from locust_c.user.users import User

__all__ = [
    "LOCUST_STATE_RUNNING",
    "LOCUST_STATE_STOPPING",
    "LOCUST_STATE_WAITING",
    "DefaultTaskSet",
    "TaskSet",
    "TaskSetMeta",
    "filter_tasks_by_tags",
    "tag",
    "task",
]

LOCUST_STATE_RUNNING = "running"
LOCUST_STATE_WAITING = "waiting"
LOCUST_STATE_STOPPING = "stopping"

ON_STOP_FAILED = "Uncaught exception in on_stop: "

Task = Callable[..., Any]

logger = logging.getLogger("locust.user.task")


class TaskSetMeta(type):
    """Makes ``tasks`` of a task set the flat list of all its tasks."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> TaskSetMeta:
        check_attributes(name, body)
        warn_of_old_hooks(name, body)
        body["tasks"] = collect_tasks(name, bases, body)
        return super().__new__(mcs, name, bases, body)


class TaskSet(metaclass=TaskSetMeta):
    """A set of tasks that a user runs in random order, until ``interrupt`` or for ever.

    Tasks are methods decorated with ``@task``, or functions and task set classes in ``tasks``.
    """

    tasks: Any = []  # noqa: RUF012 - each class gets its own from the metaclass
    """List of tasks or of ``(task, weight)``, or dict ``{task: weight}``."""
    min_wait: float | None = None
    """Deprecated: milliseconds; see ``wait_time``."""
    max_wait: float | None = None
    """Deprecated: milliseconds; see ``wait_time``."""
    wait_function: Any = None
    """Deprecated and unused."""

    locust = RemovedAttribute("has no attribute 'locust' since Locust 1.0: the user is self.user")

    # Made when something is scheduled: most users never do, and there are many of them.
    _task_queue: list[Task] | None = None
    _cp_last_wait_time = 0.0

    def __init__(self, parent: Any) -> None:
        self._parent = parent
        self._user: User = parent.user if isinstance(parent, TaskSet) else parent
        self._cp_last_run = perf_counter()

    @property
    def user(self) -> Any:
        """The user that runs this task set."""
        return self._user

    @property
    def parent(self) -> Any:
        """The task set this one is a task of, or the user."""
        return self._parent

    @property
    def client(self) -> Any:
        """The user's client."""
        user: Any = self._user
        return user.client

    def on_start(self) -> None:
        """Called when a user begins to run this task set."""

    def on_stop(self) -> None:
        """Called when a user leaves this task set: interrupted, or stopped."""

    @final
    def run(self) -> None:
        """Runs tasks until the task set is interrupted or the user stops; calls ``on_start``, ``on_stop``."""
        if not hasattr(self, "_user"):
            raise NoInitError(self, "parent")
        try:
            self.on_start()
        except InterruptTaskSet as interrupt:
            raise _rescheduled(interrupt) from interrupt
        try:
            if self._user._state == LOCUST_STATE_STOPPING:
                raise StopUser
            if self._has_hooks():
                self._loop_with_hooks()
            else:
                self._loop()
        except InterruptTaskSet as interrupt:
            self._call_on_stop()
            raise _rescheduled(interrupt) from interrupt
        except (StopUser, StopTest, GreenletExit):
            self._call_on_stop()
            raise

    def _loop(self) -> None:
        # The way of nearly all task sets, where none of the methods between two tasks is overridden.
        # A greenlet's C stack is copied at every switch: nothing between run() and the wait is called
        # through C, so that no frame is added to it.
        user = self._user
        owner: Any = self._task_owner()
        waiter: Any = user if _is_plain(self, "wait_time") else self
        pick = None if _is_plain(self, "get_next_task") else self.get_next_task
        engine = get_engine()
        while True:
            wait = True
            try:
                if self._task_queue:
                    function = self._task_queue.pop(0)
                elif pick is not None:
                    function = pick()
                else:
                    tasks = owner.tasks
                    count = len(tasks)
                    if count == 1:
                        function = tasks[0]
                    else:
                        function = tasks[int(random() * count)] if count else self._only_task(tasks)
                if type(function) is FunctionType:
                    function(owner)
                else:
                    self._execute(function, owner)
            except RescheduleTaskImmediately:
                wait = False
            except RescheduleTask:
                pass
            except (InterruptTaskSet, StopUser, StopTest, GreenletExit):
                raise
            except BaseException as exception:
                self._report(exception)
            if user._state == LOCUST_STATE_STOPPING:
                raise StopUser
            if wait:
                seconds = waiter.wait_time()
                try:
                    wait = seconds > 0
                except TypeError:
                    raise BadWaitTimeError(waiter, seconds) from None
            if wait:
                user._state = LOCUST_STATE_WAITING
                engine.sleep(seconds)
                user._state = LOCUST_STATE_RUNNING
            else:
                engine.yield_if_needed()

    def _loop_with_hooks(self) -> None:
        user = self._user
        limit = getattr(user.environment, "iteration_limit", None)
        while True:
            wait = True
            try:
                if not self._task_queue:
                    self.schedule_task(self.get_next_task())
                if limit is None:
                    self.execute_next_task()
                else:
                    limit.execute_next_task(self)
            except RescheduleTaskImmediately:
                wait = False
            except RescheduleTask:
                pass
            except (InterruptTaskSet, StopUser, StopTest, GreenletExit):
                raise
            except BaseException as exception:
                self._report(exception)
            if user._state == LOCUST_STATE_STOPPING:
                raise StopUser
            if wait:
                self.wait()
            else:
                yield_if_needed()

    def execute_next_task(self) -> None:
        """Runs the first task of the queue."""
        assert self._task_queue, "execute_next_task() needs a task that was scheduled"
        self.execute_task(self._task_queue.pop(0))

    def execute_task(self, task: Task) -> None:
        """Runs ``task``: a bound method, a task set class, or a function of the task set."""
        self._execute(task, self._task_owner())

    def _execute(self, function: Any, owner: Any) -> None:
        if isinstance(function, type) and issubclass(function, TaskSet):
            function(owner).run()
        elif getattr(function, "__self__", None) is owner:
            function()
        else:
            function(owner)

    def schedule_task(self, task_callable: Task, first: bool = False) -> None:
        """Puts a task in the queue, at its front if ``first``: the queue goes before what is picked."""
        if self._task_queue is None:
            self._task_queue = []
        self._task_queue.insert(0 if first else len(self._task_queue), task_callable)

    def get_next_task(self) -> Task:
        """Picks the task to run next; may be overridden."""
        tasks = self._task_owner().tasks
        chosen: Task = choice(tasks) if len(tasks) > 1 else self._only_task(tasks)
        return chosen

    def wait_time(self) -> float:
        """Seconds to wait after a task: what the user's ``wait_time`` says; may be overridden.

        Without one, ``min_wait`` to ``max_wait`` milliseconds of the task set or the user. Raises
        ``MissingWaitTimeError`` if there is neither.
        """
        user: Any = self._user
        if user.wait_time:
            seconds = user.wait_time()
            if not isinstance(seconds, Real):
                raise BadWaitTimeError(user, seconds)
            return float(seconds)
        for holder in (self, user):
            if holder.min_wait is not None and holder.max_wait is not None:
                return uniform(holder.min_wait, holder.max_wait) / 1000
        raise MissingWaitTimeError(
            "You must define a wait_time method on either the"
            f" {type(user).__name__} or {type(self).__name__} class"
        )

    def wait(self) -> None:
        """Waits ``wait_time()`` seconds; the user may be stopped at once meanwhile."""
        self._user._state = LOCUST_STATE_WAITING
        self._sleep(self.wait_time())
        self._user._state = LOCUST_STATE_RUNNING

    def _sleep(self, seconds: float) -> None:
        if not isinstance(seconds, Real):
            raise BadWaitTimeError(self, seconds)
        if seconds > 0:
            sleep(seconds)
        else:
            yield_if_needed()

    def interrupt(self, reschedule: bool = True) -> NoReturn:
        """Leaves the task set: the parent goes on at once, or after its wait if not ``reschedule``."""
        raise InterruptTaskSet(reschedule)

    def _task_owner(self) -> Any:
        return self

    def _has_hooks(self) -> bool:
        if getattr(self._user.environment, "iteration_limit", None) is not None:
            return True
        if not self._user.wait_time and _is_plain(self, "wait_time"):
            return True
        return not all(
            _is_plain(self, name) for name in ("execute_next_task", "execute_task", "wait", "_sleep")
        )

    def _only_task(self, tasks: Any) -> Any:
        if tasks:
            return tasks[0]
        holder = type(self._task_owner())
        hint = ", but you have set a 'task' attribute on your class - maybe you meant to set 'tasks'?"
        raise NoTasksError(
            f"No tasks defined on {holder.__name__}{hint if hasattr(holder, 'task') else '.'} "
            "Use the @task decorator or set the 'tasks' attribute of the class "
            "(or mark it as abstract = True if you only intend to subclass it)"
        )

    def _report(self, exception: BaseException) -> None:
        # On its own, so that neither the exception nor its frames live on while the user waits.
        user = self._user
        if user._last_error is exception:  # a nested task set reported it already, and passed it on
            raise exception
        report(user.environment, self, exception, logger)
        if not user.environment.catch_exceptions or is_for_the_caller(exception):
            user._last_error = exception
            raise exception
        if isinstance(exception, MISTAKES):
            raise StopUser from exception

    def _call_on_stop(self) -> None:
        try:
            self.on_stop()
        except (StopUser, StopTest, GreenletExit):
            raise
        except BaseException as exception:
            report(self._user.environment, self, exception, logging.getLogger(), ON_STOP_FAILED)
            if is_for_the_caller(exception):
                raise


class DefaultTaskSet(TaskSet):
    """The root of every user: runs the tasks of the user class, and passes them the user."""

    # A method of its own, which does not call TaskSet's: plug-ins put something around both of them.
    def execute_task(self, task: Task) -> None:
        """Runs ``task`` with the user."""
        self._execute(task, self._user)

    def _task_owner(self) -> Any:
        return self._user


_PLAIN = {
    name: (getattr(TaskSet, name), getattr(DefaultTaskSet, name))
    for name in ("execute_next_task", "execute_task", "get_next_task", "wait", "wait_time", "_sleep")
}


def _is_plain(task_set: TaskSet, method: str) -> bool:
    return getattr(getattr(task_set, method), "__func__", None) in _PLAIN[method]


def _rescheduled(interrupt: InterruptTaskSet) -> Exception:
    kind = RescheduleTaskImmediately if interrupt.reschedule else RescheduleTask
    return kind(interrupt.reschedule)
