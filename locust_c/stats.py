"""The statistics of requests, under Locust's names.

Counting is done in C (``_core.StatsTable``, ``_core.StatsCounters``); the classes here are views on it, so
that reading costs the requests nothing. Constants are read when they are used: locustfiles replace them.
"""

from __future__ import annotations

import copy
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, Self

import gevent

from . import _core, stats_constants, stats_narrow, stats_tables
from . import stats_times as _times
from .states import STATE_INIT, STATE_STOPPED
from .stats_charts import add_row, history_row
from .stats_csv import CSVWriter, StatsCSV, StatsCSVFileWriter
from .stats_dicts import StatsBaseDict, StatsHolder, WatchedDict, sort_stats, text_of
from .stats_distributed import setup_distributed_stats_event_listeners
from .stats_entry import CachedResponseTimes, EntryFigures, StatsEntryDict
from .stats_errors import RequestStatsAdditionError, StatsError, StatsErrorDict, kept_error, remember
from .stats_json import print_stats_json, save_stats_json
from .stats_rows import Rows
from .stats_times import (
    avg,
    bucket_response_time,
    calculate_response_time_percentile,
    diff_response_time_dicts,
    get_readable_percentiles,
    proper_round,
)
from .stats_turns import in_turns
from .util.date import format_utc_timestamp
from .util.old_names import explain_missing

if TYPE_CHECKING:
    from .runners import Runner

__all__ = [
    "CSVWriter",
    "CachedResponseTimes",
    "EntriesDict",
    "RequestStats",
    "RequestStatsAdditionError",
    "StatsBaseDict",
    "StatsCSV",
    "StatsCSVFileWriter",
    "StatsEntry",
    "StatsEntryDict",
    "StatsError",
    "StatsErrorDict",
    "StatsHolder",
    "avg",
    "bucket_response_time",
    "calculate_response_time_percentile",
    "diff_response_time_dicts",
    "format_utc_timestamp",
    "get_error_report_summary",
    "get_percentile_stats_summary",
    "get_readable_percentiles",
    "get_stats_summary",
    "print_error_report",
    "print_percentile_stats",
    "print_stats",
    "print_stats_json",
    "proper_round",
    "resize_handler",
    "save_stats_json",
    "setup_distributed_stats_event_listeners",
    "sort_stats",
    "stats_history",
    "stats_printer",
    "update_stats_history",
    "validate_stats_configuration",
]

logger = logging.getLogger("locust.stats")
console_logger = logging.getLogger("locust.stats_logger")

# Columns of the name in the tables; follows the terminal while STATS_AUTORESIZE is true.
STATS_NAME_WIDTH = 80
STATS_TYPE_WIDTH = 8
STATS_AUTORESIZE = True

CONSOLE_STATS_INTERVAL_SEC = 2
HISTORY_STATS_INTERVAL_SEC = 5
CSV_STATS_INTERVAL_SEC = 1
CSV_STATS_FLUSH_INTERVAL_SEC = 5

# How many seconds back the "current" percentiles look.
CURRENT_RESPONSE_TIME_PERCENTILE_WINDOW = 10

PERCENTILES_TO_REPORT = [0.50, 0.66, 0.75, 0.80, 0.90, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0]
PERCENTILES_TO_STATISTICS = [0.95, 0.99]
PERCENTILES_TO_CHART = [0.50, 0.95]

# So many names and errors have a row of their own; the rest shares one, which bounds the memory.
MAX_NAMES = 10_000
MAX_ERRORS = 10_000
OTHER_NAMES = "(other names)"
OTHER_ERRORS = "(other errors)"


class StatsEntry(EntryFigures):
    """The statistics of one (method, name): a view on counters in C.

    Can also be made by hand; ``stats`` gives the times that rates refer to. ``use_response_times_cache``
    keeps what the current percentiles need.
    """

    def __new__(
        cls, stats: RequestStats, name: str, method: str, use_response_times_cache: bool = False
    ) -> Self:
        return super().__new__(cls, use_response_times_cache, time.time())

    def __init__(
        self, stats: RequestStats, name: str, method: str, use_response_times_cache: bool = False
    ) -> None:
        self.stats = stats
        self.name = name
        self.method = method

    def _replaced_bucket(self) -> Callable[[float], int] | None:
        return None if bucket_response_time is _times.bucket_response_time else bucket_response_time

    def get_current_response_time_percentile(self, percent: float) -> int | None:
        """The percentile of about the last 10 s, in ms; None if there were no requests then.

        Compares with the cached second that is nearest to the beginning of the window. Raises ValueError if
        the entry was made without ``use_response_times_cache``.
        """
        return self.current_percentiles([percent])[0]

    def current_percentiles(self, percents: Sequence[float]) -> list[int | None]:
        """:meth:`get_current_response_time_percentile` of several shares."""
        if not self.use_response_times_cache:
            raise ValueError("a current percentile needs an entry made with use_response_times_cache=True")
        return self._percentiles_since(int(time.time()) - CURRENT_RESPONSE_TIME_PERCENTILE_WINDOW, percents)

    def percentile(self, p: float | None = None) -> Any:
        """The percentile ``p`` (0..1) in ms to three significant digits, from the histogram; or None.

        Without ``p`` the entry's row of the percentiles table, as in Locust; ValueError without requests.
        """
        if p is not None:
            return self.quantile(p)
        if not self.num_requests:
            raise ValueError(f"{self.method} {self.name} has no requests to take percentiles of")
        return stats_tables.percentile_row(self, PERCENTILES_TO_REPORT, _widths())

    def to_string(self, current: bool = True) -> str:
        """The entry's row of the statistics table, with current rates or those of the whole run."""
        return stats_tables.stats_row(self, _widths(), current)

    def __str__(self) -> str:
        return self.to_string()

    def to_dict(self, escape_string_values: bool = False) -> dict[str, Any]:
        """A row of ``stats`` in ``/stats/requests``. ``escape_string_values`` has no effect, as in Locust."""
        return Rows(self.stats, PERCENTILES_TO_STATISTICS).row(self)

    @classmethod
    def unserialize(cls, data: StatsEntryDict, stats: RequestStats) -> StatsEntry:
        """The opposite of :meth:`serialize`. Raises KeyError without ``name`` or ``method``."""
        entry = cls(stats, data["name"], data["method"])
        entry._fill(data)
        return entry


class EntriesDict(WatchedDict[tuple[str, str], StatsEntry]):
    """``{(name, method): StatsEntry}``: makes what is missing, up to ``MAX_NAMES``."""

    _warned = False

    def __init__(self, request_stats: RequestStats) -> None:
        super().__init__(request_stats._entries_changed)
        self._request_stats = request_stats

    def __missing__(self, key: tuple[str, str]) -> StatsEntry:
        if type(key[0]) is not str or type(key[1]) is not str:
            return self[text_of(key[0]), text_of(key[1] if key[1] is not None else "")]
        others = (OTHER_NAMES, "")
        if len(self) >= MAX_NAMES and key != others:
            self._warn()
            return self[others]
        name, method = key
        stats = self._request_stats
        entry = StatsEntry(stats, name, method, stats.use_response_times_cache)
        dict.__setitem__(self, key, entry)
        return entry

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            console_logger.warning(
                f"More than {MAX_NAMES} request names: the rest is counted as {OTHER_NAMES}. "
                "Give requests that differ in their URL only the same name=."
            )


class RequestStats:
    """All statistics of a run. Samples are recorded into :attr:`table`."""

    def __init__(self, use_response_times_cache: bool = True) -> None:
        self.use_response_times_cache = use_response_times_cache
        self.history: list[dict[str, Any]] = []
        self._error_of_text: dict[tuple[str, str, str], StatsError] = {}
        self._errors: WatchedDict[str, StatsError] = WatchedDict(self._errors_changed)
        #: What event hooks record into; stays the same object when the statistics are cleared.
        self.table = _core.StatsTable(EntriesDict(self), self._new_total(), self._find_error)

    def _new_total(self) -> StatsEntry:
        return StatsEntry(self, "Aggregated", "", self.use_response_times_cache)

    def _entries_changed(self, entries: EntriesDict) -> None:
        if entries is self.entries:
            self.table.forget()

    def _errors_changed(self, errors: WatchedDict[str, StatsError]) -> None:
        if errors is self._errors:
            self._error_of_text.clear()
            self.table.forget()

    def _find_error(self, method: str, name: str, error: Exception | str, text: str) -> StatsError:
        """The row of an error; called from C for an error that is not the last one of its entry."""
        method, name = text_of(method if method is not None else ""), text_of(name)
        known = self._error_of_text.get((method, name, text))
        if known is not None:
            return known
        found = self.find_error_row(StatsError.create_key(method, name, text), method, name, error)
        remember(self._error_of_text, (method, name, text), found, MAX_ERRORS)
        return found

    def find_error_row(self, key: str, method: str, name: str, error: Exception | str) -> StatsError:
        """The row with this key, made if there is none; beyond ``MAX_ERRORS`` the one that others share."""
        found = self._errors.get(key)
        if found is None and len(self._errors) >= MAX_ERRORS:
            method, name, error = "", "", OTHER_ERRORS
            key = StatsError.create_key(method, name, error)
            found = self._errors.get(key)
        if found is None:
            found = StatsError(method, name, kept_error(error, len(self._errors)))
            dict.__setitem__(self._errors, key, found)
        return found

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        twin = memo[id(self)] = type(self)(self.use_response_times_cache)
        for name in ("total", "entries", "errors", "history"):
            setattr(twin, name, copy.deepcopy(getattr(self, name), memo))
        return twin

    @property
    def entries(self) -> EntriesDict:
        """The entries by (name, method); one that is asked for is made."""
        entries: EntriesDict = self.table.entries
        return entries

    @entries.setter
    def entries(self, entries: Mapping[tuple[str, str], StatsEntry]) -> None:
        fresh = EntriesDict(self)
        dict.update(fresh, entries)
        self.table.entries = fresh

    @property
    def total(self) -> StatsEntry:
        """The statistics of all requests: method "", name "Aggregated"."""
        total: StatsEntry = self.table.total
        return total

    @total.setter
    def total(self, total: StatsEntry) -> None:
        self.table.total = total

    @property
    def errors(self) -> dict[str, StatsError]:
        """The failures by :meth:`StatsError.create_key`."""
        return self._errors

    @errors.setter
    def errors(self, errors: Mapping[str, StatsError]) -> None:
        self._errors = WatchedDict(self._errors_changed, errors)
        self._errors_changed(self._errors)

    @property
    def num_requests(self) -> int:
        """Requests of the whole run."""
        return self.total.num_requests

    @property
    def num_none_requests(self) -> int:
        """Requests without a response time."""
        return self.total.num_none_requests

    @property
    def num_failures(self) -> int:
        """Failures of the whole run."""
        return self.total.num_failures

    @property
    def last_request_timestamp(self) -> float | None:
        """Epoch seconds of the last request, or None."""
        return self.total.last_request_timestamp

    @property
    def start_time(self) -> float:
        """Epoch seconds at which counting began."""
        return self.total.start_time

    def log_request(self, method: str, name: str, response_time: float | None, content_length: int) -> None:
        """Count a request (time in ms or None, length in bytes) in its entry and in the total."""
        self.table.record(method, name, response_time, content_length, None, time.time())

    def log_error(self, method: str, name: str, error: Exception | str | None) -> None:
        """Count a failure in its entry, in the total and among the errors."""
        self.table.record_failure(method, name, error, time.time())

    def get(self, name: str, method: str) -> StatsEntry:
        """The entry of a (name, method); made if there is none."""
        return self.entries[name, method]

    def reset_all(self) -> None:
        """Start all entries, which stay, and the total from zero; forget the errors."""
        self.total.reset()
        self.errors = {}
        for entry in self.entries.values():
            entry.reset()

    def clear_all(self) -> None:
        """Forget entries, errors and history."""
        self.total = self._new_total()
        self.entries = {}
        self.errors = {}
        self.history = []

    def serialize_stats(self) -> list[StatsEntryDict]:
        """What has been counted since the last call, for the master: **resets** the entries, as in Locust."""
        counted = [entry for entry in self.entries.values() if entry.num_requests or entry.num_failures]
        return [entry.get_stripped_report() for entry in counted]

    def serialize_errors(self) -> dict[str, StatsErrorDict]:
        """The errors as plain values."""
        return {key: error.serialize() for key, error in self.errors.items()}


def _widths() -> stats_tables.Widths:
    return stats_tables.Widths(STATS_NAME_WIDTH, STATS_TYPE_WIDTH)


def _narrow_columns(*needed: int) -> int | None:
    return stats_narrow.narrow_columns(STATS_NAME_WIDTH, *needed) if STATS_AUTORESIZE else None


def resize_handler(signum: int, frame: FrameType | None) -> None:
    """Make the name column fit the terminal, if there is one and ``STATS_AUTORESIZE`` is true."""
    global STATS_NAME_WIDTH
    columns = stats_narrow.terminal_columns()
    if STATS_AUTORESIZE and columns is not None:
        STATS_NAME_WIDTH = stats_narrow.name_width_of(columns)


def _follow_terminal() -> None:
    resize_handler(0, None)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGWINCH, resize_handler)


def get_stats_summary(stats: RequestStats, current: bool = True) -> list[str]:
    """The lines of the statistics table, with current rates or those of the whole run."""
    entries = sort_stats(stats.entries)
    columns = _narrow_columns()
    if columns is not None:
        return stats_narrow.stats_lines(entries, stats.total, current, columns)
    rows = [entry.to_string(current) for entry in in_turns(entries)]
    rule = stats_tables.stats_rule(_widths())
    return [*stats_tables.stats_header(_widths()), *rows, rule, stats.total.to_string(current)]


def get_percentile_stats_summary(stats: RequestStats) -> list[str]:
    """The lines of the percentiles table: the entries that have response times."""
    entries = [entry for entry in [*sort_stats(stats.entries), stats.total] if entry.histogram_count]
    rule = stats_tables.percentile_rule(PERCENTILES_TO_REPORT, _widths())
    columns = _narrow_columns(len(rule))
    if columns is not None:
        return stats_narrow.percentile_lines(entries, PERCENTILES_TO_REPORT, columns)
    rows = [entry.percentile() for entry in in_turns(entries)]
    header = stats_tables.percentile_header(PERCENTILES_TO_REPORT, _widths())
    return [*header, *rows[:-1], rule, *rows[-1:]]


def get_error_report_summary(stats: RequestStats) -> list[str]:
    """The lines of the error report."""
    errors = list(stats.errors.values())
    columns = _narrow_columns()
    if columns is not None:
        return stats_narrow.error_lines(errors, columns)
    return stats_tables.error_lines(errors, _widths())


def get_resent_summary(stats: RequestStats) -> list[str]:
    """The lines that tell which requests were sent again on a new connection; none if none were."""
    entries = [entry for entry in sort_stats(stats.entries) if entry.num_resent]
    columns = _narrow_columns()
    if not entries:
        return []
    if columns is not None:
        return stats_narrow.resent_lines(entries, columns)
    return stats_tables.resent_lines(entries, _widths())


def _print_lines(lines: list[str]) -> None:
    for line in in_turns(lines):
        console_logger.info(line)


def print_stats(stats: RequestStats, current: bool = True) -> None:
    """Log the statistics table and an empty line."""
    _print_lines([*get_stats_summary(stats, current), ""])


def print_percentile_stats(stats: RequestStats) -> None:
    """Log the percentiles table and an empty line."""
    _print_lines([*get_percentile_stats_summary(stats), ""])


def print_error_report(stats: RequestStats) -> None:
    """Log the error report if there are errors, then what was sent again if anything was."""
    if stats.errors:
        _print_lines(get_error_report_summary(stats))
    _print_lines(get_resent_summary(stats))


def stats_printer(stats: RequestStats) -> Callable[[], NoReturn]:
    """A function that prints the statistics every ``CONSOLE_STATS_INTERVAL_SEC``, to be spawned."""

    def print_forever() -> NoReturn:
        while True:
            print_stats(stats)
            gevent.sleep(CONSOLE_STATS_INTERVAL_SEC)

    return print_forever


def update_stats_history(runner: Runner, timestamp: str | None = None) -> None:
    """Append a row for the charts to ``runner.stats.history``."""
    at = timestamp if timestamp is not None else format_utc_timestamp(time.time())
    add_row(runner.stats.history, history_row(runner, at, PERCENTILES_TO_CHART))


def stats_history(runner: Runner) -> NoReturn:
    """Add to the history every ``HISTORY_STATS_INTERVAL_SEC`` while a test runs; to be spawned."""
    while True:
        if runner.state not in (STATE_INIT, STATE_STOPPED):
            update_stats_history(runner)
        gevent.sleep(HISTORY_STATS_INTERVAL_SEC)


def validate_stats_configuration() -> None:
    """Ends the process with exit code 1 and one line if a constant of this module is wrong."""
    problem = stats_constants.complain(sys.modules[__name__])
    if problem:
        sys.stderr.write(problem + "\n")
        sys.exit(1)


_follow_terminal()


if not TYPE_CHECKING:

    def __getattr__(name: str) -> NoReturn:
        explain_missing(__name__, name)
