"""Functions that are tried again."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

__all__ = ["retry"]

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("locust.util.exception_handler")


def retry(
    delays: Sequence[float] = (1, 3, 5), exception: type[Exception] = Exception
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function that is called again when it raises ``exception``, after each of ``delays``
    (seconds); what the last call raises passes through."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            for delay in delays:
                try:
                    return function(*args, **kwargs)
                except exception:
                    logger.info(
                        "%s failed and is called again in %s s", function.__name__, delay, exc_info=True
                    )
                    time.sleep(delay)
            return function(*args, **kwargs)

        return wrapper

    return decorate
