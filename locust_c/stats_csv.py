"""The statistics as CSV: rows for anybody's writer, and the four files of ``--csv``."""

from __future__ import annotations

import csv
import io
import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import gevent
from gevent.lock import RLock

from .stats_dicts import sort_stats
from .stats_sheet import Sheet
from .stats_times import get_readable_percentiles
from .stats_turns import in_turns
from .util.date import format_utc_timestamp

if TYPE_CHECKING:
    from .env import Environment
    from .stats import StatsEntry

__all__ = ["CSVWriter", "StatsCSV", "StatsCSVFileWriter"]

logger = logging.getLogger("locust.stats")


class CSVWriter(Protocol):
    """What rows are written to: ``csv.writer(file)`` or the like."""

    def writerow(self, row: Iterable[Any], /) -> Any:
        """Write one row."""


def _figures(entry: StatsEntry) -> list[float]:
    """What the rows of requests and of the history have in common, in this order."""
    return [
        entry.num_requests,
        entry.num_failures,
        entry.median_response_time,
        entry.avg_response_time,
        entry.min_response_time or 0,
        entry.max_response_time,
        entry.avg_content_length,
    ]


class StatsCSV:
    """Requests, failures and exceptions of an environment as rows.

    The column titles are attributes, so that a subclass may change them together with the rows.
    """

    #: How much of the time writing rows may take, 0..1: it must not hold up the users that run meanwhile.
    share = 1.0

    def __init__(self, environment: Environment, percentiles_to_report: Sequence[float]) -> None:
        self.environment = environment
        self.percentiles_to_report = percentiles_to_report
        self.percentiles_na = ["N/A"] * len(percentiles_to_report)
        self.requests_csv_columns = [
            "Type",
            "Name",
            "Request Count",
            "Failure Count",
            "Median Response Time",
            "Average Response Time",
            "Min Response Time",
            "Max Response Time",
            "Average Content Size",
            "Requests/s",
            "Failures/s",
            *get_readable_percentiles(percentiles_to_report),
        ]
        self.failures_columns = ["Method", "Name", "Error", "Occurrences", "First Seen", "Last Seen"]
        self.exceptions_columns = ["Count", "Message", "Traceback", "Nodes"]

    def _percentile_fields(self, stats_entry: StatsEntry, use_current: bool = False) -> list[str] | list[int]:
        """The percentiles in ms, of the last 10 s with ``use_current``; ``N/A`` without requests."""
        if not stats_entry.num_requests:
            return self.percentiles_na
        shares = self.percentiles_to_report
        if use_current:
            return [time_ms or 0 for time_ms in stats_entry.current_percentiles(shares)]
        return [int(stats_entry.get_response_time_percentile(share)) for share in shares]

    def requests_csv(self, csv_writer: CSVWriter) -> None:
        """Write the titles, a row for each entry, and one for all."""
        csv_writer.writerow(self.requests_csv_columns)
        self._requests_data_rows(csv_writer)

    def _requests_data_rows(self, csv_writer: CSVWriter) -> None:
        stats = self.environment.stats
        for entry in in_turns([*sort_stats(stats.entries), stats.total], self.share):
            csv_writer.writerow(
                [
                    entry.method,
                    entry.name,
                    *_figures(entry),
                    entry.total_rps,
                    entry.total_fail_per_sec,
                    *self._percentile_fields(entry),
                ]
            )

    def failures_csv(self, csv_writer: CSVWriter) -> None:
        """Write the titles and a row for each error."""
        csv_writer.writerow(self.failures_columns)
        self._failures_data_rows(csv_writer)

    def _failures_data_rows(self, csv_writer: CSVWriter) -> None:
        for error in in_turns(sort_stats(self.environment.stats.errors), self.share):
            seen = (error.first_seen, error.last_seen)
            csv_writer.writerow(
                [
                    error.method,
                    error.name,
                    error.parse_error(error.error),
                    error.occurrences,
                    *["" if at is None else format_utc_timestamp(at) for at in seen],
                ]
            )

    def exceptions_csv(self, csv_writer: CSVWriter) -> None:
        """Write the titles and a row for each exception of users."""
        csv_writer.writerow(self.exceptions_columns)
        self._exceptions_data_rows(csv_writer)

    def _exceptions_data_rows(self, csv_writer: CSVWriter) -> None:
        runner = self.environment.runner
        if runner is None:
            return
        for exception in in_turns(list(runner.exceptions.values()), self.share):
            nodes = ", ".join(exception["nodes"])
            csv_writer.writerow([exception["count"], exception["msg"], exception["traceback"], nodes])

    def close_files(self) -> None:
        """Nothing to close here; for those that have files."""


class StatsCSVFileWriter(StatsCSV):
    """Writes the four files of ``--csv``, named ``base_filepath`` and an ending, while a test runs.

    To be spawned: ``gevent.spawn(writer)``; :meth:`close_files` writes the last rows. With ``full_history``
    the history has a row for each entry, with current percentiles; else one row for all. Folders are made.
    Raises OSError if a file cannot be opened; one that cannot be written later, because the disk is full say,
    is logged once as an error and tried again each time.
    """

    def __init__(
        self,
        environment: Environment,
        percentiles_to_report: Sequence[float],
        base_filepath: str,
        full_history: bool = False,
    ) -> None:
        super().__init__(environment, percentiles_to_report)
        self.base_filepath = base_filepath
        self.full_history = full_history
        self.stats_history_csv_columns = [
            "Timestamp",
            "User Count",
            "Type",
            "Name",
            "Requests/s",
            "Failures/s",
            *get_readable_percentiles(percentiles_to_report),
            "Total Request Count",
            "Total Failure Count",
            "Total Median Response Time",
            "Total Average Response Time",
            "Total Min Response Time",
            "Total Max Response Time",
            "Total Average Content Size",
        ]
        folder = os.path.dirname(base_filepath)
        if folder:
            os.makedirs(folder, exist_ok=True)
        with ExitStack() as opened:
            self._requests = opened.enter_context(Sheet(f"{base_filepath}_stats.csv"))
            self._history = opened.enter_context(Sheet(self.stats_history_file_name()))
            self._failures = opened.enter_context(Sheet(f"{base_filepath}_failures.csv"))
            self._exceptions = opened.enter_context(Sheet(f"{base_filepath}_exceptions.csv"))
            opened.pop_all()
        self._history_second = 0
        self._flushed_at = 0.0
        self._closed = False
        # Others run during a pass: rows of an earlier pass must not come behind those of a later one.
        self._writing = RLock()
        self.requests_csv_filehandle = self._requests.file
        self.requests_csv_writer = csv.writer(self.requests_csv_filehandle)
        self.stats_history_csv_filehandle = self._history.file
        self.stats_history_csv_writer = csv.writer(self.stats_history_csv_filehandle)
        self.failures_csv_filehandle = self._failures.file
        self.failures_csv_writer = csv.writer(self.failures_csv_filehandle)
        self.exceptions_csv_filehandle = self._exceptions.file
        self.exceptions_csv_writer = csv.writer(self.exceptions_csv_filehandle)

    def __call__(self) -> None:
        """Write until the files are closed or the greenlet is killed."""
        self.stats_writer()

    def stats_writer(self) -> None:
        """Write all files every ``stats.CSV_STATS_INTERVAL_SEC`` s, until they are closed."""
        from . import stats

        self.share = 0.25
        while not self._closed:
            self.write_files()
            now = time.time()
            if not self._closed and now - self._flushed_at > stats.CSV_STATS_FLUSH_INTERVAL_SEC:
                self._flushed_at = now
                self._flush()
            gevent.sleep(stats.CSV_STATS_INTERVAL_SEC)

    def write_files(self) -> None:
        """Write the present state to all files: three anew, to the history a row for this second."""
        with self._writing:
            self._requests.replace(self._text(self.requests_csv))
            self._add_to_history(time.time())
            self._failures.replace(self._text(self.failures_csv))
            self._exceptions.replace(self._text(self.exceptions_csv))

    @staticmethod
    def _text(write: Callable[[CSVWriter], None]) -> str:
        text = io.StringIO(newline="")
        write(csv.writer(text))
        return text.getvalue()

    def _add_to_history(self, now: float) -> None:
        rows = self._text(lambda writer: self._stats_history_data_rows(writer, now))
        titles = self._text(lambda writer: writer.writerow(self.stats_history_csv_columns))
        # Programs take the second as a key, so the last rows replace those of the same second.
        if self._history.append(titles, rows, instead_of_last=int(now) == self._history_second):
            self._history_second = int(now)

    def _stats_history_data_rows(self, csv_writer: CSVWriter, now: float) -> None:
        stats = self.environment.stats
        runner = self.environment.runner
        entries = sort_stats(stats.entries) if self.full_history else []
        for entry in in_turns([*entries, stats.total], self.share):
            csv_writer.writerow(
                [
                    int(now),
                    runner.user_count if runner is not None else 0,
                    entry.method,
                    entry.name,
                    f"{entry.current_rps:2f}",
                    f"{entry.current_fail_per_sec:2f}",
                    *self._percentile_fields(entry, self.full_history),
                    *_figures(entry),
                ]
            )

    def _flush(self) -> None:
        self.requests_flush()
        self.stats_history_flush()
        self.failures_flush()
        self.exceptions_flush()

    def requests_flush(self) -> None:
        """Flush the handle of the requests, for those who write to it themselves."""
        self._requests.flush()

    def stats_history_flush(self) -> None:
        """Flush the handle of the history."""
        self._history.flush()

    def failures_flush(self) -> None:
        """Flush the handle of the failures."""
        self._failures.flush()

    def exceptions_flush(self) -> None:
        """Flush the handle of the exceptions."""
        self._exceptions.flush()

    def close_files(self) -> None:
        """Write what was counted since the last pass, then close the files."""
        if self._closed:
            return
        self._closed = True
        self.share = 1.0
        self.write_files()
        for sheet in (self._requests, self._history, self._failures, self._exceptions):
            sheet.close()

    def stats_history_file_name(self) -> str:
        """The path of the history."""
        return f"{self.base_filepath}_stats_history.csv"
