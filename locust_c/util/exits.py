"""What the log says when the user's code ends the process."""

from __future__ import annotations

import logging
import traceback

__all__ = ["log_exit", "traceback_of"]


def log_exit(logger: logging.Logger, request: SystemExit) -> None:
    """Logs that the user's code ends the process (Locust's documented text)."""
    logger.info("sys.exit(%s) called (use log level DEBUG for callstack)", request.code)
    logger.debug("%s", traceback_of(request))


def traceback_of(exception: BaseException) -> str:
    """The traceback of an exception, as Python prints it."""
    return "".join(traceback.format_exception(exception))
