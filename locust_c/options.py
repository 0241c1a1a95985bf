"""The one table of command line options.

A row says everything about an option: its names, the attribute of the parsed options that takes its value,
its environment variable, its default and its help. :mod:`locust_c.argument_parser` makes parsers of them.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .util.timespan import parse_timespan
from .util.user_settings import read_user_settings

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

Availability = Literal["yes", "later", "renamed"]


@dataclass(frozen=True)
class Option:
    """One option of the command.

    ``available`` is ``"later"`` for options of Locust that this version refuses when they are used, and
    ``"renamed"`` for those that Locust itself refuses; ``help`` is then what the refusal says.
    """

    flags: tuple[str, ...]
    help: str | None
    env_var: str | None = None
    available: Availability = "yes"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    hidden: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether the help lists it."""
        return self.help is not None and self.available != "renamed" and not self.hidden


@dataclass(frozen=True)
class OptionGroup:
    """Options that the help shows under one title."""

    title: str
    options: tuple[Option, ...]


def timespan(text: str) -> int:
    """Argument type: a time span such as ``90``, ``20m`` or ``1h30m``, in seconds."""
    try:
        return parse_timespan(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def positive_integer(text: str) -> int:
    """Argument type: a whole number of at least 1."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid int value: '{text}'") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be an integer >= 1, not {value}")
    return value


def not_negative(text: str) -> int:
    """Argument type: a whole number of at least 0."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid int value: '{text}'") from None
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be >= 0, not {value}")
    return value


def port_number(text: str) -> int:
    """Argument type: a TCP port, 0 to 65535 (0: the system picks a free one)."""
    value = not_negative(text)
    if value > 65535:
        raise argparse.ArgumentTypeError(f"must be between 0 and 65535, not {value}")
    return value


def exit_code_number(text: str) -> int:
    """Argument type: an exit code; a larger one would lose its upper bits, and 256 mean success."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid int value: '{text}'") from None
    if abs(value) > 255:
        raise argparse.ArgumentTypeError(f"must be between 0 and 255, not {value}")
    return value


def gt_zero(value_type: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return the argument type of finite numbers above zero, converted with ``value_type``."""

    def convert(text: str) -> Any:
        try:
            value = value_type(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"invalid {value_type.__name__} value: '{text}'") from None
        if not math.isfinite(value):
            raise argparse.ArgumentTypeError("must be a finite number")
        if value <= 0:
            raise argparse.ArgumentTypeError("must be > 0")
        return value

    return convert


def json_user_config(text: str) -> list[dict[str, Any]]:
    """Argument type: settings of user classes, as JSON or as the name of a file with JSON in it."""
    try:
        return read_user_settings(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def base_path(text: str) -> str:
    """Argument type: the path under which the web page lives, without a slash at its end."""
    return text.rstrip("/")


def _value(*flags: str, help: str | None, env: str | None = None, **arguments: Any) -> Option:
    return Option(flags, help, env, "yes", arguments)


def _flag(*flags: str, help: str | None, env: str | None = None, **arguments: Any) -> Option:
    return Option(flags, help, env, "yes", {"action": "store_true", "default": False, **arguments})


def _passive(*flags: str, env: str | None = None, **arguments: Any) -> Option:
    """An option that means something to a master or worker only; taken and ignored, as without --master."""
    return Option(flags, None, env, "yes", arguments)


def _later(*flags: str, env: str | None = None, **arguments: Any) -> Option:
    return Option(flags, "is not supported by this version of locust-c", env, "later", arguments)


def _later_flag(*flags: str, env: str | None = None, **arguments: Any) -> Option:
    return _later(*flags, env=env, action="store_true", default=False, **arguments)


def _renamed(flag: str, refusal: str, env: str | None = None, **arguments: Any) -> Option:
    return Option((flag,), refusal, env, "renamed", {"nargs": "?", "const": True, **arguments})


LOCUSTFILE_OPTION = _value(
    "-f",
    "--locustfile",
    metavar="<filename>",
    default="locustfile.py",
    env="LOCUST_LOCUSTFILE",
    help="Python file with the user classes of the test; several may be given, separated by commas. A folder"
    " stands for all .py files below it whose names do not start with an underscore; files are fetched from"
    " http and https addresses. Default: locustfile.py",
)

CONFIG_OPTION = _value(
    "--config",
    metavar="<filename>",
    is_config_file_arg=True,
    help="one more configuration file to read, .toml or 'key = value' lines. ~/.locust.conf, locust.conf and"
    " the section tool.locust of pyproject.toml are read anyway",
)

COMMON = OptionGroup(
    "Common options",
    (
        LOCUSTFILE_OPTION,
        CONFIG_OPTION,
        _value(
            "-H",
            "--host",
            metavar="<base url>",
            env="LOCUST_HOST",
            help="address that paths in the test are appended to, such as https://shop.example.com",
        ),
        _value(
            "-u",
            "--users",
            dest="num_users",
            metavar="<int>",
            type=not_negative,
            env="LOCUST_USERS",
            help="how many users run at the peak of the test. In a terminal, w and W add 1 and 10 users to a"
            " running test, s and S take 1 and 10 away",
        ),
        _value(
            "-r",
            "--spawn-rate",
            metavar="<float>",
            type=gt_zero(float),
            env="LOCUST_SPAWN_RATE",
            help="how many users start per second",
        ),
        _value(
            "-t",
            "--run-time",
            metavar="<time string>",
            type=timespan,
            env="LOCUST_RUN_TIME",
            help="end the test after this time: 300, 300s, 20m, 3h, 1h30m and the like. Default: no end",
        ),
        _flag("-l", "--list", dest="list_commands", help="print the names of the user classes and exit"),
        _value(
            "--config-users",
            nargs="*",
            metavar="<JSON or file>",
            type=json_user_config,
            env="LOCUST_CONFIG_USERS",
            help="set attributes of user classes, by objects such as"
            ' {"user_class_name": "Buyer", "weight": 3, "tasks": ["look"]}: one or a list of them, as JSON or'
            " in a file",
        ),
    ),
)

WEB = OptionGroup(
    "Web UI options",
    (
        _value(
            "--web-host",
            metavar="<ip>",
            default="",
            env="LOCUST_WEB_HOST",
            help="address that the web page listens on. Default: all addresses of this machine",
        ),
        _value("--web-host-display-name", default=None, env="LOCUST_WEB_HOST_DISPLAY_NAME", help=None),
        _value(
            "--web-port",
            "-P",
            metavar="<port number>",
            type=port_number,
            default=8089,
            env="LOCUST_WEB_PORT",
            help="port that the web page listens on. Default: 8089",
        ),
        _flag(
            "--headless",
            env="LOCUST_HEADLESS",
            help="no web page: start the test at once, with -u, -r and -t",
        ),
        _flag(
            "--autostart", env="LOCUST_AUTOSTART", help="start the test at once, and serve the web page too"
        ),
        _value(
            "--autoquit",
            metavar="<seconds>",
            type=int,
            default=-1,
            env="LOCUST_AUTOQUIT",
            help="with --autostart: exit this many seconds after the test. Default: run until Ctrl-C",
        ),
        _flag("--headful", env="LOCUST_HEADFUL", help=None),
        _later_flag("--web-login", env="LOCUST_WEB_LOGIN"),
        _value(
            "--tls-cert",
            metavar="<filename>",
            default="",
            env="LOCUST_TLS_CERT",
            help="certificate (PEM), to serve the page over https; SSL_CERT in the environment does the same",
        ),
        _value(
            "--tls-key",
            metavar="<filename>",
            default="",
            env="LOCUST_TLS_KEY",
            help="private key (PEM) of that certificate; SSL_KEY in the environment does the same. The pass"
            " phrase of an encrypted key is asked for, or taken from SSL_KEY_PASSWORD",
        ),
        _flag(
            "--class-picker",
            env="LOCUST_USERCLASS_PICKER",
            help="let who starts a test over the web choose the user classes and the load shape",
        ),
        replace(_later("--build-path", default="", env="LOCUST_BUILD_PATH"), hidden=True),
        _value(
            "--web-base-path",
            metavar="<path>",
            type=base_path,
            default="",
            env="LOCUST_WEB_BASE_PATH",
            help="path that all addresses of the web page start with, such as /locust",
        ),
        _renamed("--web-auth", "is now --web-login", env="LOCUST_WEB_AUTH"),
        _renamed(
            "--legacy-ui", "is gone, leave it out: there is one page", env="LOCUST_LEGACY_UI", default=False
        ),
    ),
)

MASTER = OptionGroup(
    "Master options",
    (
        _later_flag("--master", env="LOCUST_MODE_MASTER"),
        _passive("--master-bind-host", default="*", env="LOCUST_MASTER_BIND_HOST"),
        _passive("--master-bind-port", type=port_number, default=5557, env="LOCUST_MASTER_BIND_PORT"),
        _passive("--expect-workers", type=positive_integer, default=1, env="LOCUST_EXPECT_WORKERS"),
        _passive("--expect-workers-max-wait", type=int, default=0, env="LOCUST_EXPECT_WORKERS_MAX_WAIT"),
        _passive("--enable-rebalancing", action="store_true", default=False),
        _renamed("--expect-slaves", "is now --expect-workers"),
    ),
)

WORKER = OptionGroup(
    "Worker options",
    (
        _later_flag("--worker", env="LOCUST_MODE_WORKER"),
        _later("--processes", type=int, env="LOCUST_PROCESSES"),
        _renamed("--slave", "is now --worker"),
        _passive("--master-host", default="127.0.0.1", env="LOCUST_MASTER_NODE_HOST"),
        _passive("--master-port", type=port_number, default=5557, env="LOCUST_MASTER_NODE_PORT"),
    ),
)

TAGS = OptionGroup(
    "Tag options",
    (
        _value(
            "-T",
            "--tags",
            nargs="*",
            metavar="<tag>",
            env="LOCUST_TAGS",
            help="run only tasks that carry at least one of these tags",
        ),
        _value(
            "-E",
            "--exclude-tags",
            nargs="*",
            metavar="<tag>",
            env="LOCUST_EXCLUDE_TAGS",
            help="leave out tasks that carry any of these tags",
        ),
    ),
)

STATISTICS = OptionGroup(
    "Request statistics options",
    (
        _value(
            "--csv",
            dest="csv_prefix",
            metavar="<prefix>",
            env="LOCUST_CSV",
            help="write the statistics to <prefix>_stats.csv, <prefix>_stats_history.csv,"
            " <prefix>_failures.csv and <prefix>_exceptions.csv every second; missing folders are made",
        ),
        _flag(
            "--csv-full-history",
            dest="stats_history_enabled",
            env="LOCUST_CSV_FULL_HISTORY",
            help="with --csv: a row for each name in <prefix>_stats_history.csv, not only one for all",
        ),
        _flag(
            "--print-stats",
            env="LOCUST_PRINT_STATS",
            help="print the statistics every 2 s also with the web page",
        ),
        _flag(
            "--only-summary", env="LOCUST_ONLY_SUMMARY", help="headless: print the statistics only at the end"
        ),
        _flag(
            "--reset-stats",
            env="LOCUST_RESET_STATS",
            help="start the statistics anew when all users have been spawned",
        ),
        _value(
            "--html",
            dest="html_file",
            metavar="<filename>",
            env="LOCUST_HTML",
            help="write a report when the test has ended; {u}, {r} and {t} in the name become the number of"
            " users, the spawn rate and the run time",
        ),
        _flag("--json", help="print the final statistics as JSON on standard output"),
        _value(
            "--json-file",
            metavar="<filename>",
            help="write the statistics as JSON to <filename>.json, while the test runs and at its end,"
            " instead of printing the final tables",
        ),
    ),
)

LOGGING = OptionGroup(
    "Logging options",
    (
        _flag(
            "--skip-log-setup",
            env="LOCUST_SKIP_LOG_SETUP",
            help="leave the set-up of logging to the locustfile",
        ),
        _value(
            "--loglevel",
            "-L",
            metavar="<level>",
            type=str.upper,
            choices=LOG_LEVELS,
            default="INFO",
            env="LOCUST_LOGLEVEL",
            help="DEBUG, INFO, WARNING, ERROR or CRITICAL. Default: INFO",
        ),
        _value(
            "--logfile",
            metavar="<filename>",
            env="LOCUST_LOGFILE",
            help="write the log to this file instead of the terminal",
        ),
    ),
)

OTHER = OptionGroup(
    "Other options",
    (
        _flag("--show-task-ratio", help="print how often each task is picked, as a table, and exit"),
        _flag("--show-task-ratio-json", help="print how often each task is picked, as JSON, and exit"),
        _value(
            "--exit-code-on-error",
            metavar="<int>",
            type=exit_code_number,
            default=1,
            env="LOCUST_EXIT_CODE_ON_ERROR",
            help="exit code when a request or a task failed. Default: 1",
        ),
        _value(
            "-s",
            "--stop-timeout",
            metavar="<number>",
            type=timespan,
            default="0",
            env="LOCUST_STOP_TIMEOUT",
            help="seconds that a running task gets to finish when the test stops. Default: none",
        ),
        _flag(
            "--equal-weights",
            help="give all user classes the same weight, and all tasks, whatever the locustfile says",
        ),
        _value("--profile", metavar="<name>", help="a name to file this test under"),
        _later_flag("--otel", env="LOCUST_ENABLE_OPENTELEMETRY"),
    ),
)

#: What Locust does not have. A locustfile or plug-in that adds options of these names gets them.
ITERATIONS_OPTION = _value(
    "-i",
    "--iterations",
    dest="iteration_limit",
    metavar="<int>",
    type=positive_integer,
    env="LOCUST_ITERATIONS",
    help="end the test when this many tasks have been run, by all users together. Default: no end",
)

GROUPS = (COMMON, WEB, MASTER, WORKER, TAGS, STATISTICS, LOGGING, OTHER)

_NO_STEPS = "is gone: write a LoadTestShape, or change the number of users while the test runs"

#: Options of older Locusts, and what to write instead. They are not in the parser: others may use the names.
OLD_NAMES: Mapping[str, str] = {
    "--no-web": "is now --headless",
    "-c": "is now -u",
    "--clients": "is now --users",
    "--hatch-rate": "is now --spawn-rate",
    "-n": "is gone: write -i for a number of task iterations, or -t for a time",
    "--num-request": "is gone: write --iterations, or --run-time for a time",
    "--num-requests": "is gone: write --iterations, or --run-time for a time",
    "--no-reset-stats": "is gone, leave it out: statistics are kept unless --reset-stats is given",
    "--csv-base-name": "is now --csv",
    "--port": "is now --web-port",
    "--step-load": _NO_STEPS,
    "--step-clients": _NO_STEPS,
    "--step-users": _NO_STEPS,
    "--step-time": _NO_STEPS,
    "--heartbeat-liveness": "is gone: set locust.runners.HEARTBEAT_LIVENESS in the locustfile",
    "--heartbeat-interval": "is gone: set locust.runners.HEARTBEAT_INTERVAL in the locustfile",
    "--modern-ui": "is gone, leave it out: there is one page",
}
