"""The HTML report of a test: one file that needs no network and no script to be read.

What scripts read is in it as Locust documents it: ``window.templateArgs = {…}``, with the start as
``"start_time": "YYYY-MM-DDThh:mm:ssZ"``.
"""

from __future__ import annotations

import json
import time
from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from . import runners, stats
from .credentials import without_userinfo
from .report import page
from .report.charts import thinned
from .stats_errors import shortened
from .stats_json import replace_file
from .stats_turns import in_turns
from .user.inspectuser import get_ratio
from .util.date import format_duration, format_utc_timestamp

if TYPE_CHECKING:
    from .env import Environment

__all__ = [
    "PERCENTILES_FOR_HTML_REPORT",
    "download_name",
    "format_duration",
    "get_html_report",
    "host_of",
    "json_for_script",
    "process_html_filename",
    "short_history",
    "write_report",
]

#: The columns of the response times; read when a report is made.
PERCENTILES_FOR_HTML_REPORT = [0.50, 0.60, 0.70, 0.80, 0.90, 0.95, 0.99, 1.0]

#: More rows of the history than these are thinned: they would make a file of many megabytes.
MAX_HISTORY = 1000

#: Longer names and texts of errors, and the beginnings of longer tracebacks, are cut.
MAX_TEXT = 2000

#: The same for errors that are in the JSON only.
MAX_TEXT_NOT_SHOWN = 200

#: More kinds of exceptions than these are left out.
MAX_EXCEPTIONS = 500


def get_html_report(
    environment: Environment, show_download_link: bool = True, theme: str = "", nonce: str = ""
) -> str:
    """The report of the test of ``environment`` as it is now: a whole HTML document.

    Other greenlets run meanwhile.

    :param show_download_link: whether the page offers itself for download; it then has to be at an address
        that understands ``?download=1``, as ``/stats/report`` does.
    :param theme: ``"light"`` or ``"dark"``; anything else leaves that to the reader's device.
    :param nonce: marks scripts and styles as the page's own, for a content security policy.
    """
    args = _template_args(environment, show_download_link)
    return page.render(environment, args, PERCENTILES_FOR_HTML_REPORT, theme, _args_for_script(args), nonce)


def write_report(environment: Environment, path: str) -> None:
    """Write the report to the file ``path``; missing folders are made.

    ``{u}``, ``{r}`` and ``{t}`` in ``path`` stand for the number of users, the spawn rate and the run time
    in seconds of the environment's options.

    :raises OSError: the file, or a folder of it, cannot be written.
    """
    report = get_html_report(environment, show_download_link=False)
    replace_file(_fill_tags(path, environment.parsed_options), report)


def process_html_filename(options: Namespace) -> None:
    """Replace ``{u}``, ``{r}`` and ``{t}`` in ``options.html_file`` by the values of the other options."""
    options.html_file = _fill_tags(options.html_file, options)


def json_for_script(value: Any) -> str:
    """JSON that can stand inside a script element, whatever strings are in it."""
    text = json.dumps(value, default=str, sort_keys=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _args_for_script(args: dict[str, Any]) -> Iterator[str]:
    """The same as ``json_for_script(args)``, in pieces."""
    for number, (key, value) in enumerate(sorted(args.items())):
        yield f"{', ' if number else '{'}{json_for_script(key)}: "
        if not isinstance(value, list):
            yield json_for_script(value)
            continue
        yield "["
        for place, item in enumerate(value):
            yield f"{', ' if place else ''}{json_for_script(item)}"
        yield "]"
    yield "}"


def _fill_tags(path: str, options: Namespace | None) -> str:
    """A tag whose option was not given stays, as in Locust."""
    rate = getattr(options, "spawn_rate", None)
    if isinstance(rate, float) and rate.is_integer():
        rate = int(rate)
    values = (
        ("{u}", getattr(options, "num_users", None)),
        ("{r}", rate),
        ("{t}", getattr(options, "run_time", None)),
    )
    for tag, value in values:
        if value is not None:
            path = path.replace(tag, str(value))
    return path


def _template_args(environment: Environment, show_download_link: bool) -> dict[str, Any]:
    """What the scripts of others read: names and values are Locust's."""
    total = environment.stats.total
    entries = [*stats.sort_stats(environment.stats.entries), total]
    start = total.start_time
    end = total.last_request_timestamp or start
    return {
        "is_report": True,
        "requests_statistics": [_with_short_name(entry.to_dict()) for entry in in_turns(entries)],
        "failures_statistics": _failures(list(environment.stats.errors.values())),
        "exceptions_statistics": _exceptions(environment),
        "response_time_statistics": [_response_times(entry) for entry in in_turns(entries)],
        "start_time": format_utc_timestamp(start),
        "end_time": format_utc_timestamp(end),
        "duration": format_duration(start, end),
        "host": str(host_of(environment)),
        "history": short_history(environment),
        "show_download_link": show_download_link,
        "locustfile": environment.locustfile,
        "tasks": _ratios(environment),
        "percentiles_to_chart": list(stats.PERCENTILES_TO_CHART),
        "profile": environment.profile,
    }


def _with_short_name(row: dict[str, Any]) -> dict[str, Any]:
    row["name"] = shortened(row["name"], MAX_TEXT)
    return row


def _failures(errors: list[stats.StatsError]) -> list[dict[str, Any]]:
    """All of them, but of those that the page does not show only the beginnings of their texts."""
    often = sorted(errors, key=lambda error: -error.occurrences)
    shown = {id(error) for error in often[: page.MAX_FAILURES]}
    rows = []
    for error in in_turns(errors):
        row = _with_short_name(error.to_dict())
        row["error"] = shortened(str(row["error"]), MAX_TEXT if id(error) in shown else MAX_TEXT_NOT_SHOWN)
        rows.append(row)
    return rows


def _exceptions(environment: Environment) -> list[dict[str, Any]]:
    """The most frequent ones, in the order in which they came first."""
    runner = environment.runner
    rows = [] if runner is None else list(runner.exceptions.values())
    if len(rows) > MAX_EXCEPTIONS:
        fewest = sorted((row["count"] for row in rows), reverse=True)[MAX_EXCEPTIONS - 1]
        rows = [row for row in rows if row["count"] >= fewest][:MAX_EXCEPTIONS]
    return [
        {
            "count": row["count"],
            "msg": str(row["msg"])[:MAX_TEXT],
            # Its end says where it was raised.
            "traceback": str(row["traceback"])[-2 * MAX_TEXT :],
            "nodes": ", ".join(sorted(row["nodes"])),
        }
        for row in rows
    ]


def _response_times(entry: stats.StatsEntry) -> dict[str, Any]:
    times: dict[str, Any] = {
        str(share): entry.get_response_time_percentile(share) for share in PERCENTILES_FOR_HTML_REPORT
    }
    return _with_short_name({**times, "name": entry.name, "method": entry.method})


def host_of(environment: Environment) -> str | None:
    """The host of all users, without credentials; None if there are several or none."""
    hosts = {environment.host} if environment.host else {user.host for user in environment.user_classes}
    host = hosts.pop() if len(hosts) == 1 else None
    return None if host is None else without_userinfo(str(host))


def short_history(environment: Environment) -> list[dict[str, Any]]:
    """The rows of ``stats.history``, at most ``MAX_HISTORY`` of them, evenly spread."""
    return thinned(environment.stats.history, MAX_HISTORY)


def _ratios(environment: Environment) -> dict[str, Any]:
    runner = environment.runner
    counts: dict[str, int] = {}
    if runner is not None:
        ended = runner.state in (runners.STATE_STOPPING, runners.STATE_CLEANUP, runners.STATE_STOPPED)
        counts = runner.final_user_classes_count if ended else runner.user_classes_count
    return {
        "per_class": get_ratio(environment.user_classes, counts, False),
        "total": get_ratio(environment.user_classes, counts, True),
    }


def download_name(environment: Environment, ending: str) -> str:
    """The name of a file that the web page offers: ``Locust_<time>_<locustfile>[_<host>]<ending>``.

    What file systems and headers do not take is replaced, as browsers do.
    """
    parts = [time.strftime("Locust_%Y-%m-%d-%Hh%M"), environment.locustfile, host_of(environment)]
    name = "_".join(part for part in parts if part)
    return "".join(c if c.isascii() and (c.isalnum() or c in ".-_") else "_" for c in name) + ending
