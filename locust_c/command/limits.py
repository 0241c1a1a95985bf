"""How many sockets the process may open."""

from __future__ import annotations

import logging
import resource

logger = logging.getLogger("locust.main")

ENOUGH_DESCRIPTORS = 10000


def raise_descriptor_limit() -> None:
    """Raise the limit of open descriptors as far as the system lets us; warn if that is not much."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft == hard:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError) as error:
        if soft < ENOUGH_DESCRIPTORS:
            logger.warning("Could not raise the limit of %d open files: %s (see ulimit -n)", soft, error)
