"""The server of the page on a real socket: start, stop, a taken port, and https."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
import requests
import trustme
from web_fixtures import page, until

from locust_c import log
from locust_c.web.server import listen


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
    listener = listen("127.0.0.1", 0)
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


def test_http_to_the_https_page_is_explained_in_the_log(
    https_page: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(requests.ConnectionError):
        get(https_page.url.replace("https", "http"))
    until(lambda: "served over https: use an https:// address" in caplog.text)


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
