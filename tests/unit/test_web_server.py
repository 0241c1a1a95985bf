"""The server of the page on a real socket: start, stop, a taken port, and https."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
import requests
import trustme
from flask import request
from gevent.event import Event
from web_fixtures import page, until

from locust_c import log
from locust_c.web import Access, server
from locust_c.web.password import PasswordLogin
from locust_c.web.reach import describe_reach


def get(url: str, **arguments: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=5, headers={"Connection": "close"}, **arguments)


def test_the_page_is_served_after_start_and_not_after_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    with page(monkeypatch) as web_ui:
        assert web_ui.url == f"http://127.0.0.1:{web_ui.port}"
        web_ui.start()
        web_ui.start()
        assert get(web_ui.url + "/stats/requests").json()["state"] == "ready"
        web_ui.stop()
        web_ui.stop()
        with pytest.raises(requests.ConnectionError):
            get(web_ui.url)


def test_connections_wait_until_the_page_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    with page(monkeypatch) as web_ui, socket.create_connection(("127.0.0.1", web_ui.port)) as connection:
        connection.sendall(b"GET /worker-count HTTP/1.0\r\n\r\n")
        web_ui.start()
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")


def test_the_body_of_an_answer_does_not_wait_for_an_acknowledgement_of_its_head() -> None:
    listener = server.listen("127.0.0.1", 0)
    with listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_page_that_is_stopped_before_it_had_its_turn(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(log, "unhandled_greenlet_exception", False)
    with page(monkeypatch) as web_ui:
        web_ui.start()
        web_ui.stop()
        gevent.sleep(0)
        assert web_ui.greenlet.dead
    assert log.unhandled_greenlet_exception is False
    assert caplog.text == ""


def test_a_taken_port_is_an_error_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    with page(monkeypatch) as first:
        environment = first.environment
        with pytest.raises(OSError, match="Address already in use"):
            environment.create_web_ui(host="127.0.0.1", port=first.port)


@pytest.mark.parametrize(
    ("host", "display", "text"),
    [
        ("", None, "http://0.0.0.0:{port}"),
        ("*", None, "http://0.0.0.0:{port}"),
        ("127.0.0.1", "load.example", "http://load.example:{port}"),
        ("::1", None, "http://[::1]:{port}"),
    ],
)
def test_the_address_for_people(
    monkeypatch: pytest.MonkeyPatch, host: str, display: str | None, text: str
) -> None:
    with page(monkeypatch) as other:
        try:
            web_ui = other.environment.create_web_ui(host=host, port=0, delayed_start=True)
        except OSError:
            pytest.skip(f"this machine cannot listen on {host}")
        web_ui.display_name = display
        assert web_ui.url == text.format(port=web_ui.port)
        web_ui.stop()


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def https_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, authority: trustme.CA) -> Iterator[Any]:
    certificate = authority.issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    files = {"tls_cert": str(tmp_path / "cert.pem"), "tls_key": str(tmp_path / "key.pem")}
    with page(monkeypatch, **files) as web_ui:
        web_ui.start()
        yield web_ui


def test_the_page_is_served_over_https(https_page: Any, tmp_path: Path) -> None:
    assert https_page.url.startswith("https://")
    assert get(https_page.url + "/stats/requests", verify=str(tmp_path / "ca.pem")).json()["state"] == "ready"


def test_old_tls_is_not_spoken(https_page: Any) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", https_page.port)) as connection, pytest.raises(ssl.SSLError):
        context.wrap_socket(connection)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_http_to_the_https_page_is_explained(
    https_page: Any, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    address = https_page.url.replace("https", "http") + "/stats/report?theme=dark"
    with requests.Session() as session:
        session.trust_env = False
        answer = session.request(
            method, address, data={"a": "b" * 5000} if method == "POST" else None, timeout=5
        )
    place = f"https://127.0.0.1:{https_page.port}/stats/report?theme=dark"
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert answer.text == f"This page is served over https: use {place}\n"
    assert f"served over https: use an https:// address, {place}" in caplog.text


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", "https://127.0.0.1:{port}/"),
        (b"GET / HTTP/1.1\r\nHost: load.example\r\n\r\n", "https://load.example/"),
        (b"GET / HTTP/1.1\r\nHost: a<script>\r\n\r\n", "https://127.0.0.1:{port}/"),
    ],
)
def test_the_address_in_the_hint(https_page: Any, sent: bytes, address: str) -> None:
    with socket.create_connection(("127.0.0.1", https_page.port), timeout=5) as connection:
        connection.sendall(sent)
        answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    assert answer.endswith(f"use {address.format(port=https_page.port)}\n")


SCANS = [
    b"",
    b"\0\0\0\0",
    b"SSH-2.0-scan\r\n\r\n",
    b"GET\r\n\r\n",
    b"\x16",
    b"\x16\x03\x01\x00\x05hello",
    b"\xff" * 20000,
]


@pytest.mark.parametrize("sent", SCANS)
@pytest.mark.parametrize("tls", [False, True])
def test_a_port_scan_does_no_harm(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    sent: bytes,
    tls: bool,
) -> None:
    with contextlib.ExitStack() as stack:
        web_ui = request.getfixturevalue("https_page") if tls else stack.enter_context(page(monkeypatch))
        web_ui.start()
        with socket.create_connection(("127.0.0.1", web_ui.port), timeout=5) as connection:
            connection.sendall(sent)
            # Somebody who only looks whether the port is open resets the connection.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        verify = str(tmp_path / "ca.pem") if tls else True
        assert get(web_ui.url + "/worker-count", verify=verify).status_code == 200
        until(lambda: len(web_ui.server.connections) == 0)
    assert "Traceback" not in capfd.readouterr().err + caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost:", b"\x16\x03\x01"])
def test_clients_that_say_nothing_neither_keep_others_out_nor_use_up_descriptors(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sent: bytes, tls: bool
) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 5)
    with contextlib.ExitStack() as stack:
        web_ui = request.getfixturevalue("https_page") if tls else stack.enter_context(page(monkeypatch))
        web_ui.start()
        silent = []
        for _ in range(20):
            silent.append(
                stack.enter_context(socket.create_connection(("127.0.0.1", web_ui.port), timeout=5))
            )
            silent[-1].sendall(sent)
        verify = str(tmp_path / "ca.pem") if tls else True
        assert get(web_ui.url + "/worker-count", verify=verify).status_code == 200
        assert len(web_ui.server.connections) <= 5
        with contextlib.suppress(ConnectionResetError):
            assert silent[0].recv(1) == b""
    until(lambda: len(web_ui.server.connections) == 0)


def test_a_request_that_is_being_answered_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 3)
    asked, go_on = Event(), Event()

    def slow() -> str:
        asked.set()
        go_on.wait(5)
        return "at last"

    with page(monkeypatch) as web_ui, contextlib.ExitStack() as stack:
        web_ui.app.add_url_rule("/slow", "slow", slow)
        web_ui.start()
        waiting = gevent.spawn(get, web_ui.url + "/slow")
        asked.wait(5)
        for _ in range(10):
            stack.enter_context(socket.create_connection(("127.0.0.1", web_ui.port), timeout=5))
        assert get(web_ui.url + "/worker-count").status_code == 200
        go_on.set()
        assert waiting.get(timeout=5).text == "at last"


def test_a_client_that_stops_in_the_middle_is_left_in_the_end(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(server, "TIMEOUT_S", 0.05)
    with page(monkeypatch) as web_ui:
        web_ui.start()
        for sent in (
            b"",
            b"GET / HTTP/1.1\r\nHo",
            b"POST /swarm HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", web_ui.port), timeout=5) as connection:
                connection.sendall(sent)
                assert b"Swarming started" not in b"".join(iter(lambda: connection.recv(4096), b""))
    assert "Traceback" not in capfd.readouterr().err


def test_a_websocket_of_a_users_page_may_be_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TIMEOUT_S", 0.01)
    asked = Event()

    def echo() -> bytes:
        asked.set()
        line: bytes = request.environ["wsgi.input"].readline()
        return line

    with page(monkeypatch) as web_ui:
        web_ui.app.add_url_rule("/echo", "echo", echo, websocket=True)
        web_ui.start()
        with socket.create_connection(("127.0.0.1", web_ui.port), timeout=5) as connection:
            connection.sendall(
                b"GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
            )
            asked.wait(5)
            gevent.sleep(0.05)
            connection.sendall(b"still here\n")
            assert b"still here" in connection.recv(4096)


def test_https_to_the_http_page_is_explained_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with page(monkeypatch) as web_ui:
        web_ui.start()
        with pytest.raises(requests.exceptions.SSLError):
            get(web_ui.url.replace("http", "https"))
        until(lambda: "served over http: use an http:// address" in caplog.text)


def test_a_client_that_leaves_during_the_handshake_does_no_harm(https_page: Any, tmp_path: Path) -> None:
    with socket.create_connection(("127.0.0.1", https_page.port)) as connection:
        connection.sendall(b"\x16\x03\x01")
    assert get(https_page.url + "/worker-count", verify=str(tmp_path / "ca.pem")).status_code == 200


def level_and_text(web_ui: Any, address: str) -> tuple[int, str] | None:
    web_ui.server.address = (address, web_ui.port)
    return describe_reach(web_ui)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1"])
def test_nothing_is_said_of_a_page_for_this_machine(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    with page(monkeypatch) as web_ui:
        assert level_and_text(web_ui, address) is None


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("0.0.0.0", "on all addresses of this machine"),
        ("::", "on all addresses of this machine"),
        ("192.0.2.7", "on 192.0.2.7"),
        ("fe80::1%eth0", "on fe80::1%eth0"),
    ],
)
def test_who_can_use_the_page_is_said(monkeypatch: pytest.MonkeyPatch, address: str, where: str) -> None:
    with page(monkeypatch) as web_ui:
        assert level_and_text(web_ui, address) == (
            logging.INFO,
            f"The web page is served {where}: anybody who reaches port {web_ui.port} can start tests;"
            " set LOCUST_WEB_PASSWORD, or --web-host 127.0.0.1 for this machine only",
        )


CLEAR = ", which travels in the clear: use --tls-cert and --tls-key"


def test_who_can_use_a_page_with_a_login_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    start = "The web page is served on all addresses of this machine: who uses it needs"
    with page(monkeypatch, access=Access(password="x")) as web_ui:
        assert level_and_text(web_ui, "0.0.0.0") == (logging.WARNING, f"{start} the password{CLEAR}")
    with page(monkeypatch, web_login=True) as web_ui:
        said = level_and_text(web_ui, "0.0.0.0")
        assert said == (logging.WARNING, f"{start} a login of the locustfile{CLEAR}")


def test_over_tls_no_password_travels_in_the_clear(https_page: Any) -> None:
    https_page.guard.password = PasswordLogin(None, "x", "cookie")
    said = level_and_text(https_page, "0.0.0.0")
    assert said is not None
    assert (said[0], "clear" in said[1], "the password" in said[1]) == (logging.INFO, False, True)
