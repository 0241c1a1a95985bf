"""What a test leaves behind: tables, CSV files, JSON, the HTML report."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import gevent

from .. import log, stats
from ..stats_json import is_stream, json_of, print_stats_json, replace_file
from . import console

if TYPE_CHECKING:
    from ..env import Environment

logger = logging.getLogger("locust.main")

#: Seconds between two states of the JSON file while a test runs.
JSON_INTERVAL_S = 1.0

#: How much of the time that may take, 0..1: with many names a state is then older than a second.
JSON_SHARE = 0.1


class Outputs:
    """Writes the outputs that the parsed ``options`` ask for.

    Each one by itself: one that cannot be written costs a line of the log that names its option and its file,
    but neither the test nor its exit code nor the others.
    """

    def __init__(self, environment: Environment, options: argparse.Namespace) -> None:
        self.environment = environment
        self.options = options
        self._csv: stats.StatsCSVFileWriter | None = None
        self._greenlets: list[gevent.Greenlet] = []
        self._json_failed = False
        self._json_written = ""

    def start(self) -> None:
        """Open the files and begin to write those that grow while the test runs."""
        web_ui = self.environment.web_ui
        if self.options.csv_prefix:
            self._open_csv(self.options.csv_prefix)
        if self._csv is not None and web_ui is not None and web_ui.stats_csv_writer is None:
            web_ui.stats_csv_writer = self._csv
        if self.options.json_file and not is_stream(self._json_path):
            self._spawn(self._write_json_forever)

    def finish(self) -> None:
        """Write the last state of everything. To be called when all users have ended."""
        gevent.killall(self._greenlets)
        self._guard("--csv", self.options.csv_prefix, self._finish_csv)
        if self.options.json_file:
            # The file may have been removed meanwhile.
            self._json_written = ""
            self._guard("--json-file", self._json_path, self._write_json_file)
        if self.options.json:
            self._guard("--json", "standard output", self._print_json)
        # As in Locust, the JSON file stands for the final tables; what it could not hold must not be lost.
        if self.options.json or not self.options.json_file or self._json_failed:
            self._guard("the tables", "the log", lambda: console.print_final_tables(self.environment))
        if self.options.html_file:
            self._guard("--html", self.options.html_file, self._write_report)

    @property
    def _json_path(self) -> str:
        return f"{self.options.json_file}.json"

    def _spawn(self, function: Callable[[], object]) -> None:
        greenlet = gevent.spawn(function)
        greenlet.link_exception(log.greenlet_exception_logger(logger))
        self._greenlets.append(greenlet)

    def _open_csv(self, prefix: str) -> None:
        try:
            self._csv = stats.StatsCSVFileWriter(
                self.environment, stats.PERCENTILES_TO_REPORT, prefix, self.options.stats_history_enabled
            )
        except OSError as error:
            _complain("--csv", error.filename or prefix, error)
        else:
            self._spawn(self._csv)

    def _finish_csv(self) -> None:
        if self._csv is not None:
            self._csv.close_files()

    def _write_json_forever(self) -> None:
        while True:
            self._write_json_file(JSON_SHARE)
            gevent.sleep(JSON_INTERVAL_S)

    def _write_json_file(self, share: float = 1.0) -> None:
        path = self._json_path
        text = json_of(self.environment.stats, share)
        if text == self._json_written:
            return
        try:
            replace_file(path, text)
        except OSError as error:
            if not self._json_failed:
                _complain("--json-file", path, error)
            self._json_failed = True
        else:
            if self._json_failed:
                logger.info("'%s' (--json-file) can be written again", path)
            self._json_failed = False
            self._json_written = text

    def _print_json(self) -> None:
        with console.standard_output():
            print_stats_json(self.environment.stats)

    def _write_report(self) -> None:
        # Not before a report is wanted: its template needs a library that a run does without.
        from ..html import write_report

        write_report(self.environment, self.options.html_file)

    @staticmethod
    def _guard(option: str, target: str, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            _complain(option, target, error)
        except Exception:
            logger.exception("%s: '%s' could not be written", option, target)


def _complain(option: str, target: str, error: OSError) -> None:
    logger.error("%s: cannot write to '%s': %s", option, target, error.strerror or error)
