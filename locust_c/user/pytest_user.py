"""Users of locustfiles in pytest style: one class for each test function."""

from __future__ import annotations

import functools
import logging
import types
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

from locust_c.exception import CatchResponseError
from locust_c.user.users import User

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from locust_c.env import Environment

__all__ = ["PytestUser", "user_class_for"]

logger = logging.getLogger("locust.user.users")


class TestFunction(Protocol):
    """A test function as pytest has collected it; see `locust_c.util.pytest_functions`."""

    name: str
    function: Callable[..., Any]

    def prepare(self, user: User, stack: ExitStack) -> Callable[[], None]:
        """Set up its fixtures for `user`, to be torn down by `stack`; return what calls it with them."""


class PytestUser(User):
    """A user whose tasks are test functions; without wait time, like any user that sets none.

    Fixtures are set up when the user starts and torn down when it stops.
    """

    abstract = True
    functions: Sequence[TestFunction] = ()
    """The test functions of this class: several if classes of tests or sets of parameters share its name."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._fixtures = ExitStack()
        self._calls: dict[TestFunction, Callable[[], None]] = {}

    def on_start(self) -> None:
        """Sets up the fixtures; what was set up until one failed is torn down again."""
        try:
            for function in self.functions:
                self._calls[function] = function.prepare(self, self._fixtures)
        except BaseException:
            self._fixtures.close()
            raise

    def on_stop(self) -> None:
        """Tears down the fixtures."""
        self._fixtures.close()


def user_class_for(name: str, functions: Sequence[TestFunction]) -> type[PytestUser]:
    """Return the user class called ``name`` that runs these test functions."""
    body = {
        "functions": functions,
        "tasks": [_task_for(function) for function in functions],
        "__module__": functions[0].function.__module__,
    }
    return types.new_class(name, (PytestUser,), exec_body=lambda namespace: namespace.update(body))


def _task_for(function: TestFunction) -> Callable[[PytestUser], None]:
    # With its attributes: tags are among them.
    @functools.wraps(function.function)
    def run_test(user: PytestUser) -> None:
        try:
            user._calls[function]()
        except CatchResponseError as error:
            _note(function, error)
        except Exception as error:
            if not _is_counted_already(error):
                raise
            _note(function, error)

    return run_test


def _is_counted_already(error: Exception) -> bool:
    """Whether it is the failure of a request, which the statistics have, and not a mistake in a URL."""
    from geventhttpclient.useragent import ConnectionError as FastConnectionError
    from requests import RequestException

    if isinstance(error, RequestException):
        return not isinstance(error, ValueError)
    return isinstance(error, FastConnectionError)


def _note(function: TestFunction, error: Exception) -> None:
    logger.debug("%s: %r", function.name, error)
