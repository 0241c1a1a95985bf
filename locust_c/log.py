"""Logging as Locust sets it up: line format, handler names, and the lines that the web page shows."""

from __future__ import annotations

import logging
import logging.config
import os
import socket
import sys
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .util.exits import log_exit

#: Set when a greenlet of ours or an event listener failed: the command then ends with exit code 2.
unhandled_greenlet_exception = False

#: What log lines call this machine: its name up to the first dot.
HOSTNAME = socket.gethostname().split(".")[0]

#: How many lines :func:`get_logs` remembers.
LOG_LINES_KEPT = 500


class LogReader(logging.Handler):
    """Keeps the last lines of the log, for the web page."""

    def __init__(self) -> None:
        super().__init__()
        self.logs: deque[str] = deque(maxlen=LOG_LINES_KEPT)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Format ``record`` and keep it."""
        try:
            self.logs.append(self.format(record))
            self.count += 1
        except Exception:
            self.handleError(record)


class LogFile(logging.FileHandler):
    """The log in a file; what cannot be written there, because the disk is full say, goes to stderr."""

    def __init__(self, filename: str) -> None:
        super().__init__(filename, encoding="utf-8", errors="backslashreplace")
        self._filename = filename
        self._failed = False

    def handleError(self, record: logging.LogRecord) -> None:
        """Say once why the file cannot be written, and write ``record`` to stderr."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError) or sys.stderr is None:
            super().handleError(record)
            return
        records = [record]
        if not self._failed:
            self._failed = True
            text = f"--logfile: cannot write to '{self._filename}': {error.strerror}; the log goes to stderr"
            values = {"name": "locust.main", "levelno": logging.ERROR, "levelname": "ERROR", "msg": text}
            records.insert(0, logging.makeLogRecord(values))
        with suppress(OSError):
            sys.stderr.write("".join(f"{self.format(line)}\n" for line in records))
            sys.stderr.flush()


def setup_logging(loglevel: str, logfile: str | None = None) -> None:
    """Send the log to stderr, or to ``logfile``; the tables of statistics always go to stderr.

    :param loglevel: name of the lowest level that is written, in any case.
    :param logfile: path of the file; missing folders are made.
    :raises OSError: the file cannot be opened.
    :raises ValueError: there is no such level.
    """
    level = loglevel.upper()
    if not isinstance(logging.getLevelName(level), int):
        raise ValueError(f"there is no log level '{loglevel}'")
    hostname = HOSTNAME.replace("%", "%%")
    handlers: dict[str, dict[str, Any]] = {
        "console": {"class": "logging.StreamHandler", "formatter": "default"},
        "console_plain": {"class": "logging.StreamHandler", "formatter": "plain"},
        "log_reader": {"()": LogReader, "formatter": "default"},
    }
    target = "console"
    if logfile:
        folder = os.path.dirname(logfile)
        if folder:
            os.makedirs(folder, exist_ok=True)
        # dictConfig would hide the reason in an error of its own.
        with open(logfile, "a"):
            pass
        handlers["file"] = {"()": LogFile, "filename": logfile, "formatter": "default"}
        target = "file"
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "default": {"format": f"[%(asctime)s] {hostname}/%(levelname)s/%(name)s: %(message)s"},
                "plain": {"format": "%(message)s"},
            },
            "handlers": handlers,
            "loggers": {
                "locust": {"handlers": [target, "log_reader"], "level": level, "propagate": False},
                "locust.stats_logger": {
                    "handlers": ["console_plain", "log_reader"],
                    "level": "INFO",
                    "propagate": False,
                },
            },
            "root": {"handlers": [target, "log_reader"], "level": level},
        }
    )
    # A dictConfig of the locustfile has disabled the loggers that existed, unless it said otherwise.
    for name, logger in logging.root.manager.loggerDict.items():
        if name.startswith("locust.") and isinstance(logger, logging.Logger):
            logger.disabled = False


def get_logs() -> list[str]:
    """Return the last lines of the log, oldest first; none if the logging is not ours."""
    reader = _reader()
    return [] if reader is None else list(reader.logs)


def count_lines() -> int:
    """How many lines there have been, also those that :func:`get_logs` has forgotten."""
    reader = _reader()
    return 0 if reader is None else reader.count


def _reader() -> LogReader | None:
    handlers = logging.getLogger("locust").handlers
    return next((handler for handler in handlers if isinstance(handler, LogReader)), None)


def greenlet_exception_logger(logger: logging.Logger, level: int = logging.CRITICAL) -> Callable[[Any], None]:
    """Return a function for ``greenlet.link_exception``: it logs the failure, which decides the exit code.

    ``SystemExit`` is no failure.
    """

    def log_failure(greenlet: Any) -> None:
        global unhandled_greenlet_exception
        if isinstance(greenlet.exception, SystemExit):
            log_exit(logger, greenlet.exception)
            return
        unhandled_greenlet_exception = True
        if greenlet.exc_info:
            text = "".join(traceback.format_exception(*greenlet.exc_info))
        else:
            text = repr(greenlet.exception)
        logger.log(level, "Unhandled exception in greenlet: %s\n%s", greenlet, text)

    return log_failure
