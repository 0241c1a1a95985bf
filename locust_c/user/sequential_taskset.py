"""Task sets whose tasks are run in the order of their declaration."""

from __future__ import annotations

from typing import Any

from locust_c.user.declaration import base_tasks, check_attributes, expand_tasks, warn_of_old_hooks, weight_of
from locust_c.user.task import Task, TaskSet, TaskSetMeta

__all__ = ["SequentialTaskSet", "SequentialTaskSetMeta"]


class SequentialTaskSetMeta(TaskSetMeta):
    """Makes ``tasks`` the list of all tasks in the order of the class body, after those of the bases."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> SequentialTaskSetMeta:
        check_attributes(name, body)
        warn_of_old_hooks(name, body)
        tasks = base_tasks(bases)
        for attribute, member in body.items():
            if attribute == "tasks":
                tasks += expand_tasks(name, member)
            else:
                tasks += [member] * weight_of(member)
        body["tasks"] = tasks
        return type.__new__(mcs, name, bases, body)


class SequentialTaskSet(TaskSet, metaclass=SequentialTaskSetMeta):
    """Runs its tasks in the order of their declaration, over and over.

    A task of weight 3 is run three times in a row; those of ``tasks`` come where it stands in the body.
    """

    _next_index = 0

    def get_next_task(self) -> Task:
        """The task after the one that was picked last."""
        tasks = self.tasks
        if not tasks:
            return super().get_next_task()
        index = self._next_index % len(tasks)
        self._next_index = index + 1
        task: Task = tasks[index]
        return task
