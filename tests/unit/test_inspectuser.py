"""How often each task is run: the figures and their layout."""

from __future__ import annotations

import json

import pytest

from locust_c import TaskSet, User, task
from locust_c.user.inspectuser import get_ratio, print_task_ratio, print_task_ratio_json


class Browse(TaskSet):
    """A task set that is a task."""

    @task(3)
    def item(self) -> None:
        """Do nothing."""

    @task
    def basket(self) -> None:
        """Do nothing."""


class Buyer(User):
    """Runs a task set and a task."""

    tasks = {Browse: 2}  # noqa: RUF012

    @task
    def pay(self) -> None:
        """Do nothing."""


class Reader(User):
    """Three times as many."""

    weight = 3

    @task
    def read(self) -> None:
        """Do nothing."""


class Monitor(Reader):
    """As many as it says."""

    fixed_count = 2


def shares(ratios: dict[str, dict[str, object]]) -> dict[str, object]:
    return {name: round(float(str(entry["ratio"])), 3) for name, entry in ratios.items()}


def printed(capsys: pytest.CaptureFixture[str], classes: list[type[User]], users: int) -> dict[str, object]:
    print_task_ratio_json(classes, users)
    return shares(json.loads(capsys.readouterr().out)["per_class"])


def test_without_a_number_of_users_the_weights_count(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, [Buyer, Reader], 0) == {"Buyer": 0.25, "Reader": 0.75}


def test_without_a_number_of_users_fixed_counts_are_all_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, [Buyer, Reader, Monitor], 0) == {"Buyer": 0, "Reader": 0, "Monitor": 1}


def test_with_a_number_of_users_it_is_what_will_be_spawned(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, [Buyer, Reader, Monitor], 10) == {"Buyer": 0.2, "Reader": 0.6, "Monitor": 0.2}


def test_tasks_of_a_task_set_are_shares_of_it_or_of_everything() -> None:
    spawned = {"Buyer": 1, "Reader": 3}
    of_class = get_ratio([Buyer, Reader], spawned, False)["Buyer"]["tasks"]
    assert shares(of_class) == {"Browse": 0.667, "pay": 0.333}
    assert shares(of_class["Browse"]["tasks"]) == {"item": 0.75, "basket": 0.25}
    of_all = get_ratio([Buyer, Reader], spawned, True)["Buyer"]["tasks"]
    assert shares(of_all) == {"Browse": 0.167, "pay": 0.083}
    assert shares(of_all["Browse"]["tasks"]) == {"item": 0.125, "basket": 0.042}


def test_the_table_is_indented_by_level(capsys: pytest.CaptureFixture[str]) -> None:
    print_task_ratio([Buyer], 0, False)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        " 100.0      Buyer",
        "   66.7       Browse",
        "     75.0       item",
        "     25.0       basket",
        "   33.3       pay",
    ]
