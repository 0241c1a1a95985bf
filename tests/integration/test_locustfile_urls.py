"""Locustfiles that are fetched over http."""

from __future__ import annotations

import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_process import QUIET, command, run
from gevent.pywsgi import WSGIServer

from locust_c import argument_parser
from locust_c.command import download

PAGES = {
    "/tests/quiet.py": ("200 OK", QUIET.encode()),
    "/latin.py": ("200 OK", "# -*- coding: latin-1 -*-\nname = 'é'\n".encode("latin-1")),
    "/utf8.py": ("200 OK", "name = 'é'\n".encode()),
    "/raw?file=1": ("200 OK", b"x = 1\n"),
    "/page.py": ("200 OK", b"<!DOCTYPE html>\n<p>Sign in first"),
    "/nul.py": ("200 OK", b"x = '\0'\n"),
    "/gone.py": ("404 Not Found", b"no"),
    "/broken.py": ("503 Service Unavailable", b"no"),
}


@pytest.fixture
def site() -> Iterator[str]:
    def answer(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        query = environ["QUERY_STRING"]
        status, body = PAGES[environ["PATH_INFO"] + (f"?{query}" if query else "")]
        start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    server = WSGIServer(("127.0.0.1", 0), answer, log=None)
    server.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.stop(timeout=0)


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    download.remove_downloads()


def test_the_file_is_copied_byte_for_byte(site: str, temporary_folder: Path) -> None:
    paths = argument_parser.parse_locustfile_paths(
        [f"{site}/tests/quiet.py", f"{site}/latin.py", f"{site}/utf8.py", f"{site}/raw?file=1"]
    )
    assert [Path(path).name for path in paths] == ["quiet.py", "latin.py", "utf8.py", "locustfile.py"]
    assert Path(paths[1]).read_bytes() == PAGES["/latin.py"][1]
    assert Path(paths[2]).read_bytes() == PAGES["/utf8.py"][1]
    assert all(Path(path).is_relative_to(temporary_folder) for path in paths)
    download.remove_downloads()
    assert list(temporary_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("/gone.py", "Could not get the locustfile 'http://{}/gone.py': the server answers 404 Not Found"),
        (
            "/broken.py",
            "Could not get the locustfile 'http://{}/broken.py': the server answers 503 Service Unavailable",
        ),
        ("/page.py", "What 'http://{}/page.py' answers is not a Python file: invalid syntax"),
        ("/nul.py", "What 'http://{}/nul.py' answers is not a Python file: source code"),
    ],
)
def test_what_is_no_locustfile_is_said(
    site: str, temporary_folder: Path, capsys: pytest.CaptureFixture[str], page: str, message: str
) -> None:
    with pytest.raises(SystemExit) as end:
        argument_parser.parse_locustfile_paths([site.replace("//", "//user:secret@") + page])
    assert end.value.code == 1
    text = capsys.readouterr().err
    assert text.startswith(message.format(site.partition("//")[2]))
    assert text.count("\n") == 1
    assert list(temporary_folder.iterdir()) == []


def test_a_server_that_is_not_there(refused_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        argument_parser.parse_locustfile_paths([f"{refused_url}/x.py"])
    assert end.value.code == 1
    assert capsys.readouterr().err == (
        f"Could not get the locustfile '{refused_url}/x.py': [Errno 111] Connection refused\n"
    )


def test_the_command_runs_it_and_leaves_no_copy(site: str, tmp_path: Path, temporary_folder: Path) -> None:
    args = ("-f", f"{site}/tests/quiet.py", "--headless", "--only-summary", "-i", "1")
    code, out, _ = run(*args, folder=tmp_path, env={"TMPDIR": str(temporary_folder)})
    assert (code, "event quit 0" in out) == (0, True)
    assert list(temporary_folder.iterdir()) == []


def test_ctrl_c_while_a_server_keeps_us_waiting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x.py"
        with command("-f", address, folder=tmp_path) as subject:
            connection, _ = server.accept()
            with connection:
                assert connection.recv(3) == b"GET"
                subject.send(signal.SIGINT)
                assert subject.wait() == 130
                assert subject.err == "Interrupted before there was a test.\n"


def test_a_locustfile_of_a_master_needs_a_worker(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        argument_parser.parse_locustfile_paths(["-"])
    assert end.value.code == 1
    assert capsys.readouterr().err == (
        "-f -: a locustfile that comes from the master is for workers only (--worker)\n"
    )
