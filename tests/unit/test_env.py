"""Environment: what it checks, makes and changes."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import pytest

from locust_c import LoadTestShape, TaskSet, User, tag, task
from locust_c.env import Environment
from locust_c.exception import RunnerAlreadyExistsError
from locust_c.runners import LocalRunner, WorkerNode, WorkerNodes


def make(name: str, **attributes: Any) -> type[User]:
    return type(User)(name, (User,), attributes)


def test_a_second_runner_is_refused() -> None:
    environment = Environment()
    runner = environment.create_local_runner()
    assert isinstance(environment.runner, LocalRunner)
    with pytest.raises(RunnerAlreadyExistsError, match=r"Environment\.runner already exists"):
        environment.create_local_runner()
    runner.quit()


def test_distributed_runs_say_that_they_are_not_there_and_leave_the_environment_usable() -> None:
    environment = Environment()
    stats = environment.stats
    for create in (
        lambda: environment.create_master_runner(),
        lambda: environment.create_worker_runner("127.0.0.1", 5557),
    ):
        with pytest.raises(NotImplementedError, match="not part of this version"):
            create()
    assert (environment.stats, environment.runner) == (stats, None)
    environment.create_local_runner().quit()


def test_classes_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"have the same class name: .*\.Same, .*\.Same"):
        Environment(user_classes=[make("Same"), make("Same")])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"user_classes": make("Single")}, "user_classes must be a list, not <class '.*Single'>"),
        ({"tags": "slow"}, "tags must be a list, not 'slow'"),
        ({"exclude_tags": "slow"}, "exclude_tags must be a list, not 'slow'"),
        ({"stop_timeout": "ten"}, "stop_timeout must be a number of seconds, not 'ten'"),
        ({"stop_timeout": [1]}, r"stop_timeout must be a number of seconds, not \[1\]"),
    ],
)
def test_arguments_that_cannot_be_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Environment(**arguments)


@pytest.mark.parametrize("what", ["User", TaskSet, 5, None])
def test_user_classes_are_user_classes(what: Any) -> None:
    with pytest.raises(TypeError, match="user_classes must hold subclasses of User, not"):
        Environment(user_classes=[what])


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("weight", "x", r"Late\.weight must be a number, not 'x'"),
        ("fixed_count", -1, r"Late\.fixed_count must not be negative, got -1"),
        ("wait_time", 3, r"Late\.wait_time must be a function of the user"),
    ],
)
def test_attributes_that_were_set_later_are_checked(attribute: str, value: Any, message: str) -> None:
    late = make("Late")
    setattr(late, attribute, value)
    with pytest.raises(ValueError, match=message):
        Environment(user_classes=[late])


def test_classes_without_weight_are_dropped() -> None:
    kept, fixed = make("Kept"), make("Fixed", weight=0, fixed_count=1)
    environment = Environment(user_classes=[kept, make("Dropped", weight=0), fixed])
    assert environment.user_classes_by_name == {"Kept": kept, "Fixed": fixed}
    with pytest.raises(ValueError, match="There are no users with weight > 0"):
        Environment(user_classes=[make("Dropped", weight=0)])


def test_a_shape_must_be_an_instance() -> None:
    with pytest.raises(ValueError, match="shape_class must be an instance"):
        Environment(shape_class=LoadTestShape)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("argument", "option", "expected"),
    [(None, None, 0.0), (3, 5, 3.0), (None, 5, 5.0), (0, 5, 0.0)],
)
def test_the_stop_timeout_argument_goes_before_the_option(
    argument: float | None, option: float | None, expected: float
) -> None:
    environment = Environment(stop_timeout=argument, parsed_options=Namespace(stop_timeout=option))
    assert environment.stop_timeout == expected
    assert isinstance(environment.stop_timeout, float)


def test_events_are_its_own_unless_they_are_given() -> None:
    first = Environment()
    assert first.events is not Environment().events
    assert Environment(events=first.events).events is first.events


class TestUpdateUserClass:
    def test_attributes_and_tasks_are_set(self) -> None:
        class Updated(User):
            @task
            def one(self) -> None: ...

            @task(2)
            def two(self) -> None: ...

        environment = Environment(user_classes=[Updated], available_user_tasks={"Updated": Updated.tasks})
        settings = {"user_class_name": "Updated", "tasks": ["two"], "weight": 7, "host": "http://x"}
        environment.update_user_class(settings)
        assert (Updated.weight, Updated.host) == (7, "http://x")
        assert [one.__name__ for one in Updated.tasks] == ["two", "two"]
        assert settings["user_class_name"] == "Updated"
        environment.update_user_class({"user_class_name": "Updated", "tasks": ["one"]})
        assert [one.__name__ for one in Updated.tasks] == ["one"]

    def test_what_an_attribute_cannot_be_changes_nothing(self) -> None:
        one = make("One")
        environment = Environment(user_classes=[one])
        with pytest.raises(ValueError, match=r"One\.weight must be a number, not 'x'"):
            environment.update_user_class({"user_class_name": "One", "host": "http://h", "weight": "x"})
        assert (one.host, one.weight) == (None, 1)

    def test_unknown_names_are_refused(self) -> None:
        environment = Environment(user_classes=[make("Known")])
        with pytest.raises(ValueError, match="no user class named 'Unknown'"):
            environment.update_user_class({"user_class_name": "Unknown"})
        with pytest.raises(ValueError, match="Known has no task named nothing"):
            environment.update_user_class({"user_class_name": "Known", "tasks": ["nothing"]})


def test_equal_weights_are_for_classes_and_tasks() -> None:
    class Heavy(User):
        weight = 9

        @task(3)
        def one(self) -> None: ...

        @task
        def two(self) -> None: ...

    Environment(user_classes=[Heavy]).assign_equal_weights()
    assert Heavy.weight == 1
    assert [one.__name__ for one in Heavy.tasks] == ["one", "two"]


def test_tags_are_applied_once_to_each_class() -> None:
    class Tagged(User):
        @tag("in")
        @task
        def one(self) -> None: ...

        @task
        def two(self) -> None: ...

    environment = Environment(user_classes=[Tagged], tags=["in"])
    environment.filter_tasks_by_tags()
    assert [one.__name__ for one in Tagged.tasks] == ["one"]
    Tagged.tasks = []

    class Later(Tagged):
        @task
        def three(self) -> None: ...

        @tag("in")
        @task
        def four(self) -> None: ...

    environment.user_classes = [Tagged, Later]
    environment.filter_tasks_by_tags()
    assert Tagged.tasks == []
    assert [one.__name__ for one in Later.tasks] == ["four"]


def test_worker_logs_are_kept_by_worker() -> None:
    environment = Environment()
    environment.update_worker_logs({"worker_id": "w", "logs": ["a line"]})
    environment.update_worker_logs({"logs": ["of nobody"]})
    assert environment.worker_logs == {"w": ["a line"]}


def test_worker_nodes_are_a_mapping_with_their_states() -> None:
    nodes = WorkerNodes()
    for name, state in (
        ("a", "ready"),
        ("b", "running"),
        ("c", "ready"),
        ("d", "missing"),
        ("e", "spawning"),
    ):
        nodes[name] = WorkerNode(name, state)
    del nodes["c"]
    assert (len(nodes), list(nodes), [node.id for node in nodes.all]) == (4, [*"abde"], [*"abde"])
    states = (nodes.ready, nodes.running, nodes.missing, nodes.spawning, nodes.get_by_state("stopped"))
    assert [[node.id for node in state] for state in states] == [["a"], ["b"], ["d"], ["e"], []]
