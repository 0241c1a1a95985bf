"""What the bodies of user and task set classes may say, and how it becomes a list of tasks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from inspect import getattr_static, iscoroutinefunction, isgeneratorfunction
from math import inf
from numbers import Integral, Real
from types import FunctionType
from typing import Any, TypeVar, overload

from locust_c.user import wait_time

__all__ = [
    "check_attributes",
    "check_class",
    "check_task_name",
    "check_weight",
    "collect_tasks",
    "expand_tasks",
    "task",
    "warn_of_old_hooks",
    "warn_of_unused_waits",
    "weight_of",
]

TaskT = TypeVar("TaskT", bound=Callable[..., Any])

logger = logging.getLogger("locust.user.task")


@overload
def task(weight: TaskT) -> TaskT: ...


@overload
def task(weight: int = 1) -> Callable[[TaskT], TaskT]: ...


def task(weight: Any = 1) -> Any:
    """Makes a method, or a task set class in the body of a user or task set, a task.

    ``@task``, ``@task()`` or ``@task(3)``: a task of weight 3 is picked three times as often as one of
    weight 1; in a ``SequentialTaskSet`` it is run three times in a row. Raises ``TypeError`` for a weight
    that is no int.
    """
    if callable(weight):
        return _mark(weight, 1)
    check_weight("@task", weight)

    def decorate(function: TaskT) -> TaskT:
        return _mark(function, weight)

    return decorate


def _mark(function: TaskT, weight: int) -> TaskT:
    check_task_name(function.__name__, "task")
    warn_of_coroutine(function)
    function.locust_task_weight = weight  # type: ignore[attr-defined]
    return function


def check_task_name(name: str, decorator: str) -> None:
    """Raises if ``name`` cannot be a task's, and warns if it means something else already."""
    if name == "run":
        raise Exception(
            "run() belongs to Locust: it must not be overridden or made a task, name it differently"
        )
    if name in ("on_start", "on_stop"):
        logger.warning(
            "%s is decorated with @%s: it is called as a task as well as when the user starts or stops",
            name,
            decorator,
        )


def warn_of_coroutine(function: Any) -> None:
    """Says that calling the function does not run it, which is all that a task set does."""
    for kind, is_kind in (("coroutine", iscoroutinefunction), ("generator", isgeneratorfunction)):
        if is_kind(function):
            name = getattr(function, "__qualname__", repr(function))
            logger.warning("The task %s is a %s function: its body never runs", name, kind)


def check_weight(where: str, weight: object) -> None:
    """Raises ``TypeError`` or ``ValueError`` unless ``weight`` is an int of 0 or more."""
    if not isinstance(weight, Integral):
        raise TypeError(f"{where}: a weight is an int, not {weight!r}")
    if weight < 0:
        raise ValueError(f"{where}: a weight is not negative, got {weight}")


def expand_tasks(owner: str, tasks: object) -> list[Any]:
    """The flat list of a ``tasks`` attribute: each task as often as its weight says.

    ``owner`` names the class in messages. Raises ``TypeError`` for what holds no tasks.
    """
    if tasks is None:
        return []
    if isinstance(tasks, dict):
        pairs: Iterable[Any] = tasks.items()
    elif isinstance(tasks, Iterable) and not isinstance(tasks, (str, bytes)):
        pairs = tasks
    else:
        raise TypeError(f"{owner}.tasks must be a list of tasks or a dict {{task: weight}}, not {tasks!r}")
    flat: list[Any] = []
    for entry in pairs:
        one, weight = entry if isinstance(entry, tuple) and len(entry) == 2 else (entry, 1)
        check_weight(f"{owner}.tasks", weight)
        if not callable(one):
            raise TypeError(f"{owner}.tasks must hold functions or TaskSet classes, not {one!r}")
        warn_of_coroutine(one)
        flat.extend([one] * weight)
    return flat


def collect_tasks(name: str, bases: tuple[type, ...], body: dict[str, Any]) -> list[Any]:
    """The tasks of a class: those of its bases, then ``tasks``, then what ``@task`` decorates."""
    tasks = base_tasks(bases)
    if "tasks" in body:
        tasks += expand_tasks(name, body["tasks"])
    for member in body.values():
        tasks += [member] * weight_of(member)
    return tasks


def weight_of(member: object) -> int:
    """The weight that ``@task`` gave to a member of a class body; 0 for one that is no task.

    Not by asking the member: a proxy or a mock would have an answer to any name.
    """
    weight: int = getattr_static(member, "locust_task_weight", 0)
    return weight


def base_tasks(bases: tuple[type, ...]) -> list[Any]:
    """The tasks that a class inherits."""
    return [one for base in bases for one in getattr(base, "tasks", ())]


def check_attributes(name: str, attributes: Mapping[str, Any]) -> None:
    """Raises ``TypeError`` or ``ValueError`` that names the class and the attribute that is wrong."""
    for attribute, (fits, expected) in _EXPECTED.items():
        if attribute in attributes:
            value = attributes[attribute]
            if not hasattr(value, "__get__") and not fits(value):
                raise TypeError(f"{name}.{attribute} must be {expected}, not {value!r}")
    for attribute in ("weight", "fixed_count"):
        value = attributes.get(attribute)
        if isinstance(value, Real) and not 0 <= float(value) < inf:
            problem = "must not be negative" if value < 0 else "must be a finite number"
            raise ValueError(f"{name}.{attribute} {problem}, got {value!r}")
    _check_wait_time(name, attributes.get("wait_time"))


def check_class(user_class: type) -> None:
    """Raises ``ValueError`` if a user class cannot be used, also because of what it was given later on."""
    name = user_class.__name__
    try:
        check_attributes(name, {attribute: getattr(user_class, attribute) for attribute in _EXPECTED})
    except TypeError as error:
        raise ValueError(str(error)) from None
    if hasattr(user_class, "task_set") and not getattr(user_class, "tasks", None):
        raise ValueError(f"{name}.task_set is from before Locust 1.0: write tasks = [TheTaskSet]")


def warn_of_old_hooks(name: str, body: Mapping[str, Any]) -> None:
    """Says that ``setup`` and ``teardown`` are not called any more, unless the class calls its own."""
    for hook, event in _OLD_HOOKS.items():
        if isinstance(body.get(hook), FunctionType) and not _is_used(hook, body):
            logger.warning(
                "%s.%s is not called since Locust 1.0: make it a listener, @events.%s.add_listener",
                name,
                hook,
                event,
            )


def _is_used(name: str, body: Mapping[str, Any]) -> bool:
    functions = [member for member in body.values() if isinstance(member, FunctionType)]
    return any(name in function.__code__.co_names for function in functions)


def warn_of_unused_waits(user_class: Any, body: Mapping[str, Any]) -> None:
    """Says that ``min_wait`` and ``max_wait`` have no effect beside ``wait_time``."""
    if user_class.wait_time and (body.get("min_wait") is not None or body.get("max_wait") is not None):
        logger.warning(
            "%s: min_wait and max_wait are from before Locust 1.0 and not used:"
            " write wait_time = between(…, …), in seconds",
            user_class.__name__,
        )


_OLD_HOOKS = {"setup": "test_start", "teardown": "test_stop"}


def _check_wait_time(name: str, value: object) -> None:
    """``wait_time = constant`` without its argument would return a function as the time to wait."""
    if getattr(value, "__module__", None) == wait_time.__name__ and value in vars(wait_time).values():
        function = getattr(value, "__name__", "")
        raise TypeError(f"{name}.wait_time must be what {function}(…) returns, not {function} itself")


def _is_number_or_none(value: object) -> bool:
    return value is None or isinstance(value, Real)


_EXPECTED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "host": (lambda value: value is None or isinstance(value, str), "a str"),
    "weight": (lambda value: isinstance(value, Real), "a number"),
    "fixed_count": (lambda value: value is None or isinstance(value, Integral), "an int"),
    "wait_time": (
        lambda value: value is None or callable(value),
        "a function of the user that returns seconds, such as constant(1)",
    ),
    "abstract": (lambda value: value is None or isinstance(value, int), "True or False"),
    "min_wait": (_is_number_or_none, "a number of milliseconds"),
    "max_wait": (_is_number_or_none, "a number of milliseconds"),
}
