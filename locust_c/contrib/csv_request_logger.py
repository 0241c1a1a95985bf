"""One row of CSV for each request."""

from __future__ import annotations

import csv
import io
import os
import time
from typing import TYPE_CHECKING, Any

from ..stats_sheet import Sheet

if TYPE_CHECKING:
    from ..env import Environment

__all__ = ["CSV_COLUMNS", "CsvRequestLogger"]

CSV_COLUMNS = (
    "timestamp",
    "request_type",
    "name",
    "response_time_ms",
    "response_length",
    "status_code",
    "exception",
)


class CsvRequestLogger:
    """Writes each request of an environment to the file ``filepath``, from :meth:`register` on.

    ``CsvRequestLogger("requests.csv").register(environment)`` in an ``init`` listener is all that is needed.
    A row has the request's start (epoch seconds), its time in ms with two digits behind the point (empty
    without one), its length in bytes and the response's status (0 without). ``flush_interval`` is the number
    of rows that are written together; after a crash the last ones, fewer than that, are missing.
    """

    def __init__(self, filepath: str | os.PathLike[str], *, flush_interval: int = 1) -> None:
        if not isinstance(flush_interval, (int, float)):
            raise TypeError(f"flush_interval must be a number of rows, not {flush_interval!r}")
        self.filepath = filepath
        self.flush_interval = max(1, int(flush_interval))
        self._sheet: Sheet | None = None
        self._environments: list[Environment] = []
        self._rows = io.StringIO(newline="")
        self._writer = csv.writer(self._rows)
        self._pending = 0

    def register(self, environment: Environment) -> None:
        """Empty the file, unless it is open already, and write the requests of ``environment`` to it.

        Missing folders are made. Raises OSError if the file cannot be opened; one that cannot be written
        later costs an error in the log.
        """
        if self._sheet is None:
            path = os.fspath(self.filepath)
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            self._sheet = Sheet(path, "CsvRequestLogger")
            self._writer.writerow(CSV_COLUMNS)
            self._flush()
        if environment not in self._environments:
            self._environments.append(environment)
            environment.events.request.add_listener(self._on_request)
            environment.events.quitting.add_listener(self._on_quitting)
            environment.events.quit.add_listener(self._on_quit)

    def close(self) -> None:
        """Write the last rows and close the file; later requests are not written."""
        if self._sheet is not None:
            self._flush()
            self._sheet.close()
            self._sheet = None
        for environment in self._environments:
            environment.events.request.remove_listener(self._on_request)
            environment.events.quitting.remove_listener(self._on_quitting)
            environment.events.quit.remove_listener(self._on_quit)
        self._environments.clear()

    def _on_request(
        self,
        *,
        request_type: str,
        name: str,
        response_time: float | None,
        response_length: int,
        exception: Any = None,
        response: Any = None,
        start_time: float | None = None,
        **_: Any,
    ) -> None:
        self._writer.writerow(
            (
                time.time() if start_time is None else start_time,
                request_type,
                name,
                None if response_time is None else round(response_time, 2),
                response_length,
                getattr(response, "status_code", None) or 0,
                str(exception) if exception else "",
            )
        )
        self._pending += 1
        if self._pending >= self.flush_interval:
            self._flush()

    def _flush(self) -> None:
        if self._sheet is not None:
            self._sheet.append("", self._rows.getvalue(), instead_of_last=False)
        self._rows.seek(0)
        self._rows.truncate()
        self._pending = 0

    def _on_quitting(self, **_: Any) -> None:
        # Users that end in the time they are given may still make requests: the file stays open.
        self._flush()

    def _on_quit(self, **_: Any) -> None:
        self.close()
