"""The topics of Locust's documentation as examples of our own, each run for real: see docs_examples/."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from types import ModuleType, SimpleNamespace
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

import pytest
from command_process import command
from servers.control import Echo

EXAMPLES = Path(__file__).parent / "docs_examples"

#: What the examples that share one process write to stdout, `seen …` being said by seen.py.
TOGETHER = {
    "first_steps": ["seen GET /anything/first/front ok", "seen GET /anything/first/article ok"],
    "writing_locustfiles": [
        "seen POST /anything/shop/login ok",
        "seen GET /anything/shop/article?id=[id] ok",
        "shopper sent session 37",
    ],
    "weights_and_hosts": [
        "seen GET /anything/visited-by/Guest ok",
        "seen GET /anything/visited-by/Member ok",
        "seen GET /anything/visited-by/Caretaker ok",
    ],
    "task_declarations": [
        "seen GET /anything/door/open ok",
        "seen GET /anything/door/close ok",
        "seen GET /anything/door/bell ok",
        "doors are opened by 4 of 7 tasks",
    ],
    "task_sets": [
        "seen GET /anything/forum ok",
        "seen GET /anything/forum/enter ok",
        "seen POST /anything/forum/answer ok",
        "seen GET /anything/forum/leave ok",
    ],
    "in_order": ["seen GET fill add add pay ok"],
    "markov_chains": [f"seen GET /anything/journey/{step} ok" for step in ("home", "search", "book")],
    "fast_client": [
        "seen GET /anything/hasty ok",
        "seen GET hasty redirect ok",
        "seen GET hasty lines ok",
        "hasty line Grüße, 世界",
    ],
    "rest_calls": [
        "seen POST /anything/items ok",
        "seen GET /anything/refused it was no PUT",
        "seen GET /anything/items?_=... ok",
    ],
    "judging_responses": [
        "seen GET /status/404 ok",
        "seen GET /anything/judged nothing is sold out",
        "seen GET judged by time slower than a millisecond",
    ],
    "shared_connections": ["seen GET /anything/shared/manager ok", "seen GET /anything/shared/pool ok"],
    "logged": [],
    "own_events": [
        "the test starts at http",
        "seen POST /anything/order ok",
        "order 1 was placed in less than a minute: True",
    ],
    "measured_blocks": [
        "seen block whole checkout ok",
        "seen GET /anything/measured/payment ok",
        "seen block broken checkout no basket",
        "seen call sum of numbers ok",
    ],
    "rows_of_data": ["seen GET Oslo ok", "seen GET Rome ok", "no row is left"],
    "waiting": [
        f"{name} waits a bit" for name in ["Always", "Somehow", "Paced", "SoOften", "AtRandom", "Growing"]
    ],
    "xmlrpc_client": [
        "seen xmlrpc add ok",
        "xmlrpc says 42",
        "seen xmlrpc divide <Fault 1: \"<class 'ZeroDivisionError'>:division by zero\">",
    ],
    "line_protocol": ["seen line connect ok", "seen line shout ok"],
    "naming": [
        *("seen GET named by argument ok", "seen GET named by a block ok"),
        *("seen GET named until changed ok", "seen GET named by GET ok"),
    ],
    "concurrent_requests": [
        *("seen GET /anything/picture/[number] ok", "seen GET at once ok", "at once [200, 200]"),
    ],
    "structured/locustfile": [
        *("seen POST /anything/structured/login ok", "seen GET /anything/structured/lamp ok"),
    ],
    "extended_web_ui": ["seen GET /bytes/1000 ok"],
    "messages": ["message names of users ['ann', 'bob']"],
}


class Shout(StreamRequestHandler):
    """Answers a line with the same line in capitals."""

    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line.upper())


class XmlRpcHandler(SimpleXMLRPCRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


class Threads(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def serving(server: ThreadingTCPServer | SimpleXMLRPCServer) -> Iterator[int]:
    """Serve in a thread; the port."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def addresses() -> Iterator[dict[str, str]]:
    """The servers of the examples with protocols of their own, as variables of the environment."""
    calculator = SimpleXMLRPCServer(("127.0.0.1", 0), requestHandler=XmlRpcHandler)
    calculator.register_function(lambda a, b: a + b, "add")
    calculator.register_function(lambda a, b: a / b, "divide")
    with serving(calculator) as xmlrpc_port, serving(Threads(("127.0.0.1", 0), Shout)) as line_port:
        yield {"XMLRPC_ADDRESS": f"http://127.0.0.1:{xmlrpc_port}/", "LINE_PORT": str(line_port)}


def fetch(url: str, data: bytes | None = None) -> str:
    with urllib.request.urlopen(url, data=data, timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def files(*names: str) -> str:
    return ",".join(str(EXAMPLES / f"{name}.py") for name in names)


def test_examples_that_share_a_run(tmp_path: Path, echo: Echo, addresses: dict[str, str]) -> None:
    options = ["--autostart", "--web-host", "127.0.0.1", "-P", "0", "-u", "80", "-r", "200", "-H", echo.url]
    with command("-f", files("seen", *TOGETHER), *options, folder=tmp_path, env=addresses) as run:
        for lines in TOGETHER.values():
            for line in lines:
                run.wait_for(line)
        page = f"http://127.0.0.1:{run.port}"
        assert re.fullmatch(rf"[1-9]\d* orders at {echo.url}", fetch(f"{page}/orders"))
        assert json.loads(fetch(f"{page}/lengths"))["/bytes/1000"] % 1000 == 0
        fetch(f"{page}/stats/reset", data=b"")
        run.wait_for("lengths are forgotten")
        run.wait_until(lambda: json.loads(fetch(f"{page}/stats/requests"))["fail_ratio"] > 0, "no failure")
        run.send(signal.SIGINT)
        assert run.wait() == 1  # some examples fail on purpose
        out, err = run.out, run.err
    assert "the books are closed: True" in out
    assert re.search(r"failures so far: [1-9]", out)
    assert "INFO/root: this is said by the root logger" in err
    assert "WARNING/shop: this is said by a logger of the file, user 0" in err
    assert "this is left out" not in err
    assert '"Caretaker": 1' in err and '"Customer": 3' in err
    assert "too long" not in out
    assert "GET      given up" not in err  # a task that was given up reports nothing
    spawned = dict(re.findall(r'"(Guest|Member)": (\d+)', err))
    assert int(spawned["Guest"]) > 2 * int(spawned["Member"])


def test_tags_and_options_of_ones_own(tmp_path: Path, echo: Echo) -> None:
    (tmp_path / "locust.conf").write_text(
        f"headless = true\nusers = 4\nspawn-rate: 100\nhost = {echo.url}\napi-key = of-the-file\n"
    )
    options = ["-T", "read", "-E", "slow"]
    own = ["--loud", "--api-key", "12345"]
    env = {"GREETING": "good-morning"}
    with command(
        "-f", files("seen", "tagged", "own_arguments"), *options, *own, folder=tmp_path, env=env
    ) as run:
        run.wait_for("options good-morning True 5")
        for name in ("tagged/read", "tagged/nested", "good-morning"):
            run.wait_for(f"seen GET /anything/{name} ok")
        run.send(signal.SIGINT)
        assert run.wait() == 0
        assert "slow" not in run.out and "none" not in run.out


def test_a_shape_leads_the_test(tmp_path: Path, echo: Echo) -> None:
    with command("-f", files("seen", "load_shapes"), "--headless", "-H", echo.url, folder=tmp_path) as run:
        assert run.wait() == 0
        out, err = run.out, run.err
    assert "seen GET /anything/steady ok" in out and "seen GET /anything/rare ok" in out
    assert "Shape test starting" in err
    assert re.findall(r"Shape test updating to (\d) users at 100.00 spawn rate", err) == ["2", "4"]


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ticks(shape: object, monkeypatch: pytest.MonkeyPatch, *seconds: float) -> list[object]:
    now = iter(seconds)
    monkeypatch.setattr(shape, "get_run_time", lambda: next(now))
    monkeypatch.setattr(shape, "get_current_user_count", lambda: 1)
    return [shape.tick() for _ in seconds]  # type: ignore[attr-defined]


def test_what_other_shapes_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = example("load_shapes")
    assert ticks(shapes.Steps(), monkeypatch, 0, 29, 31, 119, 121) == [
        (10, 10),
        (10, 10),
        (20, 10),
        (40, 10),
        None,
    ]
    peaks = shapes.TwoPeaks()
    peaks.runner = SimpleNamespace(
        environment=SimpleNamespace(parsed_options=SimpleNamespace(run_time=80, num_users=100))
    )
    assert ticks(peaks, monkeypatch, 0, 25, 40, 55, 81) == [(1, 1), (100, 99), (17, 16), (60, 59), None]


def test_a_pipeline_gets_an_exit_code_and_files(tmp_path: Path, echo: Echo) -> None:
    outputs = ["--csv", "run", "--csv-full-history", "--html", "run.html", "--json-file", "run"]
    options = ["--headless", "-u", "1", "-H", echo.url, "--only-summary", *outputs]
    with command("-f", files("in_ci"), *options, folder=tmp_path) as run:
        assert run.wait() == 3
        assert "ERROR/root: it makes no sense to go on" in run.err
        assert "ERROR/root: too many failures: 100 %" in run.err
    written = sorted(path.name for path in tmp_path.glob("run*"))
    assert written == [
        *("run.html", "run.json", "run_exceptions.csv"),
        *("run_failures.csv", "run_stats.csv", "run_stats_history.csv"),
    ]
    header, row, *_ = (tmp_path / "run_stats.csv").read_text().splitlines()
    assert header.endswith("Requests/s,Failures/s,50%,90%")
    assert row.startswith("GET,/status/500,")
    assert "/status/500" in (tmp_path / "run_failures.csv").read_text()


def run_script(name: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), *arguments],
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_a_program_that_uses_locust_as_a_library(tmp_path: Path, echo: Echo) -> None:
    done = run_script("as_a_library", tmp_path, echo.url)
    assert done.stdout.splitlines()[-4:] == [
        "of the library ['/anything/library']",
        "of the other ['/anything/other']",
        "states stopped stopped",
        "failures 0",
    ]
    assert "Ramping to 2 users at a rate of 100.00 per second" in done.stderr
    assert "Aggregated" in done.stderr


def test_a_user_in_a_debugger(tmp_path: Path, echo: Echo) -> None:
    lines = run_script("debugging", tmp_path, "--host", echo.url).stdout.splitlines()
    rows = [re.split(r" *\t", line) for line in lines]
    assert rows[0] == ["type", "name", "resp_ms", "length", "exception", "context", "payload"]
    assert lines[1:3] == ["init None None", "start"]
    assert [len(lines), lines[5]] == [8, "start"]
    post, failed = rows[3], rows[4]
    assert (post[0], post[1], post[5:]) == ("POST", "/anything/debugged", ["{'step': 1}", "some text"])
    assert int(post[3]) > 100 and float(post[2]) < 60000
    assert failed[:2] == ["GET", "/status/404"]
    assert failed[4] == "HTTPError('404 Client Error: Not Found for url: /status/404')"


def test_tests_as_users(tmp_path: Path, echo: Echo) -> None:
    with command(
        "-f", files("seen", "pytest_style"), "--headless", "-u", "3", "-H", echo.url, folder=tmp_path
    ) as run:
        for name in ("/anything/tests/basket/content", "/bytes/1", "/bytes/2", "/status/418"):
            run.wait_for(f"seen GET {name} ok")
        run.send(signal.SIGINT)
        assert run.wait() == 0
        assert "seen POST /anything/tests/basket ok" in run.out


def test_each_example_is_run() -> None:
    source = Path(__file__).read_text()
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    assert len(names) > 20
    assert [name for name in names if f'"{name}"' not in source] == []
