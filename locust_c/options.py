"""The one table of command line options.

A row says everything about an option: its names, the attribute of the parsed options that takes its value,
its environment variable, its default and its help. :mod:`locust_c.argument_parser` makes parsers of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from .argument_types import (
    exit_code_number,
    gt_zero,
    json_user_config,
    not_negative,
    port_number,
    positive_integer,
    timespan,
)
from .option_rows import OptionGroup, flag, later, later_flag, passive, renamed, value
from .web_options import ALLOW_ORIGIN_OPTION, USER_OPTION, WEB

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

LOCUSTFILE_OPTION = value(
    "-f",
    "--locustfile",
    metavar="<filename>",
    default="locustfile.py",
    env="LOCUST_LOCUSTFILE",
    help="Python file with the user classes of the test; several may be given, separated by commas. A folder"
    " stands for all .py files below it whose names do not start with an underscore; files are fetched from"
    " http and https addresses. Default: locustfile.py",
)

CONFIG_OPTION = value(
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
        value(
            "-H",
            "--host",
            metavar="<base url>",
            env="LOCUST_HOST",
            help="address that paths in the test are appended to, such as https://shop.example.com",
        ),
        value(
            "-u",
            "--users",
            dest="num_users",
            metavar="<int>",
            type=not_negative,
            env="LOCUST_USERS",
            help="how many users run at the peak of the test. In a terminal, w and W add 1 and 10 users to a"
            " running test, s and S take 1 and 10 away",
        ),
        value(
            "-r",
            "--spawn-rate",
            metavar="<float>",
            type=gt_zero(float),
            env="LOCUST_SPAWN_RATE",
            help="how many users start per second",
        ),
        value(
            "-t",
            "--run-time",
            metavar="<time string>",
            type=timespan,
            env="LOCUST_RUN_TIME",
            help="end the test after this time: 300, 300s, 20m, 3h, 1h30m and the like. Default: no end",
        ),
        flag("-l", "--list", dest="list_commands", help="print the names of the user classes and exit"),
        value(
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

MASTER = OptionGroup(
    "Master options",
    (
        later_flag("--master", env="LOCUST_MODE_MASTER"),
        passive("--master-bind-host", default="*", env="LOCUST_MASTER_BIND_HOST"),
        passive("--master-bind-port", type=port_number, default=5557, env="LOCUST_MASTER_BIND_PORT"),
        passive("--expect-workers", type=positive_integer, default=1, env="LOCUST_EXPECT_WORKERS"),
        passive("--expect-workers-max-wait", type=int, default=0, env="LOCUST_EXPECT_WORKERS_MAX_WAIT"),
        passive("--enable-rebalancing", action="store_true", default=False),
        renamed("--expect-slaves", "is now --expect-workers"),
    ),
)

WORKER = OptionGroup(
    "Worker options",
    (
        later_flag("--worker", env="LOCUST_MODE_WORKER"),
        later("--processes", type=int, env="LOCUST_PROCESSES"),
        renamed("--slave", "is now --worker"),
        passive("--master-host", default="127.0.0.1", env="LOCUST_MASTER_NODE_HOST"),
        passive("--master-port", type=port_number, default=5557, env="LOCUST_MASTER_NODE_PORT"),
    ),
)

TAGS = OptionGroup(
    "Tag options",
    (
        value(
            "-T",
            "--tags",
            nargs="*",
            metavar="<tag>",
            env="LOCUST_TAGS",
            help="run only tasks that carry at least one of these tags",
        ),
        value(
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
        value(
            "--csv",
            dest="csv_prefix",
            metavar="<prefix>",
            env="LOCUST_CSV",
            help="write the statistics to <prefix>_stats.csv, <prefix>_stats_history.csv,"
            " <prefix>_failures.csv and <prefix>_exceptions.csv every second; missing folders are made",
        ),
        flag(
            "--csv-full-history",
            dest="stats_history_enabled",
            env="LOCUST_CSV_FULL_HISTORY",
            help="with --csv: a row for each name in <prefix>_stats_history.csv, not only one for all",
        ),
        flag(
            "--print-stats",
            env="LOCUST_PRINT_STATS",
            help="print the statistics every 2 s also with the web page",
        ),
        flag(
            "--only-summary", env="LOCUST_ONLY_SUMMARY", help="headless: print the statistics only at the end"
        ),
        flag(
            "--reset-stats",
            env="LOCUST_RESET_STATS",
            help="start the statistics anew when all users have been spawned",
        ),
        value(
            "--html",
            dest="html_file",
            metavar="<filename>",
            env="LOCUST_HTML",
            help="write a report when the test has ended; {u}, {r} and {t} in the name become the number of"
            " users, the spawn rate and the run time",
        ),
        flag("--json", help="print the final statistics as JSON on standard output"),
        value(
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
        flag(
            "--skip-log-setup",
            env="LOCUST_SKIP_LOG_SETUP",
            help="leave the set-up of logging to the locustfile",
        ),
        value(
            "--loglevel",
            "-L",
            metavar="<level>",
            type=str.upper,
            choices=LOG_LEVELS,
            default="INFO",
            env="LOCUST_LOGLEVEL",
            help="DEBUG, INFO, WARNING, ERROR or CRITICAL. Default: INFO",
        ),
        value(
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
        flag("--show-task-ratio", help="print how often each task is picked, as a table, and exit"),
        flag("--show-task-ratio-json", help="print how often each task is picked, as JSON, and exit"),
        value(
            "--exit-code-on-error",
            metavar="<int>",
            type=exit_code_number,
            default=1,
            env="LOCUST_EXIT_CODE_ON_ERROR",
            help="exit code when a request or a task failed. Default: 1",
        ),
        value(
            "-s",
            "--stop-timeout",
            metavar="<number>",
            type=timespan,
            default="0",
            env="LOCUST_STOP_TIMEOUT",
            help="seconds that a running task gets to finish when the test stops. Default: none",
        ),
        flag(
            "--equal-weights",
            help="give all user classes the same weight, and all tasks, whatever the locustfile says",
        ),
        value("--profile", metavar="<name>", help="a name to file this test under"),
        later_flag("--otel", env="LOCUST_ENABLE_OPENTELEMETRY"),
    ),
)

ITERATIONS_OPTION = value(
    "-i",
    "--iterations",
    dest="iteration_limit",
    metavar="<int>",
    type=positive_integer,
    env="LOCUST_ITERATIONS",
    help="end the test when this many tasks have been run, by all users together. Default: no end",
)

GROUPS = (COMMON, WEB, MASTER, WORKER, TAGS, STATISTICS, LOGGING, OTHER)

#: What Locust does not have, and the groups it belongs to. A locustfile or plug-in that adds options of these
#: names gets them.
BEYOND_LOCUST = ((COMMON, ITERATIONS_OPTION), (WEB, ALLOW_ORIGIN_OPTION), (WEB, USER_OPTION))

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
