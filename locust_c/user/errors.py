"""What users raise: counted by the runner, and logged when it is the first of its kind."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import gevent

from locust_c.exception import LocustError, MissingWaitTimeError
from locust_c.user.group import UserGreenlet
from locust_c.util.exits import log_exit, traceback_of

if TYPE_CHECKING:
    from locust_c.env import Environment

__all__ = [
    "MISTAKES",
    "BadWaitTimeError",
    "NoInitError",
    "NoTasksError",
    "is_for_the_caller",
    "message_of",
    "report",
]


class NoTasksError(LocustError):
    """A user or task set has nothing to run."""


class BadWaitTimeError(LocustError, TypeError):
    """``wait_time`` returned what is no number of seconds."""

    def __init__(self, holder: object, returned: object) -> None:
        name = type(holder).__name__
        super().__init__(f"{name}.wait_time() must return a number of seconds, not {returned!r}")


class NoInitError(LocustError):
    """A class has an ``__init__`` of its own that does not call that of its base."""

    def __init__(self, instance: object, argument: str) -> None:
        name = type(instance).__name__
        super().__init__(f"{name}.__init__ must call super().__init__({argument})")


# In a class: its users cannot go on, and where it was noticed is of no use to its author.
MISTAKES = (BadWaitTimeError, MissingWaitTimeError, NoInitError, NoTasksError)


def report(
    environment: Environment,
    user_instance: Any,
    exception: BaseException,
    logger: logging.Logger,
    headline: str | None = None,
) -> None:
    """Fires ``user_error``, which counts the exception, and logs it unless the like was logged before.

    Alike are exceptions that have the same traceback, as in the exceptions of the statistics. The log entry
    begins with ``headline``, or with the text of the exception.
    """
    events = environment.events
    try:
        events.user_error.fire(user_instance=user_instance, exception=exception, tb=exception.__traceback__)
    finally:  # a listener may end the test, and the user with it
        _log(environment, exception, logger, headline)


def _log(
    environment: Environment, exception: BaseException, logger: logging.Logger, headline: str | None
) -> None:
    runner = environment.runner
    if runner is None and isinstance(exception, KeyboardInterrupt):
        # Somebody ends run_single_user, or a program of their own, with Ctrl-C: the caller is told.
        return
    if runner is not None and not runner.is_first_of_its_kind(exception):
        return
    if isinstance(exception, SystemExit):
        log_exit(logging.getLogger("locust.runners"), exception)
    elif isinstance(exception, MISTAKES):
        logger.error("%s", exception)
    else:
        first_line = headline or message_of(exception) or type(exception).__name__
        logger.error("%s\n%s", first_line, traceback_of(exception))


def is_for_the_caller(exception: BaseException) -> bool:
    """Whether an exception of a task is meant for more than the task: it ends the process.

    In a greenlet that is not a user's own, also what is no ``Exception``: a ``gevent.Timeout`` around the
    user, for example.
    """
    if isinstance(exception, (SystemExit, KeyboardInterrupt)):
        return True
    return not isinstance(exception, Exception) and not isinstance(gevent.getcurrent(), UserGreenlet)


def message_of(exception: BaseException) -> str:
    """The text of an exception, also of one that cannot say it."""
    try:
        return str(exception)
    except Exception as error:
        return f"{type(exception).__name__} (its __str__ raised {type(error).__name__})"
