"""pytest's plug-in for tests that are locustfiles as well: `session`, `fastsession` and `--host`.

A single file on purpose, as `locust.py`: it overwrites nothing of an installed Locust, whose folder of this
name wins. It is loaded in every run of pytest in an environment, so it imports nothing of ours before a test
asks for a session. PYTEST_DONT_REWRITE: it asserts nothing.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from locust_c.clients import HttpSession
    from locust_c.contrib.fasthttp import FastHttpSession
    from locust_c.user.users import User

# The name that stock Locust's entry point and `-p` use: the import system finds it here.
plugin = sys.modules["pytest_locust.plugin"] = sys.modules[__name__]


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
