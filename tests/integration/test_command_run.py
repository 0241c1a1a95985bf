"""The command runs a test from start to end: log lines, tables, events, exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from command_process import QUIET, REQUESTS, command, run, write

from benchmarks.server import Nginx


def test_a_headless_test_has_the_lines_that_pipelines_match(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    code, out, err = run("--headless", "-u", "2", "-r", "2", "-t", "1s", folder=tmp_path)
    assert code == 0
    lines = [line.split(": ", 1) for line in err.splitlines() if line.startswith("[")]
    assert re.fullmatch(r"\[.{23}\] [^/]+/INFO/locust\.main", lines[0][0])
    assert re.fullmatch(r"Starting Locust [\d.]+ \(locust-c, C engine\)", lines[0][1])
    assert [text for _, text in lines[1:]] == [
        "Run time limit set to 1 seconds",
        "Ramping to 2 users at a rate of 2.00 per second",
        'All users spawned: {"Quiet": 2} (2 total users)',
        "--run-time limit reached, shutting down",
        "Shutting down (exit code 0)",
    ]
    assert out.splitlines() == [
        "event init ",
        "event test_start ",
        "event test_stopping ",
        "on_stop",
        "on_stop",
        "event test_stop ",
        "event quitting ",
        "event quit 0",
    ]


def test_requests_are_counted_and_shown(tmp_path: Path, nginx: Nginx) -> None:
    write(tmp_path, REQUESTS)
    code, _, err = run("--headless", "-u", "2", "-r", "9", "-t", "1", "-H", nginx.url, folder=tmp_path)
    assert code == 0
    first, _, last = err.partition("Shutting down (exit code 0)")
    assert first.count("# reqs      # fails |    Avg     Min     Max    Med |   req/s  failures/s") >= 1
    assert re.search(r"^GET      /  +[1-9]\d* +0\(0\.00%\) \|", last, re.MULTILINE)
    assert "Response time percentiles (approximated)" in last
    assert "Error report" not in last


def test_only_the_summary_is_shown_on_request(tmp_path: Path, nginx: Nginx) -> None:
    write(tmp_path, REQUESTS)
    args = ("--headless", "--only-summary", "-t", "1", "-H", nginx.url)
    _, _, err = run(*args, folder=tmp_path)
    before, _, after = err.partition("Shutting down")
    assert "# fails" not in before
    assert "# fails" in after


def test_failed_requests_decide_the_exit_code(tmp_path: Path, refused_url: str) -> None:
    write(tmp_path, REQUESTS)
    args = ("--headless", "--only-summary", "-t", "1", "-H", refused_url)
    code, _, err = run(*args, folder=tmp_path)
    assert code == 1
    assert "Shutting down (exit code 1)" in err
    assert "Error report" in err
    assert "GET /: ConnectionRefusedError(111, 'Connection refused')" in err
    code, _, err = run(*args, "--exit-code-on-error", "0", folder=tmp_path)
    assert (code, "Shutting down (exit code 0)" in err) == (0, True)


def test_a_task_that_raises_decides_the_exit_code(tmp_path: Path) -> None:
    write(tmp_path, QUIET.replace("        pass\n", "        raise KeyError('lost')\n", 1))
    code, _, err = run("--headless", "--only-summary", "-t", "1", folder=tmp_path)
    assert code == 1
    assert "KeyError: 'lost'" in err


LISTENER = """
@events.{event}.add_listener
def own(environment, **kwargs):
    {body}
"""


@pytest.mark.parametrize(
    ("event", "body", "code"),
    [
        ("quitting", "environment.process_exit_code = 7", 7),
        ("test_stop", "environment.process_exit_code = 0", 0),
        ("test_start", "raise KeyError('lost')", 2),
        ("quitting", "import sys; sys.exit(9)", 9),
        ("test_start", "import sys; sys.exit(8)", 8),
    ],
)
def test_listeners_decide_the_exit_code(tmp_path: Path, event: str, body: str, code: int) -> None:
    write(tmp_path, QUIET + LISTENER.format(event=event, body=body))
    found, out, err = run("--headless", "--only-summary", "-t", "1", folder=tmp_path)
    assert found == code
    assert f"Shutting down (exit code {code})" in err
    assert f"event quit {code}" in out


def test_an_init_listener_that_fails_ends_the_command_at_once(tmp_path: Path) -> None:
    write(tmp_path, QUIET + LISTENER.format(event="init", body="kwargs['web_ui'].app"))
    code, out, err = run("--headless", folder=tmp_path)
    assert code == 1
    assert "AttributeError: 'NoneType' object has no attribute 'app'" in err
    assert "test_start" not in out


def test_why_a_listener_exits_is_said(tmp_path: Path) -> None:
    write(tmp_path, QUIET + LISTENER.format(event="init", body="import sys; sys.exit('no licence')"))
    code, out, err = run("--headless", "--only-summary", folder=tmp_path)
    assert (code, "\nno licence\n" in err) == (1, True)
    assert "test_start" not in out


def test_the_test_ends_when_the_user_code_says_so(tmp_path: Path) -> None:
    write(tmp_path, QUIET.replace("        pass\n", "        self.environment.runner.quit()\n", 1))
    code, out, err = run("--headless", "--only-summary", folder=tmp_path)
    assert code == 0
    assert "event quit 0" in out
    assert "No run time limit set, use CTRL+C to interrupt" in err


def test_autostart_and_autoquit(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    args = ("--autostart", "--autoquit", "0", "-t", "1", "-P", "0", "--web-host", "127.0.0.1")
    code, out, err = run(*args, folder=tmp_path)
    assert code == 0
    assert "Starting web interface at http://127.0.0.1:" in err
    assert err.index("--run-time limit reached, stopping test") < err.index("--autoquit time reached")
    assert out.splitlines()[-1] == "event quit 0"
    assert "# fails" not in err.partition("Shutting down")[0]


def test_a_number_of_iterations_ends_the_test(tmp_path: Path) -> None:
    write(tmp_path, QUIET.replace("        pass\n", "        print('task')\n", 1))
    args = ("--headless", "--only-summary", "-u", "3", "-r", "9", "-i", "8")
    code, out, err = run(*args, folder=tmp_path)
    assert code == 0
    assert (out.count("task\n"), out.count("on_stop\n")) == (8, 3)
    assert err.index("Iteration limit set to 8") < err.index("Iteration limit reached (8), shutting down")
    assert out.splitlines()[-1] == "event quit 0"


def test_a_number_of_iterations_stops_the_test_of_the_web_page(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    args = ("--autostart", "--autoquit", "0", "-P", "0", "--web-host", "127.0.0.1", "--iterations", "2")
    code, out, err = run(*args, folder=tmp_path)
    assert code == 0
    order = ["Iteration limit reached (2), stopping test", "--autoquit time reached"]
    assert err.index(order[0]) < err.index(order[1])
    assert out.count("event test_stop \n") == 1


def test_user_classes_are_changed_by_json(tmp_path: Path) -> None:
    write(tmp_path, QUIET + "class Other(Quiet):\n    weight = 0\n")
    (tmp_path / "users.json").write_text('[{"user_class_name": "Quiet", "weight": 0}]')
    settings = ("--config-users", "users.json", '{"user_class_name": "Other", "fixed_count": 2}')
    code, out, _ = run("--show-task-ratio-json", *settings, folder=tmp_path)
    assert (code, list(json.loads(out)["per_class"])) == (0, ["Other"])


def test_the_class_picker_is_on(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    args = ("--headless", "--only-summary", "--class-picker", "-L", "DEBUG", "-i", "1")
    code, _, err = run(*args, folder=tmp_path)
    assert (code, "Locust is running with the UserClass Picker Enabled" in err) == (0, True)


def test_a_load_shape_runs_the_test(tmp_path: Path) -> None:
    shape = (
        "from locust import LoadTestShape\n"
        "class Once(LoadTestShape):\n"
        "    def tick(self):\n"
        "        return (1, 1) if self.get_run_time() < 0.5 else None\n"
    )
    write(tmp_path, QUIET + shape)
    code, _, err = run("--headless", "--only-summary", "-u", "5", "-t", "20", folder=tmp_path)
    assert code == 0
    assert "--run-time, --users or --spawn-rate have no impact on LoadShapes" in err
    assert "The following option(s) will be ignored: --users, --run-time" in err
    assert "Shape test completed, shutting down" in err


def test_user_classes_are_listed_and_chosen(tmp_path: Path) -> None:
    write(tmp_path, QUIET + "class Other(Quiet):\n    pass\n")
    code, out, _ = run("--list", folder=tmp_path)
    assert (code, out) == (0, "Available Users:\n    Quiet\n    Other\n")
    _, _, err = run("--headless", "--only-summary", "-u", "2", "-r", "9", "-t", "1", "Other", folder=tmp_path)
    assert 'All users spawned: {"Other": 2} (2 total users)' in err


def test_task_ratios_are_shown(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    code, out, _ = run("--show-task-ratio-json", folder=tmp_path)
    ratio = {"Quiet": {"ratio": 1.0, "tasks": {"nothing": {"ratio": 1.0}}}}
    assert (code, json.loads(out)) == (0, {"per_class": ratio, "total": ratio})
    code, out, _ = run("--show-task-ratio", folder=tmp_path)
    assert code == 0
    assert out.splitlines()[1:3] == [" Task ratio per User class", "-" * 80]


def test_custom_arguments_reach_the_environment(tmp_path: Path) -> None:
    write(
        tmp_path,
        QUIET
        + "@events.init_command_line_parser.add_listener\n"
        + "def own(parser):\n    parser.add_argument('--colour', default='red')\n"
        + "@events.init.add_listener\n"
        + "def show(environment, **kwargs):\n    print('colour', environment.parsed_options.colour)\n",
    )
    _, out, _ = run("--headless", "-t", "1", "--only-summary", "--colour", "blue", folder=tmp_path)
    assert "colour blue" in out
    code, out, _ = run("--help", folder=tmp_path)
    assert (code, "--colour" in out) == (0, True)


def test_a_log_file_takes_the_log(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    _, _, err = run("--headless", "-t", "1", "--logfile", "logs/run.log", folder=tmp_path)
    assert "Starting Locust" in (tmp_path / "logs" / "run.log").read_text()
    assert "Starting Locust" not in err
    assert "# fails" in err


def test_flask_is_imported_for_the_web_page_only(tmp_path: Path) -> None:
    show = "import sys\n@events.quit.add_listener\ndef _(**k): print('flask' in sys.modules)\n"
    write(tmp_path, QUIET + show)
    _, out, _ = run("--headless", "--only-summary", "-t", "1", folder=tmp_path)
    assert out.splitlines()[-1] == "False"


def test_periodic_tables_come_with_the_web_page_on_request(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    args = ("--print-stats", "-P", "0", "--web-host", "127.0.0.1")
    with command(*args, folder=tmp_path) as subject:
        subject.wait_for("# fails")
