"""Options beyond plain values: refused and old ones, settings of user classes, names that others take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from parser_fixtures import clean_surroundings, parse, refusal

import locust_c
from locust_c import argument_parser, options

__all__ = ["clean_surroundings"]

#: Flags, attribute and variable of every option (Locust's documented table).
ROWS = """
-f --locustfile                locustfile               LOCUST_LOCUSTFILE
--config                       config                   -
-H --host                      host                     LOCUST_HOST
-u --users                     num_users                LOCUST_USERS
-r --spawn-rate                spawn_rate               LOCUST_SPAWN_RATE
-t --run-time                  run_time                 LOCUST_RUN_TIME
-l --list                      list_commands            -
--config-users                 config_users             LOCUST_CONFIG_USERS
--web-host                     web_host                 LOCUST_WEB_HOST
--web-host-display-name        web_host_display_name    LOCUST_WEB_HOST_DISPLAY_NAME
--web-port -P                  web_port                 LOCUST_WEB_PORT
--headless                     headless                 LOCUST_HEADLESS
--autostart                    autostart                LOCUST_AUTOSTART
--autoquit                     autoquit                 LOCUST_AUTOQUIT
--headful                      headful                  LOCUST_HEADFUL
--web-login                    web_login                LOCUST_WEB_LOGIN
--tls-cert                     tls_cert                 LOCUST_TLS_CERT
--tls-key                      tls_key                  LOCUST_TLS_KEY
--class-picker                 class_picker             LOCUST_USERCLASS_PICKER
--build-path                   build_path               LOCUST_BUILD_PATH
--web-base-path                web_base_path            LOCUST_WEB_BASE_PATH
--web-auth                     web_auth                 LOCUST_WEB_AUTH
--legacy-ui                    legacy_ui                LOCUST_LEGACY_UI
--master                       master                   LOCUST_MODE_MASTER
--master-bind-host             master_bind_host         LOCUST_MASTER_BIND_HOST
--master-bind-port             master_bind_port         LOCUST_MASTER_BIND_PORT
--expect-workers               expect_workers           LOCUST_EXPECT_WORKERS
--expect-workers-max-wait      expect_workers_max_wait  LOCUST_EXPECT_WORKERS_MAX_WAIT
--enable-rebalancing           enable_rebalancing       -
--expect-slaves                expect_slaves            -
--slave                        slave                    -
--worker                       worker                   LOCUST_MODE_WORKER
--processes                    processes                LOCUST_PROCESSES
--master-host                  master_host              LOCUST_MASTER_NODE_HOST
--master-port                  master_port              LOCUST_MASTER_NODE_PORT
-T --tags                      tags                     LOCUST_TAGS
-E --exclude-tags              exclude_tags             LOCUST_EXCLUDE_TAGS
--csv                          csv_prefix               LOCUST_CSV
--csv-full-history             stats_history_enabled    LOCUST_CSV_FULL_HISTORY
--print-stats                  print_stats              LOCUST_PRINT_STATS
--only-summary                 only_summary             LOCUST_ONLY_SUMMARY
--reset-stats                  reset_stats              LOCUST_RESET_STATS
--html                         html_file                LOCUST_HTML
--json                         json                     -
--json-file                    json_file                -
--skip-log-setup               skip_log_setup           LOCUST_SKIP_LOG_SETUP
--loglevel -L                  loglevel                 LOCUST_LOGLEVEL
--logfile                      logfile                  LOCUST_LOGFILE
--show-task-ratio              show_task_ratio          -
--show-task-ratio-json         show_task_ratio_json     -
--exit-code-on-error           exit_code_on_error       LOCUST_EXIT_CODE_ON_ERROR
-s --stop-timeout              stop_timeout             LOCUST_STOP_TIMEOUT
--equal-weights                equal_weights            -
--profile                      profile                  -
--otel                         otel                     LOCUST_ENABLE_OPENTELEMETRY
-i --iterations                iteration_limit          LOCUST_ITERATIONS
--web-allow-origin             web_allowed_origins      LOCUST_WEB_ALLOW_ORIGIN
--web-user                     web_password_user        LOCUST_WEB_USER
"""


def test_every_option_of_the_table_is_there() -> None:
    found = [
        (*action.option_strings, action.dest, getattr(action, "env_var", None) or "-")
        for action in argument_parser.get_parser()._actions
        if action.option_strings and action.dest not in ("help", "version")
    ]
    assert sorted(found) == sorted(tuple(row.split()) for row in ROWS.strip().splitlines())


REFUSED = [
    ["--master"],
    ["--worker"],
    ["--processes", "0"],
    ["--processes=-1"],
    ["--otel"],
    ["--worker", "-f", "-"],
    ["--master", "--worker", "--headless", "-t", "1"],
]


@pytest.mark.parametrize("args", REFUSED, ids=" ".join)
def test_distributed_runs_are_refused_before_the_locustfile_is_imported(
    capsys: pytest.CaptureFixture[str], args: list[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        argument_parser.parse_locustfile_option(args)
    assert end.value.code == 2
    flag = args[0].split("=")[0]
    expected = f"locust: error: argument {flag}: is not supported by this version of locust-c\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize(
    ("variables", "config", "flag"),
    [
        ({"LOCUST_MODE_MASTER": "true"}, "", "--master"),
        ({"LOCUST_MODE_WORKER": "1"}, "", "--worker"),
        ({"LOCUST_PROCESSES": "-1"}, "", "--processes"),
        ({"LOCUST_ENABLE_OPENTELEMETRY": "yes"}, "", "--otel"),
        ({}, "master\n", "--master"),
        ({}, "worker = true\nheadless = true\n", "--worker"),
        ({}, "processes: 4\n", "--processes"),
    ],
)
def test_variables_and_files_do_not_get_around_that(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, str],
    config: str,
    flag: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "locust.conf").write_text(config)
    with pytest.raises(SystemExit) as end:
        argument_parser.parse_locustfile_option([])
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith(f"locust: error: argument {flag}: is not supported")


def test_what_is_set_to_no_is_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCUST_MODE_WORKER", "false")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    (tmp_path / "locust.conf").write_text("master = no\nexpect-workers = 4\nmaster-bind-port = 6000\n")
    assert argument_parser.parse_locustfile_option([]).locustfile == "locustfile.py"
    parsed = parse("--master-host", "h", "--expect-workers-max-wait", "3", "--enable-rebalancing")
    assert (parsed.master, parsed.worker, parsed.expect_workers, parsed.master_bind_port) == (
        False,
        False,
        4,
        6000,
    )


def test_help_goes_before_refusals() -> None:
    assert argument_parser.parse_locustfile_option(["--worker", "--help"]).help is True


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["--no-web"], "--no-web: is now --headless"),
        (["-c", "5"], "-c: is now -u"),
        (["-c5"], "-c: is now -u"),
        (["--clients", "5"], "--clients: is now --users"),
        (["--hatch-rate=2"], "--hatch-rate: is now --spawn-rate"),
        (["-n", "10"], "-n: is gone: write -i for a number of task iterations, or -t for a time"),
        (["--num-request", "5"], "--num-request: is gone: write --iterations, or --run-time for a time"),
        (["--slave"], "--slave: is now --worker"),
        (["--expect-slaves", "2"], "--expect-slaves: is now --expect-workers"),
        (["--web-auth", "a:b"], "--web-auth: is now --web-login"),
        (["--legacy-ui"], "--legacy-ui: is gone, leave it out: there is one page"),
        (
            ["--no-reset-stats"],
            "--no-reset-stats: is gone, leave it out: statistics are kept unless --reset-stats is given",
        ),
    ],
)
def test_old_options_say_what_to_write_instead(
    capsys: pytest.CaptureFixture[str], args: list[str], text: str
) -> None:
    assert refusal(capsys, *args) == f"locust: error: argument {text}\n"


def test_every_old_option_is_unknown_to_the_parser(capsys: pytest.CaptureFixture[str]) -> None:
    for flag, text in options.OLD_NAMES.items():
        assert refusal(capsys, flag) == f"locust: error: argument {flag}: {text}\n"


def test_an_old_option_in_a_file_is_refused_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "locust.conf").write_text("no-web = true\n")
    assert refusal(capsys) == "locust: error: argument --no-web: is now --headless\n"


def test_a_locustfile_may_use_old_names_itself() -> None:
    locust_c.events.init_command_line_parser.add_listener(
        lambda parser: parser.add_argument("-c", "--clients", type=int)
    )
    assert parse("-c", "5").clients == 5


def test_a_plug_in_may_take_the_names_of_the_iteration_limit() -> None:
    def like_locust_plugins(parser: Any) -> None:
        group = parser.add_argument_group("Extras")
        group.add_argument("-i", "--iterations", type=int, default=0, env_var="LOCUST_ITERATIONS")

    locust_c.events.init_command_line_parser.add_listener(like_locust_plugins)
    parsed = parse("-i", "5")
    assert (parsed.iterations, parsed.iteration_limit) == (5, None)


def test_what_is_left_of_the_iteration_limits_names_works() -> None:
    locust_c.events.init_command_line_parser.add_listener(lambda parser: parser.add_argument("-i"))
    parsed = parse("-i", "x", "--iterations", "5")
    assert (parsed.i, parsed.iteration_limit) == ("x", 5)


def test_a_locustfile_may_take_the_names_of_options_of_the_page() -> None:
    def of_the_tested_site(parser: Any) -> None:
        parser.add_argument("--web-user", default="")
        parser.add_argument("--web-allow-origin", default="")

    locust_c.events.init_command_line_parser.add_listener(of_the_tested_site)
    parsed = parse("--web-user", "bob", "--web-allow-origin", "x")
    assert (parsed.web_user, parsed.web_password_user) == ("bob", None)
    assert (parsed.web_allow_origin, parsed.web_allowed_origins) == ("x", [])


FIRST = {"user_class_name": "A", "weight": 3}
SECOND = {"user_class_name": "B", "tasks": ["look"]}


def test_settings_of_user_classes(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(FIRST))
    (tmp_path / "two.json").write_text(json.dumps([FIRST, SECOND]))
    assert parse("--config-users", json.dumps(FIRST)).config_users == [[FIRST]]
    assert parse("--config-users", json.dumps([FIRST, SECOND])).config_users == [[FIRST, SECOND]]
    parsed = parse("--config-users", "one.json", "two.json", json.dumps(SECOND))
    assert parsed.config_users == [[FIRST], [FIRST, SECOND], [SECOND]]
    assert parse("--config-users").config_users == []


def test_settings_of_user_classes_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.json").write_text(json.dumps(FIRST))
    (tmp_path / "locust.conf").write_text(f"config-users = {json.dumps([FIRST, SECOND])}\n")
    assert parse().config_users == [[FIRST], [SECOND]]
    (tmp_path / "pyproject.toml").write_text('[tool.locust]\nconfig-users = ["one.json"]\n')
    assert parse().config_users == [[FIRST]]
    monkeypatch.setenv("LOCUST_CONFIG_USERS", json.dumps(SECOND))
    assert parse().config_users == [[SECOND]]
    monkeypatch.setenv("LOCUST_CONFIG_USERS", json.dumps([FIRST, SECOND]))
    assert parse().config_users == [[FIRST], [SECOND]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no.json", "cannot read 'no.json': No such file or directory"),
        (".", "cannot read '.': Is a directory"),
        ("{bad", "'{bad' is not valid JSON: Expecting property name enclosed in double quotes: line 1"),
        ("[3]", "'[3]' must hold objects, not 3"),
        ('{"weight": 5}', "'{\"weight\": 5}': each object must name its class as user_class_name"),
        ('{"user_class_name": 5}', "'{\"user_class_name\": 5}': each object must name its class"),
        ("[" * 100_000, f"'{'[' * 77}...' is not valid JSON: "),
        ("latin.json", "cannot read 'latin.json': 'utf-8' codec can't decode byte 0xff"),
    ],
    ids=range(8),
)
def test_settings_that_cannot_be_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, reason: str
) -> None:
    (tmp_path / "latin.json").write_bytes(b"\xff")
    shown = refusal(capsys, "--config-users", text)
    assert shown.startswith(f"locust: error: argument --config-users: {reason}")
    assert shown.count("\n") == 1
