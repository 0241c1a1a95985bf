"""The classes that locustfiles subclass: what a user is, and how it lives."""

from __future__ import annotations

import functools
import logging
import warnings
from time import perf_counter
from typing import TYPE_CHECKING, Any, final

from gevent import get_hub
from gevent.pool import Group
from greenlet import GreenletExit, getcurrent

from locust_c.clients import HttpSession
from locust_c.connections import ConnectionAttributes, ConnectionOptions
from locust_c.exception import RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser
from locust_c.hub import yield_if_needed
from locust_c.user.declaration import (
    check_attributes,
    check_task_name,
    collect_tasks,
    warn_of_old_hooks,
    warn_of_unused_waits,
)
from locust_c.user.errors import NoInitError, is_for_the_caller, report
from locust_c.user.group import UserGreenlet
from locust_c.user.rest import RestMixin
from locust_c.user.task import (
    LOCUST_STATE_RUNNING,
    LOCUST_STATE_STOPPING,
    LOCUST_STATE_WAITING,
    DefaultTaskSet,
)
from locust_c.user.wait_time import constant

if TYPE_CHECKING:
    from urllib3 import PoolManager

    from locust_c.env import Environment
    from locust_c.user.pytest_user import PytestUser

__all__ = ["HttpUser", "PytestUser", "User", "UserMeta"]

logger = logging.getLogger("locust.user.users")


class UserMeta(type):
    """Makes ``tasks`` of a user class the flat list of all its tasks; subclasses are not abstract."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> UserMeta:
        check_attributes(name, body)
        warn_of_old_hooks(name, body)
        body["tasks"] = collect_tasks(name, bases, body)
        body["abstract"] = bool(body.get("abstract"))
        if "task_set" in body:
            warnings.warn(
                f"{name}.task_set is from before Locust 1.0 and does nothing: write tasks = [TheTaskSet]",
                DeprecationWarning,
                stacklevel=2,
            )
        if bases and "run" in body:
            check_task_name("run", "task")
        user_class = super().__new__(mcs, name, bases, body)
        warn_of_unused_waits(user_class, body)
        return user_class


class User(metaclass=UserMeta):
    """A user: runs its tasks one after the other, and waits ``wait_time`` after each.

    ``environment`` is the ``Environment`` it is part of.
    """

    host: str | None = None
    """Base URL of what is tested; ``--host`` and the web UI override it for all classes."""
    min_wait: float | None = None
    """Deprecated: milliseconds; use ``wait_time``."""
    max_wait: float | None = None
    """Deprecated: milliseconds; use ``wait_time``."""
    wait_function: Any = None
    """Deprecated and unused."""
    wait_time: Any = constant(0)
    """Method, or function of the user, that returns the seconds to wait after a task."""
    tasks: list[Any] = []  # noqa: RUF012 - each class gets its own from the metaclass
    """List of tasks or of ``(task, weight)``, or dict ``{task: weight}``; tasks are functions of the user
    or task set classes."""
    weight: float = 1
    """How many of this class there are, relative to the other classes."""
    fixed_count: int = 0
    """If above 0: how many there are, whatever the weights; these are spawned first."""
    abstract: bool = True
    """Whether this class is only there to be subclassed."""

    _state: str | None = None
    _group: Group | None = None
    _greenlet: Any = None
    _cp_last_wait_time = 0.0
    _last_error: BaseException | None = None

    def __init__(self, environment: Environment) -> None:
        super().__init__()  # a mixin may stand behind the user classes
        self.environment = environment
        self._cp_last_run = perf_counter()
        self._taskset_instance = DefaultTaskSet(self)

    @property
    def group(self) -> Group | None:
        """The group its greenlet was started in."""
        return self._group

    @property
    def greenlet(self) -> Any:
        """The greenlet it runs in; ``None`` before ``start``."""
        return self._greenlet

    def on_start(self) -> None:
        """Called when the user starts, before its first task."""

    def on_stop(self) -> None:
        """Called when the user stops."""

    @final
    def run(self) -> None:
        """Lives: ``on_start``, tasks for ever, ``on_stop``. Returns when the user was stopped."""
        self._state = LOCUST_STATE_RUNNING
        reasons: list[StopTest] = []
        try:
            if not self._start_up():
                return
            self._run_tasks()
        except (GreenletExit, StopUser):
            pass
        except StopTest as reason:
            reasons.append(reason)
        # Out of the handler: the exception and its frames are not to live on while on_stop takes its time.
        try:
            self.on_stop()
        except (GreenletExit, StopUser):
            pass
        except StopTest as reason:
            reasons.append(reason)
        except BaseException as exception:
            self._report(exception)
        if reasons and self.environment.runner is not None:
            self.environment.runner.end_test(reasons[0])

    def _start_up(self) -> bool:
        try:
            self.on_start()
        except (StopUser, StopTest, GreenletExit):
            raise
        except BaseException as exception:
            self._report(exception)
            return False
        return True

    def _run_tasks(self) -> None:
        task_set = self._taskset_instance
        while True:
            try:
                task_set.run()
            except RescheduleTaskImmediately:  # a task interrupted the root, which has no parent
                yield_if_needed()
            except RescheduleTask:
                task_set.wait()
            except (StopUser, StopTest, GreenletExit):
                raise
            except BaseException as exception:
                task_set._report(exception)
                raise StopUser from exception

    def _report(self, exception: BaseException) -> None:
        report(self.environment, self, exception, logger)
        if is_for_the_caller(exception):
            raise exception

    def wait(self) -> None:
        """Waits ``wait_time()`` seconds; the user may be stopped at once meanwhile."""
        self._taskset_instance.wait()

    def start(self, group: Group) -> Any:
        """Starts the user in a greenlet of ``group`` and returns that greenlet."""
        if not hasattr(self, "environment"):
            raise NoInitError(self, "environment")
        greenlet = UserGreenlet(self)
        self._greenlet = greenlet
        self._group = group
        group.start(greenlet)
        return greenlet

    def stop(self, force: bool = False) -> bool:
        """Stops the user; returns whether it was told to end at once, rather than after its task.

        That is so with ``force``, and if it waits or has not begun: then it has ended when this returns.
        ``on_stop`` is called in any case. A user that stops itself with ``force`` does not return from here.
        """
        at_once = self._begin_stop(force)
        if at_once and getcurrent() is not get_hub():
            self._greenlet.join()
        return at_once

    def _begin_stop(self, force: bool) -> bool:
        """As :meth:`stop`, but returns without waiting, for those who stop many users."""
        if force or self._state in (LOCUST_STATE_WAITING, None):
            if getcurrent() is self._greenlet:
                raise GreenletExit
            self._greenlet.kill(block=False)
            return True
        self._state = LOCUST_STATE_STOPPING
        return False

    def context(self) -> dict[str, Any]:
        """What is added to the ``context`` of each of its requests; may be overridden."""
        return {}

    @classmethod
    def json(cls) -> dict[str, Any]:
        """What the class picker of the web UI shows of the class."""
        return {
            "host": cls.host,
            "weight": cls.weight,
            "fixed_count": cls.fixed_count,
            "tasks": [task.__name__ for task in cls.tasks],
        }

    @classmethod
    def fullname(cls) -> str:
        """The dotted name of the class, with its module."""
        names = [name for name in cls.__qualname__.split(".") if name != "<locals>"]
        return ".".join([cls.__module__, *names])

    def _require_host(self) -> str:
        if self.host is None:
            raise StopTest(
                "You must specify the base host. Either in the host attribute in the User class, or on the"
                " command line using the --host option."
            )
        if "://" not in self.host:
            _warn_of_host(type(self).__name__, self.host)
        return self.host


@functools.cache
def _warn_of_host(class_name: str, host: str) -> None:
    """Once, and no more than that: requests to whole URLs work. The host may hold a password."""
    logger.warning(
        "The host of %s does not begin with http:// or https://: requests for paths will fail."
        " Write it as in --host http://example.com",
        class_name,
    )


class HttpUser(ConnectionAttributes, RestMixin, User):
    """A user with an HTTP client, ``self.client``, that works as a ``requests.Session``.

    Raises ``StopTest`` if there is no host.
    """

    abstract = True
    pool_manager: PoolManager | None = None
    """Any object: users that have the same one share their connections; by default each has its own."""
    connection_options: ConnectionOptions | None = None
    """How connections are made and kept: limits, life time, source, addresses, TLS."""
    http_version: str | None = None
    """"1.1" (the default), "1.0" or "2"."""
    max_body_size: int | None = None
    """How many bytes a response's body may have, as received and as decoded; None: 256 MiB."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.client = HttpSession(
            base_url=self._require_host(),
            request_event=environment.events.request,
            user=self,
            pool_manager=self.pool_manager,
            connection_options=self.connection_options,
            http_version=self.http_version,
        )
        self.client.trust_env = False
        if self.max_body_size is not None:
            self.client.max_body_size = self.max_body_size


def __getattr__(name: str) -> Any:
    # Of the class below these: locustfiles in pytest style are few.
    if name != "PytestUser":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from locust_c.user import pytest_user

    return pytest_user.PytestUser
