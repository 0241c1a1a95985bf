"""The statistics of the test as files to save: CSV with the columns of ``--csv``, and JSON as ``--json``."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, send_file

from .. import stats
from ..html import download_name
from ..stats_json import json_of

if TYPE_CHECKING:
    from ..env import Environment
    from .ui import WebUI

__all__ = ["add_downloads"]

_Rows = Callable[[Any], None]


def add_downloads(routes: Blueprint, web_ui_of_request: Callable[[], WebUI]) -> None:
    """Add the five addresses to ``routes``; ``web_ui_of_request`` finds the page that a request is for."""

    @routes.route("/stats/requests/csv")
    def request_stats_csv() -> Response:
        """A row for each entry and one for all."""
        web_ui = web_ui_of_request()
        return _attachment(web_ui, _writer(web_ui).requests_csv, "requests")

    @routes.route("/stats/failures/csv")
    def failures_stats_csv() -> Response:
        """A row for each kind of failure."""
        web_ui = web_ui_of_request()
        return _attachment(web_ui, _writer(web_ui).failures_csv, "failures")

    @routes.route("/exceptions/csv")
    def exceptions_csv() -> Response:
        """A row for each kind of exception."""
        web_ui = web_ui_of_request()
        return _attachment(web_ui, _writer(web_ui).exceptions_csv, "exceptions")

    @routes.route("/stats/requests/json")
    def request_stats_json() -> Response:
        """The entries as ``--json-file`` writes them."""
        environment = web_ui_of_request().environment
        response = Response(json_of(environment.stats), mimetype="application/json")
        return _as_file(response, environment, "_requests.json")

    @routes.route("/stats/requests_full_history/csv")
    def request_stats_full_history_csv() -> Response | tuple[str, int]:
        """The history file of ``--csv-full-history``, as far as it is written."""
        web_ui = web_ui_of_request()
        writer = web_ui.stats_csv_writer
        if not isinstance(writer, stats.StatsCSVFileWriter) or not writer.full_history:
            return "Error: Server was not started with option to generate full history.", 404
        name = download_name(web_ui.environment, "_requests_full_history.csv")
        # The path may be relative to where the command runs; Flask's own start is this package.
        path = os.path.abspath(writer.stats_history_file_name())
        return send_file(path, mimetype="text/csv", as_attachment=True, download_name=name, max_age=0)


def _writer(web_ui: WebUI) -> stats.StatsCSV:
    """What makes the rows: the writer of ``--csv``, or that of a subclass which the program passed."""
    if web_ui.stats_csv_writer is None:
        web_ui.stats_csv_writer = stats.StatsCSV(web_ui.environment, stats.PERCENTILES_TO_REPORT)
    writer: stats.StatsCSV = web_ui.stats_csv_writer
    return writer


def _attachment(web_ui: WebUI, write_rows: _Rows, kind: str) -> Response:
    text = io.StringIO(newline="")
    write_rows(csv.writer(text))
    # As the files of --csv have lone surrogates in names and texts.
    data = text.getvalue().encode(errors="backslashreplace")
    return _as_file(Response(data, mimetype="text/csv"), web_ui.environment, f"_{kind}.csv")


def _as_file(response: Response, environment: Environment, ending: str) -> Response:
    name = download_name(environment, ending)
    response.headers["Content-Disposition"] = f"attachment;filename={name}"
    return response
