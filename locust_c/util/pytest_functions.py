"""Test functions as pytest finds them, and their fixtures set up for the users of a load test.

pytest itself runs one test after the other; here each user has its own values of the fixtures, all at the
same time. Wider scopes than a function's are shared by the users, from the first that needs it to the last.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from gevent.lock import RLock

from locust_c.exception import StopTest, StopUser

if TYPE_CHECKING:
    from locust_c.user.users import User

__all__ = ["CollectedFunction", "FixtureRequest", "SharedFixtures"]

#: The fixture of `pytest_locust` that says who runs the test.
USER_FIXTURE = "locust_user"


class SharedFixtures:
    """Values of fixtures whose scope is wider than a function."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._values: dict[Hashable, Any] = {}
        self._stack = ExitStack()
        self._users = 0

    def enter(self) -> None:
        """One more user needs them."""
        self._users += 1

    def leave(self) -> None:
        """One user less; behind the last one they are torn down."""
        self._users -= 1
        if not self._users:
            with self._lock:
                if not self._users:  # nobody has come while the lock was waited for
                    self._values.clear()
                    self._stack.close()

    def get(self, key: Hashable, make: Callable[[ExitStack], Any]) -> Any:
        """The value of ``key``, made if there is none yet; other users wait meanwhile."""
        with self._lock:
            if key not in self._values:
                self._values[key] = make(self._stack)
            return self._values[key]


class CollectedFunction:
    """One test function, or one set of parameters of it."""

    def __init__(self, item: pytest.Function, shared: SharedFixtures) -> None:
        self.item = item
        self.shared = shared
        self.name = item.name
        self.function: Callable[..., Any] = item.function

    def prepare(self, user: User, stack: ExitStack) -> Callable[[], None]:
        """Set up its fixtures for ``user``, to be torn down by ``stack``; return what calls it with them."""
        self.shared.enter()
        stack.callback(self.shared.leave)
        fixtures = _Fixtures(self, user, stack)
        try:
            for name in self.item.fixturenames:
                fixtures.value(name)
        except pytest.skip.Exception as skipped:
            raise StopUser(str(skipped)) from skipped
        except pytest.fail.Exception as failed:
            raise AssertionError(str(failed)) from failed
        function = self.function if fixtures.instance is None else self.function.__get__(fixtures.instance)
        arguments = {name: fixtures.value(name) for name in self.item._fixtureinfo.argnames}

        def call() -> None:
            try:
                function(**arguments)
            except pytest.skip.Exception:
                pass
            except pytest.fail.Exception as failed:
                raise AssertionError(str(failed)) from failed
            except pytest.exit.Exception as ended:
                raise StopTest(str(ended)) from ended

        return call


class _Fixtures:
    """The values of the fixtures of one test function for one user."""

    def __init__(self, collected: CollectedFunction, user: User, stack: ExitStack) -> None:
        self.item = collected.item
        self.shared = collected.shared
        self.instance = self.item.cls() if self.item.cls is not None else None
        self._stack = stack
        self._values: dict[Hashable, Any] = {}
        self._user = user

    def value(self, name: str, asked_by: Any = None, stack: ExitStack | None = None) -> Any:
        """The value of a fixture; one that asks for its own name gets the one that it overrides.

        ``stack`` tears down the fixture that asks, if it is no function's.
        """
        if name == "request":
            return FixtureRequest(self, asked_by, stack or self._stack)
        definitions = self._definitions(name)
        position = definitions.index(asked_by) if asked_by in definitions else len(definitions)
        if position == 0:
            raise self._missing(name, asked_by)
        definition = definitions[position - 1]
        if name == USER_FIXTURE:
            return self._user
        if definition.scope != "function":
            key = (definition, self._param_index(name))
            return self.shared.get(key, lambda stack: self._make(definition, stack))
        if definition not in self._values:
            self._values[definition] = self._make(definition, self._stack)
        return self._values[definition]

    def _missing(self, name: str, asked_by: Any) -> pytest.FixtureLookupError:
        """What fixtures catch that ask for one that may be there."""
        text = f"{self.item.name}: there is no fixture {name!r}"
        # Without its __init__, which looks into pytest's own request.
        error: Any = pytest.FixtureLookupError.__new__(pytest.FixtureLookupError, text)
        error.argname, error.msg = name, text
        error.request = FixtureRequest(self, asked_by, self._stack)
        lookup_error: pytest.FixtureLookupError = error
        return lookup_error

    def _definitions(self, name: str) -> list[Any]:
        known = self.item._fixtureinfo.name2fixturedefs
        if name not in known:  # asked for by getfixturevalue()
            found = self.item.session._fixturemanager.getfixturedefs(name, self.item)
            return list(found or ())
        return list(known[name])

    def _param_index(self, name: str) -> int:
        callspec = getattr(self.item, "callspec", None)
        return callspec.indices.get(name, 0) if callspec is not None else 0

    def _make(self, definition: Any, stack: ExitStack) -> Any:
        function = self._bound(definition.func)
        arguments = {name: self.value(name, definition, stack) for name in definition.argnames}
        if inspect.isgeneratorfunction(function):
            return stack.enter_context(contextmanager(function)(**arguments))
        return function(**arguments)

    def _bound(self, function: Any) -> Any:
        """A fixture that is a method belongs to the instance whose test is run."""
        owner = getattr(function, "__self__", None)
        if owner is not None and isinstance(self.instance, type(owner)):
            return function.__func__.__get__(self.instance)
        return function


class FixtureRequest:
    """What a fixture or test gets that asks for ``request``: the part of pytest's that needs no test run.

    ``param`` is there if the fixture has parameters.
    """

    def __init__(self, fixtures: _Fixtures, definition: Any, stack: ExitStack) -> None:
        """``definition``: the fixture that asks, or None for the test function; ``stack`` tears it down."""
        item = fixtures.item
        self._fixtures = fixtures
        self._definition = definition
        self._stack = stack
        self.fixturename: str | None = definition.argname if definition is not None else None
        self.scope: str = definition.scope if definition is not None else "function"
        self.fixturenames = item.fixturenames
        self.node = item
        self.config = item.config
        self.session = item.session
        self.path = item.path
        self.keywords = item.keywords
        self.module = item.module
        self.cls = item.cls
        self.instance = fixtures.instance
        self.function = item.function
        callspec = getattr(item, "callspec", None)
        if callspec is not None and self.fixturename in callspec.params:
            self.param = callspec.params[self.fixturename]

    def addfinalizer(self, finalizer: Callable[[], object]) -> None:
        """Have ``finalizer`` called when the fixture is torn down."""
        self._stack.callback(finalizer)

    def getfixturevalue(self, argname: str) -> Any:
        """The value of another fixture."""
        return self._fixtures.value(argname, self._definition)
