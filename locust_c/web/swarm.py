"""What ``POST /swarm`` asks for: read from the form, checked, and carried out."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import gevent

from .. import log
from ..argument_parser import ui_extra_args_dict
from ..credentials import without_userinfo
from ..runners import STATE_RUNNING, STATE_SPAWNING
from ..util.timespan import TooLongError, parse_timespan

if TYPE_CHECKING:
    from argparse import Namespace

    from werkzeug.datastructures import MultiDict

    from ..env import Environment
    from ..runners import Runner
    from ..shape import LoadTestShape
    from ..user.users import User

logger = logging.getLogger("locust.web")

#: What the form calls a test without a load shape.
DEFAULT_SHAPE = "Default"

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
    user_classes: list[str] = field(default_factory=list)
    shape_class: str | None = None
    profile: str | None = None
    custom: dict[str, Any] = field(default_factory=dict)


def read_form(form: MultiDict[str, str], options: Namespace | None) -> SwarmForm:
    """Convert the fields; those of custom arguments to the type of the value they replace.

    :raises SwarmError: a field is not what it has to be.
    """
    result = SwarmForm(
        user_classes=form.getlist("user_classes"),
        shape_class=form.get("shape_class"),
        profile=form.get("profile"),
    )
    if "host" in form:
        result.host = form["host"].replace("<", "").replace(">", "")
    if "user_count" in form:
        result.user_count = _user_count(form["user_count"])
    if "spawn_rate" in form:
        result.spawn_rate = _spawn_rate(form["spawn_rate"])
    if form.get("run_time"):
        try:
            result.run_time_s = parse_timespan(form["run_time"])
        except TooLongError as error:
            raise SwarmError(f"Invalid run_time value: {error}") from None
        except ValueError:
            raise SwarmError("Valid run_time formats are : 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc.") from None
    old = {} if options is None else vars(options)
    custom = [name for name in form if name not in _OWN_FIELDS and name in old]
    # Only an argument without a value does not show by its value what it takes.
    arguments = ui_extra_args_dict([]) if any(old[name] is None for name in custom) else {}
    for name in custom:
        several = old[name] is None and arguments.get(name, {}).get("is_multiple")
        result.custom[name] = _converted(name, form.getlist(name), [] if several else old[name])
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
    """Starts and changes the test of one environment for the web page, and ends it after its run time.

    One greenlet starts; what is asked for while it does (listeners of ``test_start`` may take long, and so
    may the end of the test before) is done next, and only the newest.
    """

    def __init__(self, environment: Environment, picker_is_active: bool = False) -> None:
        """:param picker_is_active: whether the form chooses user classes and load shape."""
        self.environment = environment
        self.picker_is_active = picker_is_active
        self._next: Callable[[], None] | None = None
        self._starter: gevent.Greenlet | None = None
        self._sets_end = False  # or the command does, with -t: its limit holds when the page changes the load

    def start(self, form: SwarmForm) -> dict[str, Any]:
        """Carry out ``form``; the test starts, or changes, while the answer is on its way.

        :returns: what ``/swarm`` answers besides the host.
        :raises SwarmError: there is no runner, or a number is missing or out of range.
        """
        runner = self.environment.runner
        if runner is None:
            raise SwarmError("No runner")
        picks = self.picker_is_active and runner.state not in (STATE_SPAWNING, STATE_RUNNING)
        user_classes = self._picked_classes(form.user_classes) if picks else self.environment.user_classes
        shape = self._picked_shape(form.shape_class) if picks else self.environment.shape_class
        users, rate = form.user_count, form.spawn_rate
        if shape is None and (users is None or users < 0 or rate is None or not 0 < rate < math.inf):
            raise SwarmError("Missing or invalid user_count or spawn_rate from /swarm request")
        self._take_over(form)
        self.environment.user_classes = user_classes
        self.environment.shape_class = shape
        if shape is not None:
            self._begin(runner.start_shape)
            return {"message": f"Swarming started using shape class '{type(shape).__name__}'"}
        self._begin(partial(self._run, runner, users or 0, rate or 1.0, form.run_time_s))
        answer: dict[str, Any] = {"message": "Swarming started"}
        if self.picker_is_active:
            answer["user_classes"] = sorted(user_class.__name__ for user_class in user_classes)
        if form.run_time_s:
            answer["run_time"] = form.run_time_s
        return answer

    def stop(self) -> None:
        """End the test; returns when all users have ended."""
        self.cancel()
        if self.environment.runner is not None:
            self.environment.runner.stop()

    def cancel(self) -> None:
        """Give up a start that is still going on, and forget the run time of the last one."""
        self._next = None
        starter = self._starter
        if starter is not None and starter is not gevent.getcurrent():
            starter.kill()
        self._forget_run_time()

    def _begin(self, start: Callable[[], None]) -> None:
        self._forget_run_time()
        self._next = start
        if self._starter is None or self._starter.ready():
            self._starter = self._spawn(self._start_newest)
            # Who asks for the state over the same connection must not be served before it has begun.
            gevent.sleep(0)

    def _start_newest(self) -> None:
        assert self._next is not None
        start, self._next = self._next, None
        try:
            start()
        finally:
            # Whatever this one came to: that it failed or was given up says nothing of the one after it.
            if self._next is not None:
                self._starter = self._spawn(self._start_newest)

    def _run(self, runner: Runner, users: int, rate: float, run_time_s: int | None) -> None:
        runner.start(users, rate)
        # The test may have waited for the end of another one, and a listener may have ended it.
        if run_time_s and self._next is None and runner.state in (STATE_SPAWNING, STATE_RUNNING):
            runner.end_after(run_time_s, self._stop_in_time)
            self._sets_end = True

    def _forget_run_time(self) -> None:
        if self._sets_end and self.environment.runner is not None:
            self.environment.runner.cancel_end()
        self._sets_end = False

    def _stop_in_time(self) -> None:
        logger.info("--run-time limit reached, stopping test")
        if self.environment.runner is not None:
            self.environment.runner.stop()

    def _take_over(self, form: SwarmForm) -> None:
        """Let the options say what the form said, for listeners and user classes that read them."""
        if form.host is not None:
            self.environment.host = self._host(form.host)
        if form.profile is not None:
            self.environment.profile = form.profile
        options = self.environment.parsed_options
        if options is None:
            return
        for name, value in form.custom.items():
            setattr(options, name, value)
        if form.user_classes:
            options.user_classes = form.user_classes
        options.run_time = form.run_time_s
        if form.user_count is not None:
            options.num_users = form.user_count
        if form.spawn_rate is not None:
            options.spawn_rate = form.spawn_rate
        if form.host is not None:
            options.host = self.environment.host

    def _picked_classes(self, names: list[str]) -> list[type[User]]:
        """The user classes called ``names``; all that there are without names."""
        available = self.environment.available_user_classes
        if not available:
            raise SwarmError("UserClass picker is active but there are no available UserClasses")
        unknown = [name for name in names if name not in available]
        if unknown:
            raise SwarmError(f"Unknown User(s): {', '.join(unknown)}")
        picked = [available[name] for name in available if not names or name in names]
        picked = [user_class for user_class in picked if user_class.weight > 0 or user_class.fixed_count]
        if not picked:
            raise SwarmError("There are no users with weight > 0.")
        return picked

    def _picked_shape(self, name: str | None) -> LoadTestShape | None:
        if name in (None, "", DEFAULT_SHAPE):
            return None
        shape = (self.environment.available_shape_classes or {}).get(name or "")
        if shape is None:
            raise SwarmError(f"Unknown shape class: {name}")
        return shape

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
