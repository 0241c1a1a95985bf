"""Which exit code a test ends with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import log

if TYPE_CHECKING:
    from ..env import Environment


def exit_code(environment: Environment, code_on_error: int) -> int:
    """Return the exit code of the test that ``environment`` ran (Locust's documented behaviour).

    ``environment.process_exit_code`` if the user's code set it; else ``code_on_error`` if a request or a
    task failed; else 2 if an event listener or a greenlet failed; else 0.
    """
    if environment.process_exit_code is not None:
        return environment.process_exit_code
    runner = environment.runner
    if runner is not None and (runner.errors or runner.exceptions):
        return code_on_error
    if log.unhandled_greenlet_exception:
        return 2
    return 0
