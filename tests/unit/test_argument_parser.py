"""The command line: where values come from, what they turn into, and how mistakes are told."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from parser_fixtures import clean_surroundings, parse, refusal

import locust_c
from locust_c import argument_parser
from locust_c.event import Events

__all__ = ["clean_surroundings"]

DEFAULTS = {
    "locustfile": "locustfile.py",
    "config": None,
    "host": None,
    "num_users": None,
    "spawn_rate": None,
    "run_time": None,
    "list_commands": False,
    "config_users": None,
    "web_host": "",
    "web_host_display_name": None,
    "web_port": 8089,
    "headless": False,
    "autostart": False,
    "autoquit": -1,
    "headful": False,
    "web_login": False,
    "tls_cert": "",
    "tls_key": "",
    "class_picker": False,
    "build_path": "",
    "web_base_path": "",
    "master": False,
    "master_bind_host": "*",
    "master_bind_port": 5557,
    "expect_workers": 1,
    "expect_workers_max_wait": 0,
    "enable_rebalancing": False,
    "worker": False,
    "processes": None,
    "master_host": "127.0.0.1",
    "master_port": 5557,
    "tags": None,
    "exclude_tags": None,
    "csv_prefix": None,
    "stats_history_enabled": False,
    "print_stats": False,
    "only_summary": False,
    "reset_stats": False,
    "html_file": None,
    "json": False,
    "json_file": None,
    "skip_log_setup": False,
    "loglevel": "INFO",
    "logfile": None,
    "show_task_ratio": False,
    "show_task_ratio_json": False,
    "exit_code_on_error": 1,
    "stop_timeout": 0,
    "equal_weights": False,
    "profile": None,
    "otel": False,
    "iteration_limit": None,
    "web_allowed_origins": [],
    "web_password_user": None,
    "user_classes": [],
}


def test_every_option_has_the_name_and_default_that_locustfiles_read() -> None:
    parsed = vars(parse())
    assert {name: parsed[name] for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("LOCUST_LOCUSTFILE", "x.py", "locustfile", "x.py"),
        ("LOCUST_HOST", "http://h", "host", "http://h"),
        ("LOCUST_USERS", "7", "num_users", 7),
        ("LOCUST_SPAWN_RATE", "0.5", "spawn_rate", 0.5),
        ("LOCUST_RUN_TIME", "1h20m", "run_time", 4800),
        ("LOCUST_WEB_HOST", "127.0.0.1", "web_host", "127.0.0.1"),
        ("LOCUST_WEB_PORT", "9000", "web_port", 9000),
        ("LOCUST_HEADLESS", "true", "headless", True),
        ("LOCUST_AUTOSTART", "1", "autostart", True),
        ("LOCUST_AUTOQUIT", "3", "autoquit", 3),
        ("LOCUST_TLS_CERT", "c.pem", "tls_cert", "c.pem"),
        ("LOCUST_TLS_KEY", "k.pem", "tls_key", "k.pem"),
        ("LOCUST_TAGS", "[a, b]", "tags", ["a", "b"]),
        ("LOCUST_EXCLUDE_TAGS", "[c]", "exclude_tags", ["c"]),
        ("LOCUST_PRINT_STATS", "yes", "print_stats", True),
        ("LOCUST_ONLY_SUMMARY", "true", "only_summary", True),
        ("LOCUST_RESET_STATS", "true", "reset_stats", True),
        ("LOCUST_LOGLEVEL", "debug", "loglevel", "DEBUG"),
        ("LOCUST_LOGFILE", "x.log", "logfile", "x.log"),
        ("LOCUST_STOP_TIMEOUT", "30", "stop_timeout", 30),
        ("LOCUST_EXIT_CODE_ON_ERROR", "0", "exit_code_on_error", 0),
        ("LOCUST_USER_CLASSES", "A B", "user_classes", ["A", "B"]),
        ("LOCUST_ITERATIONS", "9", "iteration_limit", 9),
        ("LOCUST_WEB_ALLOW_ORIGIN", "https://a, http://b", "web_allowed_origins", ["https://a", "http://b"]),
        ("LOCUST_WEB_USER", "ann", "web_password_user", "ann"),
        ("LOCUST_WEB_LOGIN", "true", "web_login", True),
        ("LOCUST_USERCLASS_PICKER", "on", "class_picker", True),
        ("LOCUST_EXPECT_WORKERS", "4", "expect_workers", 4),
        ("LOCUST_MASTER_NODE_HOST", "h", "master_host", "h"),
        ("LOCUST_WEB_BASE_PATH", "/locust/", "web_base_path", "/locust"),
    ],
)
def test_environment_variables_set_options(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, name: str, value: object
) -> None:
    monkeypatch.setenv(variable, text)
    assert getattr(parse(), name) == value


def test_later_sources_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locust.conf").write_text(
        "users = 2\nspawn-rate: 2\nheadless\nrun-time 20s\n# loglevel = ERROR\n"
    )
    (tmp_path / "pyproject.toml").write_text(
        '[tool.locust]\nusers = 3\ntags = ["a", "b"]\n[tool.other]\nx = 1\n'
    )
    assert (parse().num_users, parse().spawn_rate, parse().run_time) == (3, 2.0, 20)
    assert parse().headless is True
    assert parse().tags == ["a", "b"]
    (tmp_path / "more.conf").write_text("users = 4\n")
    assert parse("--config", "more.conf").num_users == 4
    monkeypatch.setenv("LOCUST_USERS", "5")
    assert parse("--config", "more.conf").num_users == 5
    assert parse("-u", "6").num_users == 6


def test_a_broken_configuration_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.locust\n")
    text = refusal(capsys)
    assert text.startswith("locust: error: pyproject.toml: ")
    assert text.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["-u", "x"], "argument -u/--users: invalid int value: 'x'"),
        (["-u", "-1"], "argument -u/--users: must be >= 0, not -1"),
        (["-r", "0"], "argument -r/--spawn-rate: must be > 0"),
        (["-r", "inf"], "argument -r/--spawn-rate: must be a finite number"),
        (["-r", "fast"], "argument -r/--spawn-rate: invalid float value: 'fast'"),
        (
            ["-t", "5x"],
            "argument -t/--run-time: Invalid time span format. Valid formats: 20, 20s, 3m, 2h, 1h20m,",
        ),
        (["-s", "soon"], "argument -s/--stop-timeout: Invalid time span format."),
        (["-L", "LOUD"], "argument --loglevel/-L: invalid choice: 'LOUD'"),
        (["--web-port", "99999"], "argument --web-port/-P: must be between 0 and 65535, not 99999"),
        (
            ["--exit-code-on-error", "256"],
            "argument --exit-code-on-error: must be between 0 and 255, not 256",
        ),
        (["--exit-code-on-error", "x"], "argument --exit-code-on-error: invalid int value: 'x'"),
        (["--autoquit", "x"], "argument --autoquit: invalid int value: 'x'"),
        (["-i", "0"], "argument -i/--iterations: must be an integer >= 1, not 0"),
        (["--expect-workers", "0"], "argument --expect-workers: must be an integer >= 1, not 0"),
        (["--web-user", "a:b"], "argument --web-user: 'a:b' has a colon or a control character"),
        (["-H"], "argument -H/--host: expected one argument"),
    ],
)
def test_a_wrong_value_names_the_option(
    capsys: pytest.CaptureFixture[str], args: list[str], text: str
) -> None:
    assert refusal(capsys, *args).startswith(f"locust: error: {text}")


@pytest.mark.parametrize(
    ("args", "origins"),
    [
        (["https://A.example:443"], ["https://a.example"]),
        (["http://a:80/ http://a:8080,https://b"], ["http://a", "http://a:8080", "https://b"]),
        (["http://a", "https://b"], ["http://a", "https://b"]),
        (["http://[::1]:3000"], ["http://[::1]:3000"]),
        (["https://bücher.example"], ["https://xn--bcher-kva.example"]),
    ],
)
def test_origins_are_as_browsers_write_them(args: list[str], origins: list[str]) -> None:
    words = [word for arg in args for word in ("--web-allow-origin", arg)]
    assert parse(*words).web_allowed_origins == origins


@pytest.mark.parametrize(
    "text",
    [
        *("null", "x.example", "//x", "https://", "ftp://x", "https://x/y", "https://u@x", "https://x:99999"),
        *("https://*.x", "https://x?y", "https://x#y", "https://[::1", "https://a..b", "https://" + "a" * 70),
        *("https://x;script-src", "https://x'y", "file:///x", "https://x:y"),
    ],
)
def test_what_is_no_origin_is_refused(capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert refusal(capsys, "--web-allow-origin", text) == (
        f"locust: error: argument --web-allow-origin: '{text}' is no origin: write http:// or https://,"
        " the host, and a port if there is one, no more\n"
    )


def test_all_origins_are_too_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, "--web-allow-origin", "*") == (
        "locust: error: argument --web-allow-origin:"
        " '*' would let every web site start tests: name the sites\n"
    )


def test_a_line_that_says_nothing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "locust.conf").write_text("users = 3\n= 3\n")
    assert refusal(capsys) == "locust: error: Unexpected line 1 in locust.conf: = 3\n"


def test_an_unreadable_configuration_file_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "locust.conf").write_bytes(b"host = \xff\xfe\n")
    assert refusal(capsys).startswith("locust: error: configuration file: ")
    (tmp_path / "locust.conf").unlink()
    assert "no.conf" in refusal(capsys, "--config", "no.conf")


def test_an_unknown_option_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    text = refusal(capsys, "--userz", "3")
    assert text == "locust: error: unrecognized arguments: --userz\nDid you mean '--users'?\n"


def test_an_option_unlike_any_other_gets_no_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, "--zzzzzz") == "locust: error: unrecognized arguments: --zzzzzz\n"


@pytest.mark.parametrize(
    "args",
    [
        ["--master"],
        ["--worker"],
        ["--processes", "4"],
    ],
)
def test_what_this_version_does_not_offer_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], args: list[str]
) -> None:
    text = refusal(capsys, *args)
    assert text == f"locust: error: argument {args[0]}: is not supported by this version of locust-c\n"


def test_environment_variables_do_not_get_around_the_refusal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCUST_MODE_WORKER", "1")
    assert "argument --worker" in refusal(capsys)


def test_old_names_are_refused_with_the_new_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, "--slave") == "locust: error: argument --slave: is now --worker\n"


def test_abbreviations_are_accepted() -> None:
    assert parse("--skip-log").skip_log_setup is True
    assert parse("--only").only_summary is True


def test_user_classes_are_positional() -> None:
    parsed = parse("--headless", "A", "B", "-u", "2")
    assert (parsed.user_classes, parsed.num_users) == (["A", "B"], 2)


def test_the_help_has_the_groups_and_hides_what_is_not_for_everybody() -> None:
    text = argument_parser.get_parser().format_help()
    assert text.startswith("Usage: locust [options] [UserClass ...]")
    titles = [line[:-1] for line in text.splitlines() if line[:1].isupper() and line.endswith(":")]
    assert titles == [
        "Common options",
        "Web UI options",
        "Master options",
        "Worker options",
        "Tag options",
        "Request statistics options",
        "Logging options",
        "Other options",
        "User classes",
        "Examples",
    ]
    for hidden in ("--headful", "--legacy-ui", "--slave", "--build-path", "--web-host-display-name"):
        assert hidden not in text
    for later in ("--master", "--worker", "--otel"):
        assert re.search(rf"{later}\s+is not supported by this version of locust-c\n", text)


def add_custom_arguments(parser: argument_parser.LocustArgumentParser) -> None:
    parser.add_argument("--my-arg", type=int, default=3, env_var="MY_ARG", help="mine")
    parser.add_argument("--token", is_secret=True, default="x")
    parser.add_argument("--where", choices=["a", "b"], is_multiple=True, is_required=True)
    parser.add_argument("--hidden", include_in_web_ui=False, default="no")
    parser.add_argument("--pages", default=5, help="so many, %(default)s at first, 50 %% at once")
    parser.add_argument("--part", help="100% of it")


def test_a_locustfile_adds_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    locust_c.events.init_command_line_parser.add_listener(add_custom_arguments)
    assert parse().my_arg == 3
    assert parse("--my-arg", "4", "--where", "b").where == "b"
    monkeypatch.setenv("MY_ARG", "5")
    assert parse().my_arg == 5


def test_the_start_form_is_told_about_custom_arguments() -> None:
    locust_c.events.init_command_line_parser.add_listener(add_custom_arguments)
    shown = argument_parser.ui_extra_args_dict([])
    assert sorted(shown) == ["my_arg", "pages", "part", "token", "where"]
    assert shown["my_arg"] == {
        "default_value": 3,
        "is_secret": False,
        "is_required": False,
        "is_multiple": False,
        "help_text": "mine",
        "choices": None,
    }
    assert shown["token"]["is_secret"] is True
    assert (shown["where"]["choices"], shown["where"]["is_required"]) == (["a", "b"], True)
    assert shown["where"]["is_multiple"] is True
    assert shown["pages"]["help_text"] == "so many, 5 at first, 50 % at once"
    assert shown["part"]["help_text"] == "100% of it"


def test_the_listener_is_looked_up_when_the_parser_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    replaced = Events()
    replaced.init_command_line_parser.add_listener(add_custom_arguments)
    monkeypatch.setattr(locust_c, "events", replaced)
    assert parse().token == "x"


def test_own_defaults_hold_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCUST_USERS", "9")
    assert argument_parser.default_args_dict()["num_users"] is None


@pytest.mark.parametrize(
    ("args", "locustfile", "wants_help"),
    [
        ([], "locustfile.py", False),
        (["-f", "a.py", "--my-own", "x"], "a.py", False),
        (["--headless", "-f", "a.py"], "a.py", False),
        (["--help"], "locustfile.py", True),
        (["-h", "-f", "b.py"], "b.py", True),
    ],
)
def test_the_first_pass_finds_the_locustfile_among_unknown_arguments(
    args: list[str], locustfile: str, wants_help: bool
) -> None:
    first = argument_parser.parse_locustfile_option(args)
    assert (first.locustfile, first.help) == (locustfile, wants_help)


def test_the_version_names_python_and_folder(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        argument_parser.parse_locustfile_option(["-V"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"locust {locust_c.__version__} from ")
    assert "(Python 3." in text


def test_folders_stand_for_their_files(tmp_path: Path) -> None:
    (tmp_path / "files" / "deep").mkdir(parents=True)
    for name in ("files/b.py", "files/deep/a.py", "files/_no.py", "files/no.txt"):
        (tmp_path / name).write_text("")
    found = argument_parser.parse_locustfile_paths(["files", "files/b.py"])
    assert found == [str(tmp_path / "files" / "b.py"), str(tmp_path / "files" / "deep" / "a.py")]


@pytest.mark.parametrize(
    ("path", "prepare", "text"),
    [
        ("nope.py", lambda folder: None, "Could not find 'nope.py'. Ensure your locustfile ends with '.py'"),
        ("x.txt", lambda folder: (folder / "x.txt").write_text(""), "Could not find 'x.txt'."),
        (
            "empty",
            lambda folder: (folder / "empty").mkdir(),
            "Could not find any locustfiles in directory 'empty'",
        ),
    ],
)
def test_a_locustfile_that_is_not_there_is_named(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    path: str,
    prepare: Callable[[Path], object],
    text: str,
) -> None:
    prepare(tmp_path)
    with pytest.raises(SystemExit) as end:
        argument_parser.parse_locustfile_paths([path])
    assert end.value.code == 1
    assert capsys.readouterr().err.startswith(text)


def test_clearing_caches_does_no_harm() -> None:
    argument_parser.default_args_dict()
    for value in vars(argument_parser).values():
        clear = getattr(value, "cache_clear", None)
        if clear is not None:
            clear()
    assert parse("-u", "1").num_users == 1
