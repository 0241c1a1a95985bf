"""`run_single_user`: one user in the foreground, one line for each request."""

import subprocess
import sys
from pathlib import Path

from servers.control import Echo

ROOT = Path(__file__).parents[2]

SCRIPT = """
import sys
from locust_c import HttpUser, constant, events, run_single_user, task
from locust_c.exception import StopUser

for event in ("init", "test_start", "test_stop", "quit"):
    getattr(events, event).add_listener(lambda event=event, **kw: print(event, sorted(kw)))

class Visitor(HttpUser):
    wait_time = constant(0)

    def context(self):
        return {"user": 1}

    @task
    def visit(self):
        self.client.get("/missing?x=1", name="found")
        with self.client.post("/", json={"a": [1, 2]}, catch_response=True) as response:
            response.failure("not\\nwhat I want")
        self.environment.events.request.fire(
            request_type="CALL", name="untimed", response_time=None, response_length=0, exception=None
        )
        raise StopUser()

columns = dict.fromkeys(sys.argv.pop(1).split(","), True) if sys.argv[1:2] and "," in sys.argv[1] else {}
run_single_user(Visitor, **columns)
run_single_user(Visitor)
"""


def run_script(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "single.py"
    script.write_text(SCRIPT)
    return subprocess.run(
        [sys.executable, "-W", "error", script, *arguments],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )


ALL_COLUMNS = "include_length,include_time,include_context,include_payload"


def requests_and_rest(
    done: subprocess.CompletedProcess[str], column: int
) -> tuple[list[list[str]], list[str]]:
    """The columns of the lines that tell a request, and the other lines."""
    assert (done.returncode, done.stderr) == (0, "")
    rows = [[part.strip() for part in line.split("\t")] for line in done.stdout.splitlines()]
    requests = [row for row in rows if len(row) > column and row[column] in ("GET", "POST")]
    assert "CALL|untimed|-1" in "".join("|".join(row) for row in rows)
    return requests, ["|".join(row) for row in rows if row not in requests]


def test_each_request_is_one_line_of_columns(echo: Echo, tmp_path: Path) -> None:
    requests, rest = requests_and_rest(run_script(tmp_path, "-H", echo.url), column=0)
    assert [row[:2] for row in requests] == [["GET", "found"], ["POST", "/"]] * 2
    assert all(row[2].isdigit() for row in requests)
    assert requests[1][3] == "not\\nwhat I want"
    assert requests[0][3].startswith("HTTPError('404 ")
    assert "type|name|resp_ms|exception" in rest


def test_columns_are_added_when_asked_for(echo: Echo, tmp_path: Path) -> None:
    requests, rest = requests_and_rest(run_script(tmp_path, ALL_COLUMNS, "-H", echo.url), column=1)
    assert [row[6:] for row in requests] == [["{'user': 1}", ""], ["{'user': 1}", '{"a": [1, 2]}']] * 2
    assert all(row[0].endswith("+00:00") and row[4].isdigit() for row in requests)
    assert "time|type|name|resp_ms|length|exception|context|payload" in rest


def test_init_is_fired_once_and_test_start_each_time(echo: Echo, tmp_path: Path) -> None:
    _, rest = requests_and_rest(run_script(tmp_path, "-H", echo.url), column=0)
    assert rest.count("init ['environment', 'runner', 'web_ui']") == 1
    assert rest.count("test_start ['environment']") == 2
    assert not [line for line in rest if line.startswith(("test_stop", "quit"))]


def test_a_failing_init_listener_ends_it(tmp_path: Path) -> None:
    script = tmp_path / "single.py"
    script.write_text(
        "from locust_c import User, events, run_single_user\n"
        "events.init.add_listener(lambda **kw: 1 / 0)\n"
        "run_single_user(User)\n"
    )
    done = subprocess.run([sys.executable, script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert done.stderr.splitlines()[-1] == "An init listener failed: no user is started."


def test_without_a_host_there_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    done = run_script(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("You must specify the base host.")
    assert done.stderr.count("\n") == 1


def test_ctrl_c_ends_it_without_a_traceback(tmp_path: Path) -> None:
    script = tmp_path / "single.py"
    script.write_text(
        "import signal\n"
        "from locust_c import User, run_single_user, task\n"
        "class Visitor(User):\n"
        "    @task\n"
        "    def visit(self):\n"
        "        signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "run_single_user(Visitor)\n"
        "print('goes on')\n"
    )
    done = subprocess.run([sys.executable, script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\ngoes on\n")
