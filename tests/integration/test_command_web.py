"""The web page of the command: started, used and stopped over real sockets."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from command_process import QUIET, REQUESTS, Command, command, run, write

from benchmarks.server import Nginx

LOCAL = ("-P", "0", "--web-host", "127.0.0.1")


def call(subject: Command, method: str, path: str, **arguments: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, f"http://127.0.0.1:{subject.port}{path}", timeout=10, **arguments)


def figures(subject: Command) -> Any:
    return call(subject, "GET", "/stats/requests").json()


def wait_for_state(subject: Command, state: str) -> Any:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        seen = figures(subject)
        if seen["state"] == state:
            return seen
        time.sleep(0.05)
    raise AssertionError(f"the test never was {state}, but {seen['state']}")


def test_a_test_is_started_shown_and_stopped(tmp_path: Path, nginx: Nginx) -> None:
    write(tmp_path, REQUESTS)
    with command(*LOCAL, folder=tmp_path) as subject:
        assert figures(subject)["state"] == "ready"
        form = {"user_count": "2", "spawn_rate": "10", "host": nginx.url}
        answer = call(subject, "POST", "/swarm", data=form).json()
        assert answer == {"success": True, "message": "Swarming started", "host": nginx.url}
        wait_for_state(subject, "running")
        answer = call(subject, "POST", "/stop").json()
        assert answer == {"success": True, "message": "Test stopped"}
        seen = wait_for_state(subject, "stopped")
        assert seen["stats"][-1]["num_requests"] > 0
        assert seen["stats"][0]["name"] == "/"
        lines = call(subject, "GET", "/logs").json()["master"]
        assert any("All users spawned" in line for line in lines)
        call(subject, "POST", "/stats/reset")
        assert figures(subject)["stats"][-1]["num_requests"] == 0
        subject.send(signal.SIGINT)
        assert subject.wait() == 0


def test_a_web_page_that_is_used_while_the_command_ends(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    with command(*LOCAL, folder=tmp_path) as subject:
        call(subject, "POST", "/swarm", data={"user_count": "1", "spawn_rate": "10"})
        subject.wait_for("All users spawned")
        subject.send(signal.SIGTERM)
        assert subject.wait() == 0
        assert "on_stop" in subject.out


def test_below_a_path(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    with command(*LOCAL, "--web-base-path", "/load", folder=tmp_path) as subject:
        assert call(subject, "GET", "/load/").status_code == 200
        assert "/load, press enter" in subject.err


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a certificate and an encrypted key, made with the line of the documentation."""
    folder = tmp_path_factory.mktemp("openssl")
    line = "openssl req -x509 -newkey rsa:2048 -keyout key.pem -out cert.pem -days 365"
    extra = ["-passout", "pass:secret", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*line.split(), *extra], cwd=folder, check=True, capture_output=True)
    return folder


def test_https_as_the_documentation_says(tmp_path: Path, encrypted: Path) -> None:
    write(tmp_path, QUIET)
    env = {
        "SSL_KEY": str(encrypted / "key.pem"),
        "SSL_CERT": str(encrypted / "cert.pem"),
        "SSL_KEY_PASSWORD": "secret",
    }
    with command(*LOCAL, folder=tmp_path, env=env) as subject:
        url = f"https://127.0.0.1:{subject.port}"
        assert f"Starting web interface at {url}, press enter" in subject.err
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(url + "/stats/requests", verify=str(encrypted / "cert.pem"), timeout=10)
        assert answer.json()["state"] == "ready"


def test_https_by_options(tmp_path: Path, encrypted: Path) -> None:
    write(tmp_path, QUIET)
    files = ("--tls-cert", str(encrypted / "cert.pem"), "--tls-key", str(encrypted / "key.pem"))
    with command(*LOCAL, *files, folder=tmp_path, env={"SSL_KEY_PASSWORD": "secret"}) as subject:
        context = ssl.create_default_context(cafile=encrypted / "cert.pem")
        with (
            socket.create_connection(("127.0.0.1", subject.port), timeout=10) as connection,
            context.wrap_socket(connection, server_hostname="127.0.0.1") as secure,
        ):
            assert secure.version() in ("TLSv1.2", "TLSv1.3")


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"SSL_KEY": "{key}"}, "only the key is given: name the certificate with --tls-cert or SSL_CERT."),
        ({"SSL_CERT": "{cert}"}, "only the certificate is given: name the key with --tls-key or SSL_KEY."),
        ({"SSL_KEY": "/no/key.pem", "SSL_CERT": "{cert}"}, "The TLS key '/no/key.pem' cannot be read"),
        ({"SSL_KEY": "{key}", "SSL_CERT": "{cert}"}, "there is no terminal to ask for its pass phrase"),
        (
            {"SSL_KEY": "{key}", "SSL_CERT": "{cert}", "SSL_KEY_PASSWORD": "x"},
            "The pass phrase of the TLS key",
        ),
    ],
)
def test_https_that_cannot_work_is_one_line(
    tmp_path: Path, encrypted: Path, env: dict[str, str], message: str
) -> None:
    write(tmp_path, QUIET)
    paths = {"key": str(encrypted / "key.pem"), "cert": str(encrypted / "cert.pem")}
    given = {name: value.format(**paths) for name, value in env.items()}
    code, out, err = run(*LOCAL, "--autostart", folder=tmp_path, env=given)
    assert code == 1
    starting, mistake = err.splitlines()
    assert "Starting Locust" in starting
    assert "/ERROR/locust.main: " in mistake
    assert message in mistake
    assert out == ""


def test_each_test_of_the_page_has_its_iterations_and_its_classes(tmp_path: Path) -> None:
    counted = (
        "class Other(User):\n"
        "    wait_time = constant(0.01)\n"
        "    @task\n"
        "    def nothing(self):\n"
        "        print('task')\n"
        "ended = []\n"
        "@events.test_stop.add_listener\n"
        "def count(environment, **kwargs):\n"
        "    ended.append(1)\n"
        "    print('tests ended', len(ended), [cls.__name__ for cls in environment.user_classes])\n"
    )
    write(tmp_path, QUIET + counted)
    with command(*LOCAL, "--class-picker", "-i", "4", folder=tmp_path) as subject:
        for number in (1, 2):
            form = {"user_count": "3", "spawn_rate": "100", "user_classes": "Other"}
            answer = call(subject, "POST", "/swarm", data=form).json()
            assert (answer["success"], answer["user_classes"]) == (True, ["Other"])
            subject.wait_for(f"tests ended {number} ['Other']")
        assert subject.out.count("task\n") == 8
        assert subject.err.count("Iteration limit reached (4), stopping test") == 2
        assert figures(subject)["state"] == "stopped"
        subject.send(signal.SIGINT)
        assert subject.wait() == 0


@pytest.mark.parametrize(
    ("args", "env", "message"),
    [
        (("--web-user", "ann"), {}, "--web-user needs a password: set LOCUST_WEB_PASSWORD in the"),
        ((), {"LOCUST_WEB_PASSWORD": ""}, "LOCUST_WEB_PASSWORD is empty: set a password, or unset it"),
        (
            ("--web-login",),
            {"LOCUST_WEB_PASSWORD": "x"},
            "--web-login and LOCUST_WEB_PASSWORD are two kinds of login: use one of them.",
        ),
    ],
)
def test_a_login_that_cannot_work_is_one_line(
    tmp_path: Path, args: tuple[str, ...], env: dict[str, str], message: str
) -> None:
    write(tmp_path, QUIET)
    code, _, err = run(*LOCAL, *args, folder=tmp_path, env=env)
    assert code == 1
    assert message in err.splitlines()[-1]
    assert "Traceback" not in err


def test_the_page_with_a_password(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    env = {"LOCUST_WEB_PASSWORD": "open sesame", "LOCUST_WEB_USER": "ann"}
    with command(*LOCAL, folder=tmp_path, env=env) as subject:
        assert call(subject, "GET", "/stats/requests").status_code == 401
        assert call(subject, "GET", "/stats/requests", auth=("ann", "open")).status_code == 401
        signed_in = ("ann", "open sesame")
        shown = call(subject, "GET", "/", auth=signed_in)
        assert (shown.status_code, "open sesame" in shown.text) == (200, False)
        assert call(subject, "GET", "/logs", auth=signed_in).text.count("Wrong password") == 1
        assert call(subject, "GET", "/healthz").json()["status"] == "ok"
        subject.send(signal.SIGINT)
        assert subject.wait() == 0
        assert "open sesame" not in subject.out + subject.err


def test_no_password_is_asked_for_without_a_page(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    code, _, err = run("--headless", "-t", "1s", folder=tmp_path, env={"LOCUST_WEB_PASSWORD": ""})
    assert code == 0, err


def test_a_page_for_others_says_who_can_use_it(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    with command("-P", "0", folder=tmp_path) as subject:
        port = subject.port
        subject.wait_for(f"on all addresses of this machine: anybody who reaches port {port} can start tests")
    with command(*LOCAL, folder=tmp_path) as subject:
        assert subject.port
        subject.send(signal.SIGINT)
        assert subject.wait() == 0
        assert "anybody" not in subject.err


def test_a_build_path_without_a_page_is_one_line(tmp_path: Path) -> None:
    write(tmp_path, QUIET)
    code, _, err = run(*LOCAL, "--build-path", "none", folder=tmp_path)
    assert code == 1
    assert err.splitlines()[-1].endswith("--build-path: 'none' is no folder with an index.html")
