"""One CSV row for each request (Locust's `contrib.csv_request_logger`)."""

from __future__ import annotations

import csv
import logging
import time
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from locust_c.env import Environment

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

logger = logging.getLogger("locust.contrib.csv_request_logger")


class CsvRequestLogger:
    """Writes a row of :data:`CSV_COLUMNS` to a file for each request, once it is registered.

    `filepath`: the file, which is overwritten; its folder must exist. `flush_interval`: how many rows are
    kept back until they are written together; the last ones are written when the test quits. A file that
    cannot be written to any more, because the disk is full say, costs one line of the log and its rows.
    """

    def __init__(self, filepath: str, *, flush_interval: int = 1) -> None:
        if flush_interval < 1:
            raise ValueError(f"flush_interval is a number of rows, 1 or more, not {flush_interval!r}")
        self.filepath = filepath
        self.flush_interval = flush_interval
        self._file: TextIO | None = None
        self._writer: Any = None
        self._kept = 0

    def register(self, environment: Environment) -> None:
        """Open the file and listen to the requests of ``environment``, until it quits.

        :raises OSError: the file cannot be opened.
        """
        self._file = open(self.filepath, "w", newline="", encoding="utf-8")  # noqa: SIM115
        self._writer = csv.writer(self._file)
        self._write(CSV_COLUMNS)
        self._flush()
        environment.events.request.add_listener(self._on_request)
        environment.events.quitting.add_listener(self._on_quitting)

    def close(self) -> None:
        """Write what was kept back, and close the file; requests that come later are left out."""
        if self._file is not None:
            self._flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _on_request(
        self,
        request_type: str,
        name: str,
        response_time: float | None,
        response_length: int | None,
        exception: Any = None,
        response: Any = None,
        start_time: float | None = None,
        **_: Any,
    ) -> None:
        if self._file is None:
            return
        self._write(
            (
                time.time() if start_time is None else start_time,
                request_type,
                name,
                "" if response_time is None else round(response_time, 2),
                "" if response_length is None else response_length,
                _status_code(response, exception),
                "" if exception is None else str(exception),
            )
        )
        self._kept += 1
        if self._kept >= self.flush_interval:
            self._flush()

    def _on_quitting(self, **_: Any) -> None:
        self.close()

    def _write(self, row: tuple[Any, ...]) -> None:
        try:
            self._writer.writerow(row)
        except OSError as error:
            self._give_up(error)

    def _flush(self) -> None:
        self._kept = 0
        try:
            if self._file is not None:
                self._file.flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        logger.error(
            "%s: %s; requests are not written there any more", self.filepath, error.strerror or error
        )
        file, self._file = self._file, None
        try:
            if file is not None:
                file.close()  # tries to write what is left once more
        except OSError:
            pass


def _status_code(response: Any, exception: Any) -> int:
    """The status of the response, or of the one that the exception is about; 0 if there is none."""
    for subject in (response, getattr(exception, "response", None)):
        status = getattr(subject, "status_code", None)
        if isinstance(status, int):
            return status
    return 0
