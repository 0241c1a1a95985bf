"""The exceptions that Locust's API makes public, under the names and bases it documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from .util.old_names import explain_missing

__all__ = [
    "CatchResponseError",
    "InterruptTaskSet",
    "LocustError",
    "MissingWaitTimeError",
    "RPCError",
    "RPCReceiveError",
    "RPCSendError",
    "RescheduleTask",
    "RescheduleTaskImmediately",
    "ResponseError",
    "RunnerAlreadyExistsError",
    "StopTest",
    "StopUser",
]


class LocustError(Exception):
    """The API was used in a way it does not allow."""


class ResponseError(Exception):
    """Raised in a ``with`` block around a request with ``catch_response=True``: marks it as failed."""


class CatchResponseError(Exception):
    """What ``response.failure("text")`` makes of a text."""


class MissingWaitTimeError(LocustError):
    """A user has no ``wait_time``."""


class InterruptTaskSet(Exception):
    """Ends the task set whose task raises it and goes back to the parent.

    With ``reschedule`` the parent picks its next task at once, otherwise it waits first.
    """

    def __init__(self, reschedule: bool = True) -> None:
        self.reschedule = reschedule


class StopTest(Exception):
    """Stops the whole test run."""


class StopUser(Exception):
    """Stops the user whose task raises it."""


class RescheduleTask(Exception):
    """Ends the task like a return: the user waits and picks the next one."""


class RescheduleTaskImmediately(Exception):
    """Ends the task: the user picks the next one without waiting."""


class RPCError(Exception):
    """The connection between master and worker failed."""


class RPCSendError(Exception):
    """A message between master and worker could not be sent."""


class RPCReceiveError(Exception):
    """A message between master and worker could not be read; ``addr`` is who sent it, if known."""

    def __init__(self, *args: object, addr: str | None = None) -> None:
        super().__init__(*args)
        self.addr = addr


class RunnerAlreadyExistsError(Exception):
    """An environment was asked for a second runner."""


if not TYPE_CHECKING:

    def __getattr__(name: str) -> NoReturn:
        explain_missing(__name__, name)
