"""What ``POST /swarm`` asks for: read from the form, checked, and carried out."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gevent

from .. import log
from ..credentials import without_userinfo
from ..util.timespan import parse_timespan

if TYPE_CHECKING:
    from argparse import Namespace

    from werkzeug.datastructures import MultiDict

    from ..env import Environment
    from ..runners import Runner

logger = logging.getLogger("locust.web")

#: Fields of the form that are not custom arguments.
_OWN_FIELDS = frozenset({"user_count", "spawn_rate", "host", "run_time", "user_classes", "shape_class"})


class SwarmError(ValueError):
    """The form cannot be carried out; the text says why."""


@dataclass
class SwarmForm:
    """The fields of the form, converted."""

    user_count: int | None = None
    spawn_rate: float | None = None
    host: str | None = None
    run_time_s: int | None = None
    custom: dict[str, Any] = field(default_factory=dict)


def read_form(form: MultiDict[str, str], options: Namespace | None) -> SwarmForm:
    """Convert the fields; those of custom arguments to the type of the value they replace.

    :raises SwarmError: a field is not what it has to be.
    """
    result = SwarmForm()
    if "host" in form:
        result.host = form["host"].replace("<", "").replace(">", "")
    if "user_count" in form:
        result.user_count = _user_count(form["user_count"])
    if "spawn_rate" in form:
        result.spawn_rate = _spawn_rate(form["spawn_rate"])
    if form.get("run_time"):
        try:
            result.run_time_s = parse_timespan(form["run_time"])
        except ValueError:
            raise SwarmError("Valid run_time formats are : 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc.") from None
    for name in form:
        if name not in _OWN_FIELDS and options is not None and hasattr(options, name):
            result.custom[name] = _converted(name, form.getlist(name), getattr(options, name))
    return result


def _user_count(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SwarmError(f"Invalid user_count value: '{text}' (must be an integer)") from None


def _spawn_rate(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SwarmError(f"Invalid spawn_rate value: '{text}' (must be a number)") from None


def _converted(name: str, values: list[str], old: Any) -> Any:
    value = values[0]
    if old is None:
        return value
    try:
        if isinstance(old, bool):
            return value == "true"
        if isinstance(old, list):
            items = values if len(values) > 1 else [item for item in value.split(",") if item]
            whole = bool(old) and all(type(item) is int for item in old)
            return [int(item) for item in items] if whole else items
        return type(old)(value)
    except (TypeError, ValueError):
        raise SwarmError(f"Invalid {name} value: '{value}'") from None


class Swarming:
    """Starts and changes the test of one environment for the web page, and ends it after its run time."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self._start: gevent.Greenlet | None = None
        self._timer: gevent.Greenlet | None = None

    def start(self, form: SwarmForm) -> dict[str, Any]:
        """Carry out ``form``; the test starts, or changes, while the answer is on its way.

        :returns: what ``/swarm`` answers besides the host.
        :raises SwarmError: there is no runner, or a number is missing or out of range.
        """
        runner = self.environment.runner
        if runner is None:
            raise SwarmError("No runner")
        shape = self.environment.shape_class
        users, rate = form.user_count, form.spawn_rate
        valid = users is not None and users >= 0 and rate is not None and math.isfinite(rate) and rate > 0
        if shape is None and not valid:
            raise SwarmError("Missing or invalid user_count or spawn_rate from /swarm request")
        self._take_over(form)
        self.cancel()
        if shape is not None:
            self._start = self._spawn(runner.start_shape)
            return {"message": f"Swarming started using shape class '{type(shape).__name__}'"}
        self._start = self._spawn(runner.start, users, rate)
        answer: dict[str, Any] = {"message": "Swarming started"}
        if form.run_time_s:
            self._timer = self._spawn(self._stop_after, form.run_time_s, runner)
            answer["run_time"] = form.run_time_s
        return answer

    def stop(self) -> None:
        """End the test; returns when all users have ended."""
        self.cancel()
        if self.environment.runner is not None:
            self.environment.runner.stop()

    def cancel(self) -> None:
        """Give up a start that is still going on, and forget the run time of the last one."""
        for greenlet in (self._start, self._timer):
            if greenlet is not None and greenlet is not gevent.getcurrent():
                greenlet.kill()
        self._start = self._timer = None

    def _stop_after(self, seconds: float, runner: Runner) -> None:
        gevent.sleep(seconds)
        self._timer = None
        logger.info("--run-time limit reached, stopping test")
        runner.stop()

    def _take_over(self, form: SwarmForm) -> None:
        """Let the options say what the form said, for listeners and user classes that read them."""
        if form.host is not None:
            self.environment.host = self._host(form.host)
        options = self.environment.parsed_options
        if options is None:
            return
        for name, value in form.custom.items():
            setattr(options, name, value)
        options.run_time = form.run_time_s
        if form.user_count is not None:
            options.num_users = form.user_count
        if form.spawn_rate is not None:
            options.spawn_rate = form.spawn_rate
        if form.host is not None:
            options.host = self.environment.host

    def _host(self, shown: str) -> str | None:
        """The host that the page shows like this, without its credentials; None for an empty field, which
        gives the host back to the user classes.
        """
        hosts = [self.environment.host, *(user_class.host for user_class in self.environment.user_classes)]
        return next((host for host in hosts if host and without_userinfo(host) == shown), shown or None)

    def _spawn(self, function: Any, *args: Any) -> gevent.Greenlet:
        greenlet = gevent.spawn(function, *args)
        greenlet.link_exception(log.greenlet_exception_logger(logger))
        return greenlet
