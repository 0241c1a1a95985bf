"""The tables on the terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import gevent

from .. import stats
from .errors import CommandError

if TYPE_CHECKING:
    from ..env import Environment
    from ..user.users import User


def start_periodic_tables(environment: Environment) -> gevent.Greenlet:
    """Print the statistics every ``stats.CONSOLE_STATS_INTERVAL_SEC`` s until the greenlet is killed."""
    return gevent.spawn(stats.stats_printer(environment.stats))


def print_final_tables(environment: Environment) -> None:
    """Print the statistics of the whole test, the percentiles, and the errors if there were any."""
    stats.print_stats(environment.stats, current=False)
    stats.print_percentile_stats(environment.stats)
    stats.print_error_report(environment.stats)


def print_user_class_names(names: list[str]) -> None:
    """Answer ``--list``."""
    with _answer():
        sys.stdout.write("Available Users:\n" + "".join(f"    {name}\n" for name in names))


def print_task_ratios(user_classes: list[type[User]], num_users: int, as_json: bool) -> None:
    """Answer ``--show-task-ratio`` and ``--show-task-ratio-json``."""
    from ..user import inspectuser

    show: Callable[..., None] = inspectuser.print_task_ratio_json if as_json else inspectuser.print_task_ratio
    with _answer():
        if as_json:
            show(user_classes, num_users)
        else:
            for title, total in (("\n Task ratio per User class", False), ("\n Total task ratio", True)):
                sys.stdout.write(f"{title}\n{'-' * 80}\n")
                show(user_classes, num_users, total)


@contextlib.contextmanager
def standard_output() -> Iterator[None]:
    """Write all of it inside.

    :raises OSError: it cannot be written. It is forgotten then, or the interpreter's end would fail with it.
    """
    if sys.stdout is None:
        raise OSError("it is closed")
    try:
        yield
        sys.stdout.flush()
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        raise


@contextlib.contextmanager
def _answer() -> Iterator[None]:
    """What an option asks for, on standard output; a reader that went away is no mistake."""
    try:
        with standard_output():
            yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CommandError(f"Cannot write to standard output: {error.strerror or error}") from error
