"""The class picker: what ``/swarm`` and ``/user`` do with the classes that a form names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from web_fixtures import Visitor, make_environment, options, page, until

from locust_c import LoadTestShape, User, constant, task


class Buyer(User):
    """Another class, with two tasks."""

    wait_time = constant(0.01)

    @task
    def look(self) -> None:
        """Do nothing."""

    @task
    def buy(self) -> None:
        """Do nothing."""


class Weightless(Visitor):
    """A class that only takes part when its weight is changed."""

    weight = 0


class Once(LoadTestShape):
    """Ends at once."""

    def tick(self) -> None:
        """No users."""


@pytest.fixture
def web_ui(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    classes = {cls.__name__: cls for cls in (Visitor, Buyer, Weightless)}
    environment = make_environment(
        parsed_options=options(profile=None),
        available_user_classes=classes,
        available_shape_classes={"Once": Once()},
        available_user_tasks={name: list(cls.tasks) for name, cls in classes.items()},
    )
    for attribute, value in {"weight": 1, "host": None, "tasks": Buyer.tasks, "fixed_count": 0}.items():
        monkeypatch.setattr(Buyer, attribute, value)
    with page(monkeypatch, environment=environment, userclass_picker_is_active=True) as subject:
        yield subject


def swarm(web_ui: Any, **data: Any) -> Any:
    form = {"user_count": "2", "spawn_rate": "100", **data}
    return web_ui.app.test_client().post("/swarm", data=form).json


def running_classes(web_ui: Any) -> list[str]:
    return [user_class.__name__ for user_class in web_ui.environment.user_classes]


def test_the_classes_of_the_form_are_run(web_ui: Any) -> None:
    answer = swarm(web_ui, user_classes=["Buyer"], profile="nightly")
    assert answer == {
        "success": True,
        "message": "Swarming started",
        "host": None,
        "user_classes": ["Buyer"],
    }
    until(lambda: web_ui.environment.runner.user_classes_count == {"Buyer": 2})
    assert web_ui.environment.profile == "nightly"


def test_without_classes_in_the_form_all_are_run(web_ui: Any) -> None:
    assert swarm(web_ui)["user_classes"] == ["Buyer", "Visitor"]
    until(lambda: web_ui.environment.runner.user_classes_count == {"Visitor": 1, "Buyer": 1})


def test_a_running_test_keeps_its_classes(web_ui: Any) -> None:
    swarm(web_ui, user_classes=["Buyer"])
    until(lambda: web_ui.environment.runner.user_classes_count == {"Buyer": 2})
    assert swarm(web_ui, user_count="3")["user_classes"] == ["Buyer"]
    until(lambda: web_ui.environment.runner.user_classes_count == {"Buyer": 3})
    web_ui.app.test_client().post("/stop")
    assert swarm(web_ui, user_classes=["Visitor"])["user_classes"] == ["Visitor"]


def test_the_load_shape_of_the_form_is_run(web_ui: Any) -> None:
    answer = swarm(web_ui, user_classes=["Visitor"], shape_class="Once")
    assert answer["message"] == "Swarming started using shape class 'Once'"
    until(web_ui.environment.runner.shape_greenlet.ready)
    assert swarm(web_ui, shape_class="Default")["message"] == "Swarming started"
    assert web_ui.environment.shape_class is None


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"user_classes": ["Nobody", "Buyer"]}, "Unknown User(s): Nobody"),
        ({"user_classes": ["Weightless"]}, "There are no users with weight > 0."),
        ({"shape_class": "Twice"}, "Unknown shape class: Twice"),
    ],
)
def test_names_that_there_are_not_are_refused(web_ui: Any, data: dict[str, Any], text: str) -> None:
    answer = swarm(web_ui, **data)
    assert (answer["success"], answer["message"]) == (False, text)
    assert running_classes(web_ui) == ["Visitor"]
    assert web_ui.environment.runner.state == "ready"


def test_without_available_classes_nothing_is_started(web_ui: Any) -> None:
    web_ui.environment.available_user_classes = None
    assert swarm(web_ui)["message"] == "UserClass picker is active but there are no available UserClasses"


def test_a_class_is_changed(web_ui: Any) -> None:
    client = web_ui.app.test_client()
    settings = {"user_class_name": "Buyer", "weight": 5, "host": "http://b", "tasks": ["buy"]}
    answer = client.post("/user", json=settings)
    assert (answer.status_code, answer.json) == (201, {})
    assert (Buyer.weight, Buyer.host, [one.__name__ for one in Buyer.tasks]) == (5, "http://b", ["buy"])
    web_ui.update_template_args()
    assert web_ui.template_args["show_userclass_picker"] is True
    assert sorted(web_ui.template_args["users"]) == ["Buyer", "Visitor", "Weightless"]
    assert web_ui.template_args["users"]["Buyer"]["tasks"] == ["buy"]


def test_the_form_is_told_which_load_shapes_read_its_numbers(web_ui: Any) -> None:
    web_ui.update_template_args()
    assert web_ui.template_args["shapes_with_common_options"] == []
    web_ui.environment.available_shape_classes["Once"].use_common_options = True
    web_ui.update_template_args()
    assert web_ui.template_args["shapes_with_common_options"] == ["Once"]


@pytest.mark.parametrize(
    ("host", "hosts", "expected"),
    [
        (None, ("http://1", None), ("", True, True)),
        (None, ("http://1", "http://2"), ("", True, False)),
        (None, (None, None), ("", False, True)),
        (None, ("http://1", "http://1"), ("http://1", False, False)),
        ("http://e", ("http://1", None), ("http://e", False, False)),
    ],
)
def test_the_form_is_told_of_several_hosts_and_of_none(
    host: str | None, hosts: tuple[str | None, ...], expected: tuple[str, bool, bool]
) -> None:
    classes = [type(f"Visitor{n}", (Visitor,), {"host": one}) for n, one in enumerate(hosts)]
    with page(environment=make_environment(user_classes=classes, host=host)) as web_ui:
        web_ui.update_template_args()
        args = web_ui.template_args
    assert (args["host"], args["override_host_warning"], args["missing_host_warning"]) == expected


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"user_class_name": "Nobody", "weight": 1}, "Nobody"),
        ({"user_class_name": "Buyer", "tasks": ["sell"]}, "sell"),
        ([1], "The body must be a JSON object"),
    ],
)
def test_a_change_that_cannot_be_is_refused(web_ui: Any, body: object, text: str) -> None:
    answer = web_ui.app.test_client().post("/user", data=json.dumps(body))
    assert (answer.status_code, text in answer.text) == (400, True)
    assert (Buyer.weight, len(Buyer.tasks)) == (1, 2)


def test_a_body_that_is_no_json_is_refused(web_ui: Any) -> None:
    answer = web_ui.app.test_client().post("/user", data="x=1")
    assert (answer.status_code, answer.text) == (400, "The body must be a JSON object")
