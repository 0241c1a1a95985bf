"""Names of Locust before 1.0: whoever uses one is told what to write today."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import locust_c
from locust_c import SequentialTaskSet, TaskSet, User, alias, constant, runners, task
from locust_c.command import locustfiles
from locust_c.command.errors import CommandError
from locust_c.env import Environment


@pytest.fixture(autouse=True)
def as_locust() -> None:
    alias.install()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("from locust import TaskSequence", "locust.TaskSequence is from before Locust 1.0: subclass Sequen"),
        (
            "from locust import task, seq_task",
            "locust.seq_task is from before Locust 1.0: decorate",
        ),
        ("from locust.core import HttpLocust", "locust.core is from before Locust 1.0: import from locust"),
        ("import locust.core", "locust.core is from before Locust 1.0: import from locust"),
        ("from locust.runners import locust_runner", "locust_runner is .*: use environment.runner;"),
        ("from locust.stats import global_stats", "global_stats is .*: use environment.stats;"),
        ("from locust.exception import StopLocust", "StopLocust is .*: use StopUser"),
        ("from locust.clients import HttpBrowser", "HttpBrowser is .*: use HttpSession"),
        ("from locust.runners import SlaveNode", "SlaveNode is .*: use WorkerNode"),
        ("from locust.runners import nothing_at_all", "cannot import name 'nothing_at_all'"),
    ],
)
def test_importing_one_says_what_to_write(statement: str, message: str) -> None:
    with pytest.raises(ImportError, match=message):
        exec(statement, {})


def test_looking_for_one_finds_nothing() -> None:
    for holder, name in ((locust_c, "seq_task"), (runners, "locust_runner"), (TaskSet, "locust")):
        assert not hasattr(holder, name)
    with pytest.raises(AttributeError, match=r"runners\.locust_runner is .*: use environment\.runner"):
        runners.locust_runner  # noqa: B018
    with pytest.raises(AttributeError, match=r"module 'locust_c\.runners' has no attribute 'nothing_at_all'"):
        runners.nothing_at_all  # noqa: B018


def test_the_user_of_a_task_set_was_called_locust() -> None:
    user = User(Environment())
    with pytest.raises(AttributeError, match=r"TaskSet has no attribute 'locust' .* the user is self\.user"):
        TaskSet(user).locust  # noqa: B018
    mine: Any = TaskSet(user)
    mine.locust = 1
    assert mine.locust == 1


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("from locust import seq_task", 1, "locust.seq_task is from before"),
        ("import locust.runners\nlocust.runners.locust_runner", 2, "locust.runners.locust_runner is from"),
        ("from locust.core import Locust", 1, "locust.core is from before"),
        (
            "from locust import HttpLocust\nclass Mine(HttpLocust): ...",
            2,
            "The HttpLocust class has been ren",
        ),
    ],
)
def test_the_command_has_one_line_for_it(text: str, line: int, message: str, tmp_path: Any) -> None:
    path = tmp_path / "old_locustfile.py"
    path.write_text(text)
    with pytest.raises(CommandError) as caught:
        locustfiles.load([str(path)])
    (told,) = str(caught.value).splitlines()
    assert told.startswith(f"Error in {path}, line {line}: {message}")


def test_task_set_is_warned_of_and_refused_where_there_is_nothing_else() -> None:
    with pytest.warns(DeprecationWarning, match=r"Old\.task_set is from before Locust 1.0"):
        old = type(User)("Old", (User,), {"task_set": TaskSet})
    with pytest.raises(ValueError, match=r"Old\.task_set is from before .*: write tasks = \[TheTaskSet\]"):
        Environment(user_classes=[old])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        both = type(User)("Both", (User,), {"task_set": TaskSet, "tasks": [TaskSet]})
    assert Environment(user_classes=[both]).user_classes == [both]


@pytest.mark.parametrize("base", [User, TaskSet, SequentialTaskSet])
def test_setup_and_teardown_are_not_called(base: type, caplog: pytest.LogCaptureFixture) -> None:
    class Called(User):
        def setup(self) -> None: ...

        def on_start(self) -> None:
            self.setup()

    assert caplog.messages == []

    def setup(self: Any) -> None: ...

    type(base)("Old", (base,), {"setup": setup, "teardown": setup})
    assert caplog.messages == [
        "Old.setup is not called since Locust 1.0: make it a listener, @events.test_start.add_listener",
        "Old.teardown is not called since Locust 1.0: make it a listener, @events.test_stop.add_listener",
    ]


def test_min_wait_is_not_used_beside_wait_time(caplog: pytest.LogCaptureFixture) -> None:
    class Used(User):
        wait_time = None
        min_wait = max_wait = 1000

    assert caplog.messages == []

    class Unused(User):
        min_wait = 1000
        wait_time = constant(1)

        @task
        def nothing(self) -> None: ...

    (message,) = caplog.messages
    assert message.startswith("Unused: min_wait and max_wait are from before Locust 1.0 and not used: write")
