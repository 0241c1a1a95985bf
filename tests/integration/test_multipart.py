"""Multipart bodies: large files are read while they are sent, and the bytes are those that requests makes."""

from __future__ import annotations

import gzip
import io
import re
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from parity import our_session, stock_session
from reported import Reports
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPDigestAuth
from servers import steps
from servers.control import OpenScripted, Scripted

from locust_c import multipart
from locust_c.multipart import MultipartBody

LARGE = bytes(range(256)) * 256 + b"the end"


class Folder:
    """Files that are large and small; what is opened in it is closed at the end of the test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stack = ExitStack()
        (path / "large ü.bin").write_bytes(LARGE)
        (path / "half").write_bytes(LARGE[: len(LARGE) // 2])
        (path / "small.txt").write_bytes(b"small")
        (path / "empty").write_bytes(b"")
        with gzip.open(path / "packed.gz", "wb") as packed:
            packed.write(LARGE)

    def open(self, name: str, mode: str = "rb", **kwargs: Any) -> Any:
        return self.stack.enter_context((self.path / name).open(mode, **kwargs))

    def large(self, position: int = 0) -> Any:
        return at(self.open("large ü.bin"), position)

    def packed(self) -> Any:
        return self.stack.enter_context(gzip.open(self.path / "packed.gz"))

    def temporary(self) -> Any:
        file = self.stack.enter_context(tempfile.NamedTemporaryFile())  # noqa: SIM115
        file.write(LARGE)
        return at(file, 0)


Files = Callable[[Folder], Any]


def at(file: Any, position: int) -> Any:
    file.seek(position)
    return file


@pytest.fixture(autouse=True)
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies need not be large to be streamed."""
    monkeypatch.setattr(multipart, "STREAMED_FROM", len(LARGE) - 10)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    with folder.stack:
        yield folder


STREAMED: dict[str, Files] = {
    "a file": lambda folder: {"f": folder.large()},
    "with a name": lambda folder: {"f": ("n.txt", folder.large())},
    "with a type and headers": lambda folder: {"f": ("n.txt", folder.large(), "text/x", {"X-A": "1"})},
    "in pairs": lambda folder: [("f", folder.large()), ("g", b"bytes"), ("f", ("n", folder.large()))],
    "two halves": lambda folder: {
        "a": folder.open("half"),
        "b": folder.open("half"),
        "c": folder.open("empty"),
    },
    "beside small ones": lambda folder: {
        "s": folder.open("small.txt"),
        "e": folder.open("empty"),
        "t": "text",
        "m": io.BytesIO(b"memory"),
        "n": None,
        "l": folder.large(),
    },
    "from its middle": lambda folder: {"f": folder.large(5), "g": folder.large(100_000)},
    "without a buffer": lambda folder: {"f": folder.open("large ü.bin", buffering=0)},
    "to read and write": lambda folder: {"f": folder.open("large ü.bin", "r+b")},
    "a temporary file": lambda folder: {"f": ("n", folder.temporary())},
}
READ_BEFORE: dict[str, Files] = {
    "small": lambda folder: {"f": folder.open("small.txt"), "g": ("n", b"x")},
    "in memory": lambda folder: {"f": io.BytesIO(LARGE)},
    "at its end": lambda folder: {"f": folder.large(len(LARGE))},
    "packed": lambda folder: {"f": ("n", folder.packed())},
    "of text": lambda folder: {"f": ("n", folder.open("small.txt", "r"))},
}


def body_sent(
    session: requests.Session, server: Scripted, files: Any, **kwargs: Any
) -> tuple[requests.Response, bytes]:
    """The answer, and the request as the server got it, without what is random in it."""
    response = session.post(f"{server.url}/x", files=files, data={"a": ["1", "ü"]}, **kwargs)
    return response, re.sub(rb"[0-9a-f]{32}", b"boundary", server.requests()[-1])


@pytest.fixture
def server(scripted: OpenScripted) -> Scripted:
    return scripted([steps.repeat(steps.request(), steps.reply(b"ok"))])


@pytest.mark.parametrize("name", [*STREAMED, *READ_BEFORE])
def test_the_bytes_are_those_of_requests(server: Scripted, folder: Folder, name: str) -> None:
    make = STREAMED.get(name) or READ_BEFORE[name]
    with stock_session() as theirs, our_session() as ours:
        _, expected = body_sent(theirs, server, make(folder))
        response, sent = body_sent(ours, server, make(folder))
    assert sent == expected
    assert isinstance(response.request.body, MultipartBody if name in STREAMED else bytes)


def test_files_are_at_their_end_afterwards(server: Scripted, folder: Folder) -> None:
    with our_session() as session, folder.large() as file:
        body_sent(session, server, {"f": file})
        assert file.tell() == len(LARGE)
        _, again = body_sent(session, server, {"f": file})
        assert b"the end" not in again


def pieces_of(file: Any) -> Iterator[bytes]:
    while piece := file.read(65536):
        yield piece


@pytest.mark.parametrize("body", ["files", "data", "pieces"])
def test_a_body_is_never_whole_in_memory(scripted: OpenScripted, tmp_path: Path, body: str) -> None:
    server = scripted([steps.request(), steps.reply(b"ok")])
    with (tmp_path / "sparse").open("w+b") as file, our_session() as session:
        file.truncate(12 << 20)
        arguments = {
            "files": {"files": {"f": file}},
            "data": {"data": file},
            "pieces": {"data": pieces_of(file)},
        }
        tracemalloc.start()
        try:
            assert session.post(f"{server.url}/x", **arguments[body]).content == b"ok"
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 2 << 20


def test_it_can_be_sent_again(scripted: OpenScripted, folder: Folder) -> None:
    moved = steps.reply(b"", 307, "Temporary Redirect", [("Location", "/y")])
    asking = steps.reply(b"", 401, "Unauthorized", [("WWW-Authenticate", 'Digest realm="r", nonce="n"')])
    server = scripted(
        [*[steps.request(), moved, steps.request(), asking, steps.request(), steps.reply(b"ok")]]
    )
    with our_session() as session, folder.large() as file:
        response = session.post(f"{server.url}/x", files={"f": file}, auth=HTTPDigestAuth("user", "pass"))
    assert response.content == b"ok"
    assert [raw.count(LARGE) for raw in server.requests()] == [1, 1, 1]


def test_authentication_that_signs_the_body_gets_to_see_it(server: Scripted, folder: Folder) -> None:
    class Signing(AuthBase):
        def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
            assert isinstance(request.body, bytes)
            request.headers["X-Signature"] = str(request.body.count(LARGE))
            return request

    with our_session() as session, folder.large() as file:
        _, sent = body_sent(session, server, {"f": file}, auth=Signing())
    assert b"X-Signature: 1\r\n" in sent


def test_an_adapter_of_others_sends_it(server: Scripted, folder: Folder) -> None:
    class Own(HTTPAdapter):
        def send(self, *args: Any, **kwargs: Any) -> requests.Response:
            return super().send(*args, **kwargs)

    with our_session() as session, folder.large() as file:
        session.mount("http://", Own())
        _, sent = body_sent(session, server, {"f": file})
    assert sent.count(LARGE) == 1


def test_a_file_that_becomes_shorter_is_said_to(scripted: OpenScripted, tmp_path: Path) -> None:
    server = scripted([steps.head(), steps.stall("go"), steps.body()])
    with (tmp_path / "shrinking").open("w+b") as file:
        file.truncate(8 << 20)
        reports = Reports()
        client = reports.http(server.url)
        prepared = client.prepare_request(requests.Request("POST", f"{server.url}/x", files={"f": file}))
        file.truncate(1 << 20)
        server.release("go")
        with pytest.raises(OSError, match="became shorter"):
            client.send(prepared)
