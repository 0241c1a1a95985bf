"""pytest's plug-in for tests that are locustfiles as well: `session`, `fastsession` and `--host`.

Stock Locust's is `pytest_locust.plugin`, in a folder without `__init__.py`, which any file `pytest_locust.py`
would hide. So ours has a name of its own, and is called that only where `locust` is ours. It is loaded in
every run of pytest in an environment: nothing of ours is imported before a test asks for a session.
PYTEST_DONT_REWRITE: it asserts nothing.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from locust_c.clients import HttpSession
    from locust_c.contrib.fasthttp import FastHttpSession
    from locust_c.user.users import User

plugin = sys.modules[__name__]

#: What pytest loads: this plug-in, or nothing where stock Locust's is installed, whose options are the same.
entry = plugin
if __name__ != "pytest_locust" and entry_points(group="pytest11", name="locust"):
    entry = ModuleType("locust_c_pytest_leaves_it_to_locust")
else:
    sys.modules["pytest_locust"] = sys.modules["pytest_locust.plugin"] = plugin


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `-H`, unless another plug-in has an option of this name: then its value is taken."""
    group = parser.getgroup("locust", "locust: tests that are also locustfiles")
    with contextlib.suppress(ValueError):
        group.addoption("-H", "--host", metavar="URL", help="what the paths of a session are relative to")


@pytest.fixture
def locust_user() -> User | None:
    """The user that runs this test in a load test; None under pytest."""
    return None


@pytest.fixture
def session(locust_user: User | None, pytestconfig: pytest.Config) -> Iterator[HttpSession]:
    """An HTTP client that works as a requests.Session; paths are relative to the host."""
    from locust_c import pytest_sessions

    client = pytest_sessions.http_session(locust_user, pytestconfig.getoption("host", None))
    yield client
    client.close()


@pytest.fixture
def fastsession(locust_user: User | None, pytestconfig: pytest.Config) -> FastHttpSession:
    """The client of FastHttpUser; paths are relative to the host."""
    from locust_c import pytest_sessions

    return pytest_sessions.fast_session(locust_user, pytestconfig.getoption("host", None))
