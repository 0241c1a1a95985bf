"""Task sets in which each task says which ones may follow it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from inspect import getattr_static
from random import choice
from typing import Any, TypeVar

from locust_c.exception import LocustError
from locust_c.user.declaration import check_task_name, check_weight
from locust_c.user.task import Task, TaskSet, TaskSetMeta

__all__ = [
    "InvalidTransitionError",
    "MarkovTaskSet",
    "MarkovTaskSetMeta",
    "MarkovTaskTagError",
    "NoMarkovTasksError",
    "NonMarkovTaskTransitionError",
    "transition",
    "transitions",
]

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
Weights = dict[str, int] | list[str | tuple[str, int]] | list[str] | list[tuple[str, int]]

logger = logging.getLogger("locust.user.task")


class NoMarkovTasksError(LocustError):
    """A Markov task set has no task."""


class InvalidTransitionError(LocustError):
    """A transition leads to a name that the class does not have, or nothing follows a task."""


class NonMarkovTaskTransitionError(LocustError):
    """A transition leads to a method that has no transitions itself."""


class MarkovTaskTagError(LocustError):
    """A task of a Markov task set has tags: leaving tasks out would break the chain."""


def transition(func_name: str, weight: int = 1) -> Callable[[FunctionT], FunctionT]:
    """Makes a method a task that may be followed by the one named ``func_name``.

    The next task is picked at random, in proportion to the weights of the transitions.
    """
    return transitions({func_name: weight})


def transitions(weights: Weights) -> Callable[[FunctionT], FunctionT]:
    """Several transitions at once: ``{name: weight}``, or a list of names and ``(name, weight)``.

    Raises ``TypeError`` or ``ValueError`` for what is neither, and for a weight that is no int of 0 or more.
    """
    following: list[str] = []
    for name, weight in _pairs(weights):
        if not isinstance(name, str):
            raise TypeError(f"@transitions: a transition is the name of a method, not {name!r}")
        check_weight(f"@transitions to {name}", weight)
        following += [name] * weight

    def decorate(function: FunctionT) -> FunctionT:
        check_task_name(function.__name__, "transition")
        known: list[str] = getattr(function, "transitions", [])
        function.transitions = known + following  # type: ignore[attr-defined]
        return function

    return decorate


def _pairs(weights: Weights) -> Iterable[tuple[str, int]]:
    if isinstance(weights, dict):
        return weights.items()
    if not isinstance(weights, (list, tuple)):
        raise TypeError(
            "@transitions takes a dict {name: weight} or a list of names and (name, weight),"
            f" not {weights!r}"
        )
    return [entry if isinstance(entry, tuple) else (entry, 1) for entry in weights]


class MarkovTaskSetMeta(TaskSetMeta):
    """Checks the chain when the class is made."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> MarkovTaskSetMeta:
        cls: Any = super().__new__(mcs, name, bases, body)
        cls.tasks = []  # what follows what decides, not a list
        if not body.get("abstract", False):
            _link(cls)
        made: MarkovTaskSetMeta = cls
        return made


class MarkovTaskSet(TaskSet, metaclass=MarkovTaskSetMeta):
    """Runs the first task of its body, then always one of those that the last one leads to.

    Raises ``NoMarkovTasksError``, ``InvalidTransitionError``, ``NonMarkovTaskTransitionError`` or
    ``MarkovTaskTagError`` when a subclass is made whose chain cannot work; unless it is ``abstract``.
    """

    abstract: bool = True
    current: Any
    """The task that is run next."""

    def get_next_task(self) -> Task:
        """The task to run now; the one after it is drawn from its transitions."""
        task: Any = self.current
        function = getattr(task, "__func__", task)
        self.current = getattr(type(self), choice(function.transitions))
        result: Task = task
        return result


def _link(cls: Any) -> None:
    tasks = _find_tasks(cls)
    if not tasks:
        raise NoMarkovTasksError(
            f"No Markov tasks defined in class {cls.__name__}."
            " Use the @transition(s) decorators to define some."
        )
    for name, function in tasks.items():
        _check_task(cls, name, function, tasks)
    first = next(iter(tasks))
    _warn_of_unreachable(cls, first, tasks)
    cls.current = tasks[first]
    cls.transitions = {name: list(function.transitions) for name, function in tasks.items()}


def _find_tasks(cls: Any) -> dict[str, Any]:
    """The tasks of the class and its bases, by name, in the order of their declaration."""
    found: dict[str, Any] = {}
    for base in cls.__mro__:
        for name, member in vars(base).items():
            # Looked up without asking the member: a mock has everything.
            leads_on = getattr_static(member, "transitions", None) is not None
            if leads_on and callable(member) and not isinstance(member, type) and name != "current":
                found.setdefault(name, getattr(cls, name))
    return found


def _check_task(cls: Any, name: str, function: Any, tasks: dict[str, Any]) -> None:
    tags = getattr(function, "locust_tag_set", None)
    if tags:
        raise MarkovTaskTagError(
            "Tags are unsupported for MarkovTaskSet since they can make the markov chain invalid. "
            f"Tags detected on {cls.__name__}.{name}: {set(tags)}"
        )
    if not function.transitions:
        raise InvalidTransitionError(f"{cls.__name__}.{name} has no transition with a weight above 0")
    for following in function.transitions:
        if following in tasks:
            continue
        if not hasattr(cls, following):
            raise InvalidTransitionError(
                f"Transition to {following} from {name} is invalid since no such element exists on class"
                f" {cls.__name__}"
            )
        raise NonMarkovTaskTransitionError(
            f"{cls.__name__}.{following} cannot be used as a target for a transition since it does not define"
            f" any transitions of its own. Used as a transition from {name}."
        )


def _warn_of_unreachable(cls: Any, first: str, tasks: dict[str, Any]) -> None:
    reached: set[str] = set()
    pending = [first]
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending += tasks[name].transitions
    unreachable = set(tasks) - reached
    if unreachable:
        logger.warning(
            "The following markov tasks are unreachable in class %s: %s", cls.__name__, unreachable
        )
