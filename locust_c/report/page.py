"""The page of the HTML report: the template, and how values read in it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gevent import get_hub, getcurrent
from gevent.hub import Hub

from .. import __version__, _core, stats
from ..stats_times import get_readable_percentiles
from ..stats_turns import in_turns
from ..timeline import EDGES_MS, Point, Timeline
from . import charts
from .axes import HEIGHT, WIDTH
from .heat import SHADES, HeatMap, heat_map_of

if TYPE_CHECKING:
    from jinja2 import Environment as Jinja
    from jinja2 import Template

    from ..env import Environment

__all__ = ["render"]

#: The most rows of one table. A line below it says how many there are besides.
MAX_NAMES = 2000
MAX_FAILURES = 500
MAX_EXCEPTIONS = 100

#: Longer names are cut in the tables.
MAX_NAME = 500

#: Stands where there is no value.
NOTHING = "\u2013"

#: Control characters, and those that turn the direction of what follows.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def render(
    environment: Environment,
    args: dict[str, Any],
    percentiles: Sequence[float],
    theme: str,
    args_json: Iterable[str],
    nonce: str,
) -> str:
    """The whole document.

    :param args: what ``window.templateArgs`` is, and ``args_json`` the same as JSON, in pieces.
    :param percentiles: the columns of the response times, as shares.
    :param nonce: marks scripts and styles as belonging to the page, for its security policy.
    """
    timeline = Timeline() if environment.runner is None else environment.runner.timeline
    timeline.follow(environment.stats.total)
    points = timeline.readable_run()
    heat = heat_map_of(points)
    entries = stats.sort_stats(environment.stats.entries)
    total = environment.stats.total
    failures = sorted(args["failures_statistics"], key=lambda row: -row["occurrences"])
    exceptions = sorted(args["exceptions_statistics"], key=lambda row: -row["count"])
    number_of_exceptions = 0 if environment.runner is None else len(environment.runner.exceptions)
    lag = total.generator_lag.quantile(0.99)
    pieces = _template().generate(
        args=args,
        args_json=args_json,
        theme=theme if theme in ("light", "dark") else "",
        version=__version__,
        host="" if args["host"] == "None" else args["host"],
        start=_moment(total.start_time),
        end=_moment(total.last_request_timestamp or total.start_time),
        entries=entries[:MAX_NAMES],
        more_names=max(0, len(entries) - MAX_NAMES),
        total=total,
        percentiles=percentiles,
        percentile_titles=get_readable_percentiles(percentiles),
        phases=[name for name in _core.PHASES if total.phases[name].count],
        late_ms=lag if lag is not None and lag >= charts.LATE_MS else None,
        cpu_was_short=environment.runner is not None and environment.runner.cpu_warning_emitted,
        failures=failures[:MAX_FAILURES],
        more_failures=max(0, len(failures) - MAX_FAILURES),
        exceptions=exceptions[:MAX_EXCEPTIONS],
        more_exceptions=max(0, number_of_exceptions - MAX_EXCEPTIONS),
        charts=charts.charts_of(points, timeline.percentiles),
        heat=heat,
        shades=SHADES,
        shown_values=_values_for_script(points, timeline.percentiles, heat),
        nonce=nonce,
        width=WIDTH,
        height=HEIGHT,
    )
    # Names and texts may hold half of a surrogate pair, which no file can.
    return "".join(piece.encode("utf-8", "replace").decode("utf-8") for piece in in_turns(pieces))


def _values_for_script(points: Sequence[Point], percentiles: Sequence[float], heat: HeatMap | None) -> str:
    """What the script tells below the pointer, as JSON: there is nothing in it but numbers of ours."""
    values: dict[str, Any] = {"lines": charts.values_of(points, percentiles)}
    if heat is not None:
        edges = EDGES_MS[heat.first_band : heat.end_band + 1]
        values["heat"] = {
            "first": heat.first_band,
            "edges": edges,
            "time": heat.times,
            "counts": heat.counts,
        }
    return json.dumps(values, separators=(",", ":"))


def _template() -> Template:
    """The template, compiled in a thread when it is first asked for: that would hold up users for long."""
    if _templates.cache_info().currsize or isinstance(getcurrent(), Hub):
        return _compiled()
    template: Template = get_hub().threadpool.apply(_compiled)
    return template


def _compiled() -> Template:
    return _templates().get_template("page.html")


@cache
def _templates() -> Jinja:
    # Not before a report is made: a headless run without one does without the library.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    templates.filters.update(
        {"whole": _whole, "figure": _figure, "rate": _rate, "share": _share, "moment": _moment}
    )
    templates.filters.update({"amount": _amount, "visible": _visible, "name": _name})
    return templates


def _whole(number: float | None) -> str:
    return NOTHING if number is None else f"{number:,.0f}"


def _figure(number: float | None) -> str:
    """A time: three digits are enough."""
    if number is None:
        return NOTHING
    if number >= 100 or number == 0 or not math.isfinite(number):
        return f"{number:,.0f}"
    decimals = 1 if number >= 9.95 else 2
    return f"{number:.{decimals}f}"


def _amount(number: float) -> str:
    return f"{number:,.0f}" if number >= 1000 else f"{number:.3g}"


def _rate(number: float) -> str:
    return f"{number:,.1f}" if number >= 100 else f"{number:.2f}"


def _share(number: float) -> str:
    """A part of one in percent."""
    percent = number * 100
    if 0 < percent < 0.1:
        return "<0.1%"
    if 99.9 < percent < 100:
        return ">99.9%"
    return f"{percent:.1f}".removesuffix(".0") + "%"


def _moment(epoch_s: float | None) -> str:
    return NOTHING if epoch_s is None else datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _visible(text: Any) -> str:
    """Control characters as the pictures that Unicode has of them, or as their numbers."""
    return _CONTROL.sub(lambda found: _picture(found[0]), str(text))


def _picture(control: str) -> str:
    if control == "\x7f":
        return "␡"
    number = ord(control)
    return chr(0x2400 + number) if number < 0x20 else f"\\u{number:04x}"


def _name(text: Any) -> str:
    shown = _visible(text)
    return shown if len(shown) <= MAX_NAME else shown[:MAX_NAME] + "…"
