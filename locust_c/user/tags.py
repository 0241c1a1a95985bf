"""Tags: which tasks take part in a run (``--tags``, ``--exclude-tags``)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["filter_tasks_by_tags", "tag"]

TaskT = TypeVar("TaskT", bound=Callable[..., Any])

logger = logging.getLogger("locust.user.task")


def tag(*tags: str) -> Callable[[TaskT], TaskT]:
    """Marks a task with ``tags``; on a task set all its tasks.

    Raises ``ValueError`` without a name, also for ``@tag`` without parentheses.
    """
    if not tags or callable(tags[0]):
        raise ValueError("No tag name was supplied")

    def mark(task: TaskT) -> TaskT:
        if hasattr(task, "tasks"):
            for inner in task.tasks:
                mark(inner)
        else:
            own: set[str] = getattr(task, "locust_tag_set", set())
            task.locust_tag_set = own | set(tags)  # type: ignore[attr-defined]
        return task

    return mark


def filter_tasks_by_tags(
    task_holder: type[Any],
    tags: set[str] | None = None,
    exclude_tags: set[str] | None = None,
    checked: dict[Any, bool] | None = None,
) -> None:
    """Removes the tasks of a user or task set class that ``tags`` and ``exclude_tags`` leave out.

    With ``tags`` a task needs one of them; with ``exclude_tags`` it must have none of those. Task sets
    are filtered inside, and left out when nothing remains; the ones of a Markov chain stay whole.
    ``checked`` remembers what was decided about each task (Locust's documented behaviour).
    """
    if checked is None:
        checked = {}
    if _is_markov(task_holder):
        return
    kept = []
    for task in task_holder.tasks:
        if task not in checked:
            checked[task] = _passes(task, tags, exclude_tags, checked)
        if checked[task]:
            kept.append(task)
    task_holder.tasks = kept
    if not kept:
        logger.warning(
            "%s had no tasks left after filtering, instantiating it will fail!", task_holder.__name__
        )


def _passes(
    task: Any, tags: set[str] | None, exclude_tags: set[str] | None, checked: dict[Any, bool]
) -> bool:
    if _is_markov(task):
        return True
    if hasattr(task, "tasks"):
        filter_tasks_by_tags(task, tags, exclude_tags, checked)
        return bool(task.tasks)
    own: set[str] = getattr(task, "locust_tag_set", set())
    if exclude_tags is not None and own & exclude_tags:
        return False
    return tags is None or bool(own & tags)


def _is_markov(task: Any) -> bool:
    return isinstance(task, type) and hasattr(task, "transitions")
