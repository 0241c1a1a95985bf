"""Locustfiles in pytest style: under our command, and the same files under pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import command_process
from servers.control import Echo

ROOT = Path(__file__).parents[2]

#: Fixtures of every kind, and who uses them; ends by itself when each function was run three times.
FIXTURES = """
import faulthandler
import pytest
from locust import events, tag

loaded = print("loaded", __name__)
seen = {}

def ran(user, name):
    seen[name] = seen.get(name, 0) + 1
    if len(seen) == 8 and min(seen.values()) >= 3:
        user.environment.runner.quit()

@events.user_error.add_listener
def told(user_instance, exception, **kw):
    print("error", repr(exception))

@events.quit.add_listener
def told_at_the_end(**kw):
    print("faulthandler", faulthandler.is_enabled())

@pytest.fixture
def token(session):
    print("token up")
    yield session.get("/anything/token").json()["path"]
    print("token down")

@pytest.fixture(scope="module")
def shared():
    print("shared up")
    yield []
    print("shared down")

@pytest.fixture
def finalized(request):
    request.addfinalizer(lambda: print("finalized", request.node.name, request.scope))
    return request.getfixturevalue("locust_user")

def test_token(session, token):
    assert token == "/anything/token"
    session.get("/anything/plain")
    ran(session.user, "token")

def test_fast(fastsession, from_conftest):
    assert from_conftest == ("conftest", fastsession.user)
    assert fastsession.get("/anything/fast").status_code == 200
    ran(fastsession.user, "fast")

@pytest.mark.parametrize("number", [1, 2])
def test_numbers(number, finalized):
    ran(finalized, f"number {number}")

@pytest.fixture(params=["a", "b"])
def letter(request):
    return request.param

@pytest.mark.usefixtures("shared")
def test_letters(letter, locust_user):
    ran(locust_user, f"letter {letter}")

class TestMethods:
    def setup_method(self):
        self.user = None

    @pytest.fixture
    def own(self, locust_user):
        self.user = locust_user

    def test_method(self, shared, own):
        shared.append(self.user)
        assert self.user is not None
        ran(self.user, "method")

    @pytest.mark.skip
    def load_skipped_by_pytest_only(self, locust_user):
        ran(locust_user, "skipped")

    def helper(self):
        print("helper was run")
"""

CONFTEST = """
import pytest

print("conftest")

@pytest.fixture
def from_conftest(locust_user, monkeypatch):
    return "conftest", locust_user

@pytest.fixture(autouse=True)
def everywhere(request):
    with pytest.raises(pytest.FixtureLookupError, match="there is no fixture 'nowhere'"):
        request.getfixturevalue("nowhere")
    print("everywhere", request.function.__name__)

@pytest.fixture
def session(session):
    session.headers["X-Overridden"] = "yes"
    return session
"""


#: Settings of pytest's run of the same tests, none of which is in the way.
SETTINGS = """
[pytest]
addopts = --strict-config --strict-markers -v --log-level=INFO
faulthandler_timeout = 5
log_cli = true
python_functions = test_* load_*
filterwarnings = error
"""


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)


def test_functions_are_users_with_fixtures_of_their_own(tmp_path: Path, echo: Echo) -> None:
    write(tmp_path, locustfile=FIXTURES, conftest=CONFTEST)
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    options = ["--headless", "-t", "20", "-u", "12", "-r", "12", "-H", echo.url, "--only-summary"]
    code, out, err = command_process.run(*options, folder=tmp_path)
    assert code == 0, err
    assert (
        'All users spawned: {"load_skipped_by_pytest_only": 2, "test_fast": 2, "test_letters": 2, '
        '"test_method": 2, "test_numbers": 2, "test_token": 2} (12 total users)'
    ) in err
    lines = Counter(out.splitlines())
    assert lines["faulthandler True"] == 1
    assert lines["loaded locustfile"] == lines["conftest"] == 1
    assert lines["token up"] == lines["token down"] == 2
    assert lines["shared up"] == lines["shared down"] == 1
    assert lines["everywhere test_numbers"] == 4  # two users with two sets of parameters each
    assert lines["finalized test_numbers[1] function"] == lines["finalized test_numbers[2] function"] == 2
    assert not [line for line in lines if line.startswith(("error", "helper", "collected"))]
    for name in ("/anything/token", "/anything/plain", "/anything/fast"):
        assert f"GET      {name} " in err


#: Each raises something else; `ends` counts what went on, and ends the run.
EXCEPTIONS = """
import pytest, requests
from geventhttpclient.useragent import ConnectionError as FastConnectionError
from locust import events
from locust.exception import CatchResponseError, RescheduleTask, StopUser

runs = {}
GO_ON = {
    "swallowed_request": requests.ConnectionError("refused"),
    "swallowed_fast": FastConnectionError("refused"),
    "swallowed_catch": CatchResponseError("wrong"),
    "rescheduled": RescheduleTask(),
    "skipped": pytest.skip.Exception("not now"),
    "told_url": requests.exceptions.InvalidURL("no URL"),
    "told_value": ValueError("a mistake"),
    "told_assert": AssertionError("not equal"),
    "told_fail": pytest.fail.Exception("told so"),
}

@events.user_error.add_listener
def told(user_instance, exception, **kw):
    runs.setdefault("errors", set()).add(f"{type(exception).__name__}: {exception}")

def make(name, exception):
    def function(locust_user):
        runs[name] = runs.get(name, 0) + 1
        if all(runs.get(one, 0) >= 3 for one in GO_ON):
            raise pytest.exit.Exception("all went on")
        raise exception
    function.__name__ = f"test_{name}"
    return function

for name, exception in GO_ON.items():
    globals()[f"test_{name}"] = make(name, exception)
test_stopped = make("stopped", StopUser())

@pytest.fixture
def broken():
    yield 1 / 0

def test_fixture_fails(broken):
    print("never")

@pytest.fixture
def unwanted():
    pytest.skip("not here")

def test_fixture_skips(unwanted):
    print("never")

@events.quitting.add_listener
def report(**kw):
    print("stopped", runs["stopped"])
    for error in sorted(runs["errors"]):
        print("error", error)
"""


def test_which_exceptions_are_told_and_that_users_go_on(tmp_path: Path) -> None:
    write(tmp_path, locustfile=EXCEPTIONS)
    code, out, err = command_process.run("--headless", "-t", "20", "-u", "12", "-r", "12", folder=tmp_path)
    assert code == 1, err
    assert out.splitlines() == [
        "stopped 1",
        "error AssertionError: not equal",
        "error AssertionError: told so",
        "error InvalidURL: no URL",
        "error ValueError: a mistake",
        "error ZeroDivisionError: division by zero",
    ]
    assert "all went on" in err
    assert "Failures" not in err and "Error report" not in err  # nothing of it is a request


#: Locustfiles that cannot be used, and what is said about them.
MISTAKES = [
    ("def test_a(nothing): pass", "test_a asks for the fixture nothing, which does not exist"),
    ("def test_a(capsys): pass", "test_a asks for the fixture capsys, which only pytest itself can give"),
    ("async def test_a(session): pass", "test_a is a coroutine function: users run ordinary ones"),
    (
        "import pytest\n@pytest.mark.parametrize('y', [1])\ndef test_a(): pass",
        "function uses no argument 'y'",
    ),
]

COLLECT = """
import sys, locust_c
from locust_c.util.load_locustfile import PytestFileError, load_locustfile_pytest
for path in sys.argv[1:]:
    try:
        print(load_locustfile_pytest(path))
    except PytestFileError as error:
        print(error)
"""


def test_mistakes_are_told_in_words(tmp_path: Path) -> None:
    files = [f"file{number}" for number in range(len(MISTAKES))]
    write(tmp_path, **dict(zip(files, (text for text, _ in MISTAKES), strict=True)))
    command = [sys.executable, "-c", COLLECT, *(f"{name}.py" for name in files)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    for _, message in MISTAKES:
        assert message in done.stdout
    assert done.stderr == ""


def test_the_command_ends_with_one_line(tmp_path: Path) -> None:
    write(tmp_path, locustfile=MISTAKES[0][0], helpers="def helper(session): pass")
    code, out, err = command_process.run("--headless", "-t", "1", folder=tmp_path)
    path = tmp_path / "locustfile.py"
    assert (code, out, err) == (1, "", f"{path} cannot be used: {MISTAKES[0][1]}\n")
    code, out, err = command_process.run("-f", "helpers.py", "--headless", folder=tmp_path)
    assert code == 1
    assert err.endswith("No User class found!\n")


UNDER_PYTEST = """
import sys
assert "gevent" not in sys.modules and "locust_c" not in sys.modules  # the plug-in alone costs nothing

def test_both(session, fastsession, locust_user, pytestconfig):
    assert locust_user is session.user is fastsession.user is None
    assert session.get("/anything/plain").json()["path"] == "/anything/plain"
    assert fastsession.get("/anything/fast").json()["path"] == "/anything/fast"
    with session.get("/status/404", catch_response=True) as response:
        response.success()
"""


def run_pytest(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


def test_the_same_file_under_pytest(tmp_path: Path, echo: Echo) -> None:
    write(tmp_path, test_plain=UNDER_PYTEST)
    assert "1 passed" in run_pytest(tmp_path, "-p", "locust_c_pytest", "-H", echo.url)


def test_the_option_of_another_plugin_is_taken(tmp_path: Path, echo: Echo) -> None:
    other = "def pytest_addoption(parser):\n    parser.addoption('--host')\n"
    write(tmp_path, other_plugin=other, test_plain=UNDER_PYTEST)
    plugins = ["-p", "other_plugin", "-p", "locust_c_pytest"]
    assert "1 passed" in run_pytest(tmp_path, *plugins, "--host", echo.url)
