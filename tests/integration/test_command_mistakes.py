"""Mistakes of the user: one clear message, the right exit code, no traceback of ours."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from command_process import QUIET, REQUESTS, run, write


def test_no_locustfile(tmp_path: Path) -> None:
    code, _, err = run("--headless", folder=tmp_path)
    assert code == 1
    assert err.startswith("Could not find 'locustfile.py'.")
    assert err.count("\n") == 1
    code, _, err = run("-f", "other.py", folder=tmp_path)
    assert (code, "'other.py'" in err) == (1, True)


def test_a_listing_that_cannot_be_written(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    for option in ("--list", "--show-task-ratio"):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "locust_c", option], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE
            )
        assert done.returncode == 1
        last = done.stderr.decode().splitlines()[-1]
        assert last.endswith("/ERROR/locust.main: Cannot write to standard output: No space left on device")


def test_a_loop_that_gevent_does_not_have(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    code, _, err = run("--headless", folder=tmp_path, env={"GEVENT_LOOP": "libxy"})
    assert code == 1
    assert "gevent cannot start with GEVENT_LOOP=libxy: Cannot import 'libxy'" in err
    assert "Traceback" not in err


def test_help_needs_no_locustfile(tmp_path: Path) -> None:
    code, out, _ = run("--help", folder=tmp_path)
    assert code == 0
    assert out.startswith("Usage: locust [options] [UserClass ...]")


def test_a_syntax_error(tmp_path: Path) -> None:
    write(tmp_path, "x = 1\ndef f(:\n")
    code, _, err = run("--headless", folder=tmp_path)
    assert code == 1
    assert err.startswith(f"Syntax error in {tmp_path / 'locustfile.py'}, line 2:\n")
    assert "Traceback" not in err


def test_python_2(tmp_path: Path) -> None:
    write(tmp_path, 'print "Successfully fetched: %s" % (path)\n')
    code, _, err = run("--headless", folder=tmp_path)
    assert code == 1
    assert "Hint: this is Python 2." in err


def test_an_exception_at_import(tmp_path: Path) -> None:
    write(tmp_path, "import json\njson.loads('{')\n")
    code, _, err = run("--headless", folder=tmp_path)
    assert code == 1
    assert f'  File "{tmp_path / "locustfile.py"}", line 2, in <module>' in err
    assert err.splitlines()[-1].startswith("json.decoder.JSONDecodeError")
    assert "locust_c" not in err


@pytest.mark.parametrize(
    ("text", "args", "message"),
    [
        ("x = 1\n", [], "No User class found!"),
        (QUIET, ["Quite"], "Unknown User(s): Quite"),
    ],
)
def test_no_such_user(tmp_path: Path, text: str, args: list[str], message: str) -> None:
    write(tmp_path, text)
    code, _, err = run("--headless", *args, folder=tmp_path)
    assert code == 1
    assert err.splitlines()[-1].endswith(f"/ERROR/locust.main: {message}")


def test_duplicate_names(tmp_path: Path) -> None:
    write(tmp_path, QUIET, "one.py")
    write(tmp_path, QUIET, "two.py")
    code, _, err = run("-f", "one.py,two.py", "--headless", folder=tmp_path)
    assert code == 1
    assert err.startswith("Duplicate user class names: Quiet is defined in both ")


def test_no_host(tmp_path: Path) -> None:
    write(tmp_path, REQUESTS)
    code, _, err = run("--headless", "-t", "5", folder=tmp_path)
    assert code == 1
    assert "You must specify the base host. Either in the host attribute in the User class, or on" in err
    assert "Shutting down (exit code 1)" in err


def test_no_tasks(tmp_path: Path) -> None:
    write(tmp_path, "from locust import User\nclass Idle(User):\n    pass\n")
    code, _, err = run("--headless", "-t", "1", "--only-summary", folder=tmp_path)
    assert code == 1
    assert "No tasks defined on Idle" in err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["-u", "x"], "locust: error: argument -u/--users: invalid int value: 'x'"),
        (["--userz", "3"], "locust: error: unrecognized arguments: --userz\nDid you mean '--users'?"),
        (["--master"], "locust: error: argument --master: is not supported by this version of locust-c"),
    ],
)
def test_wrong_options(tmp_path: Path, args: list[str], message: str) -> None:
    write(tmp_path, QUIET)
    code, _, err = run(*args, folder=tmp_path)
    assert (code, err) == (2, message + "\n")


def test_autoquit_without_autostart(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    code, _, err = run("--autoquit", "1", folder=tmp_path)
    assert (code, err) == (1, "--autoquit is only meaningful in combination with --autostart\n")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('{"user_class_name": "Nobody", "weight": 1}', "There is no user class named 'Nobody'"),
        ('{"user_class_name": "Quiet", "tasks": ["no"]}', "Quiet has no task named no"),
    ],
)
def test_settings_for_what_is_not_there(tmp_path: Path, settings: str, message: str) -> None:
    write(tmp_path, QUIET)
    code, out, err = run("--headless", "--config-users", settings, folder=tmp_path)
    assert code == 255
    assert err.splitlines()[-1].endswith(f"/ERROR/locust.main: --config-users: {message}")
    assert "test_start" not in out


def test_an_argument_that_there_is_already(tmp_path: Path) -> None:
    own = (
        "@events.init_command_line_parser.add_listener\n"
        "def own(parser):\n    parser.add_argument('--users')\n"
    )
    write(tmp_path, QUIET + own)
    code, out, err = run("--headless", folder=tmp_path)
    assert (code, out) == (1, "")
    lines = [line for line in err.splitlines() if line]
    assert "argparse.ArgumentError: argument --users: conflicting option string: --users" in lines
    assert lines[-1] == "An init_command_line_parser listener failed: no test is started."


def test_a_percent_sign_in_the_help_of_an_argument(tmp_path: Path) -> None:
    own = (
        "@events.init_command_line_parser.add_listener\n"
        "def own(parser):\n    parser.add_argument('--share', help='50% of all')\n"
    )
    write(tmp_path, QUIET + own)
    code, _, err = run("--help", folder=tmp_path)
    assert code == 1
    assert err.startswith("The help of an argument that the locustfile adds cannot be printed: ")
    assert err.endswith(" Write %% for a %.\n")
    assert run("--list", "--share", "x", folder=tmp_path)[0] == 0


def test_a_plug_in_package_that_is_broken(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    write(tmp_path, "import locust\nlocust.no_such_name\n", "locust_plugins.py")
    code, _, err = run("--headless", folder=tmp_path, env={"PYTHONPATH": str(tmp_path)})
    assert code == 1
    assert err.startswith("locust_plugins is installed, but cannot be imported: AttributeError(")
    assert err.count("\n") == 1


def test_a_base_path_without_a_slash(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    code, _, err = run("--web-base-path", "x", folder=tmp_path)
    assert (code, err) == (1, "--web-base-path must start with '/', not 'x'\n")


def test_what_needs_other_processes_starts_nothing(tmp_path: Path) -> None:
    write(tmp_path, "print('imported')\n" + QUIET)
    for env in ({"LOCUST_MODE_WORKER": "true"}, {"LOCUST_PROCESSES": "2"}):
        code, out, err = run("--headless", folder=tmp_path, env=env)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.endswith(": is not supported by this version of locust-c\n")


def test_a_constant_of_the_statistics_that_cannot_be(tmp_path: Path) -> None:
    write(tmp_path, "import locust.stats\nlocust.stats.PERCENTILES_TO_CHART = [95.0]\n" + QUIET)
    code, _, err = run("--headless", folder=tmp_path)
    assert code == 1
    assert err.splitlines()[1:] == [
        "stats.PERCENTILES_TO_CHART contains 95.0: a percentile is a float between 0 and 1 such as 0.95"
    ]


def test_a_taken_port(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        args = ("--web-host", "127.0.0.1", "--web-port", str(port), "--autostart")
        code, out, err = run(*args, folder=tmp_path)
    assert code == 1
    assert f"/ERROR/locust.main: The web page cannot be served on port {port} of 127.0.0.1: " in err
    assert "Address already in use" in err
    assert "Traceback" not in err
    assert "test_start" not in out


def test_a_web_host_that_is_not_ours(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    code, _, err = run("--web-host", "192.0.2.1", "-P", "0", folder=tmp_path)
    assert code == 1
    assert "The web page cannot be served on port 0 of 192.0.2.1: " in err


def test_nobody_reads_what_is_printed(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [sys.executable, "-m", "locust_c", "--list"]
        ended = subprocess.run(command, cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    finally:
        os.close(writer)
    assert (ended.returncode, b"Traceback" in ended.stderr, b"BrokenPipe" in ended.stderr) == (
        1,
        False,
        False,
    )
