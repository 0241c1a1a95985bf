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
        raise StopUser()

sys.stdout.reconfigure(line_buffering=True)
run_single_user(Visitor)
run_single_user(Visitor, include_length=True, include_time=True, include_context=True, include_payload=True)
print(type(events.request).__name__)
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


def test_each_request_is_one_line_of_columns(echo: Echo, tmp_path: Path) -> None:
    done = run_script(tmp_path, "-H", echo.url)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    rows = [[column.strip() for column in line.split("\t")] for line in lines]

    assert lines.count("init ['environment', 'runner', 'web_ui']") == 1
    assert lines.count("test_start ['environment']") == 2
    assert not [line for line in lines if line.startswith(("test_stop", "quit"))]

    assert ["type", "name", "resp_ms", "exception"] in rows
    short = [row for row in rows if row[0] in ("GET", "POST")]
    assert [row[:2] for row in short] == [["GET", "found"], ["POST", "/"]]
    assert all(row[2].isdigit() for row in short)
    assert short[1][3] == "not what I want"

    assert ["time", "type", "name", "resp_ms", "length", "exception", "context", "payload"] in rows
    long = [row for row in rows if row[1] in ("GET", "POST")]
    assert [row[6:] for row in long] == [["{'user': 1}", ""], ["{'user': 1}", '{"a": [1, 2]}']]
    assert all(row[0].endswith("+00:00") and row[4].isdigit() for row in long)


def test_without_a_host_there_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    done = run_script(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("You must specify the base host.")
    assert done.stderr.count("\n") == 1
