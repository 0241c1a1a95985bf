"""How often each task is run, relative to the others: ``--show-task-ratio`` and the web UI."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from json import dumps
from typing import TYPE_CHECKING, Any

from locust_c.dispatch import UsersDispatcher
from locust_c.worker_node import WorkerNode

if TYPE_CHECKING:
    from locust_c.user.users import User

__all__ = ["get_ratio", "print_task_ratio", "print_task_ratio_json"]

Ratios = dict[str, dict[str, Any]]


def print_task_ratio(user_classes: list[type[User]], num_users: int, total: bool) -> None:
    """Prints the ratios: within each class, or with ``total`` among all users."""
    _print_ratios(get_ratio(user_classes, _count_users(user_classes, num_users), total), 0)


def print_task_ratio_json(user_classes: list[type[User]], num_users: int) -> None:
    """Prints the ratios within each class and among all users, as JSON."""
    counts = _count_users(user_classes, num_users)
    ratios = {
        "per_class": get_ratio(user_classes, counts, False),
        "total": get_ratio(user_classes, counts, True),
    }
    print(dumps(ratios, indent=4))


def get_ratio(user_classes: list[type[User]], user_spawned: Mapping[str, float], total: bool) -> Ratios:
    """The share of each class and, nested, of its tasks: ``{name: {"ratio": …, "tasks": {…}}}``.

    ``user_spawned`` is how many users of each class there are; with ``total`` the ratios of tasks are shares
    of everything that all users run, otherwise of their user class or task set.
    """
    count = sum(user_spawned.values())
    ratios: Ratios = {}
    for user_class in user_classes:
        ratio = user_spawned.get(user_class.__name__, 0) / count if count else 0.0
        ratios[user_class.__name__] = {
            "ratio": ratio,
            "tasks": _task_ratios(user_class.tasks, ratio if total else None),
        }
    return ratios


def _task_ratios(tasks: list[Any], parent_ratio: float | None) -> Ratios:
    ratios: Ratios = {}
    for task, count in Counter(tasks).items():
        ratio = count * (1.0 if parent_ratio is None else parent_ratio) / len(tasks)
        ratios[task.__name__] = {"ratio": ratio}
        if getattr(task, "tasks", None):
            ratios[task.__name__]["tasks"] = _task_ratios(task.tasks, None if parent_ratio is None else ratio)
    return ratios


def _count_users(user_classes: list[type[User]], num_users: int) -> dict[str, Any]:
    """How many users of each class there will be. If nobody said how many users: those of a fixed count
    only, and without such classes the weights (Locust's documented behaviour).
    """
    if not num_users:
        fixed = {cls.__name__: cls.fixed_count for cls in user_classes}
        return fixed if any(fixed.values()) else {cls.__name__: cls.weight for cls in user_classes}
    dispatcher = UsersDispatcher([WorkerNode("local")], user_classes)
    dispatcher.new_dispatch(num_users, num_users)
    return next(dispatcher)["local"]


def _print_ratios(ratios: Ratios, level: int) -> None:
    for name, share in ratios.items():
        percent = "  " * level + f"{share['ratio'] * 100:.1f}".ljust(6)
        print(f" {percent:<10} {'  ' * level + name:<50}")
        _print_ratios(share.get("tasks", {}), level + 1)
