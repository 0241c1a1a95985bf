"""The test servers themselves, seen through plain sockets and requests: what other tests rely on holds."""

from __future__ import annotations

import socket
import ssl

import pytest
import requests
from servers import steps
from servers.certificates import Certificates
from servers.control import Echo, OpenScripted, ServerProcessError

from benchmarks.server import PLAIN_BODY, Nginx


def connect(url: str) -> socket.socket:
    """A plain connection to the server of a URL."""
    return socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=5)


def read_all(sock: socket.socket) -> bytes:
    """Everything until the server closes."""
    received = b""
    while data := sock.recv(65536):
        received += data
    return received


def test_nginx_answers_plain_and_tls(nginx: Nginx, certificates: Certificates) -> None:
    for url in (nginx.url, nginx.tls_url):
        assert requests.get(url, verify=str(certificates.ca), timeout=5).text == PLAIN_BODY


def test_nginx_counts_requests_and_its_own_status_among_them(nginx: Nginx) -> None:
    before = nginx.status().requests
    with requests.Session() as session:
        for _ in range(7):
            session.get(nginx.url, timeout=5)
    assert nginx.status().requests - before == 7 + 1


def test_scripted_records_requests_byte_for_byte(scripted: OpenScripted) -> None:
    server = scripted([steps.request(), steps.reply(b"one"), steps.request(), steps.reply(b"two")])
    raw = [
        b"GET /a HTTP/1.1\r\nhost: x\r\nX-odd:  y\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
    ]
    with connect(server.url) as sock:
        sock.sendall(b"".join(raw))
        assert read_all(sock) == steps.response(b"one") + steps.response(b"two")
    server.wait_for("ended")
    assert server.requests() == raw
    assert server.connections()[0].end == "done"


def test_scripted_keeps_the_framing_of_chunked_requests(scripted: OpenScripted) -> None:
    server = scripted([steps.request(), steps.reply()])
    framed = b"3\r\nabc\r\n10;x=y\r\n0123456789abcdef\r\n0\r\n\r\n"
    raw = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + framed
    with connect(server.url) as sock:
        sock.sendall(raw)
        assert read_all(sock) == steps.response()
    assert server.requests() == [raw]


def test_scripts_follow_the_order_of_connections_and_the_last_stays(scripted: OpenScripted) -> None:
    server = scripted([steps.send(b"first")], [steps.send(b"later")])
    answers = []
    for _ in range(3):
        with connect(server.url) as sock:
            answers.append(read_all(sock))
    assert answers == [b"first", b"later", b"later"]


def test_reset_is_a_reset(scripted: OpenScripted) -> None:
    server = scripted([steps.request(), steps.reset()])
    with connect(server.url) as sock, pytest.raises(ConnectionResetError):
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        sock.recv(1)


def test_stall_holds_until_released(scripted: OpenScripted) -> None:
    server = scripted([steps.request(), steps.send(b"a"), steps.stall("middle"), steps.send(b"b")])
    with connect(server.url) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        server.wait_for("stalled")
        assert sock.recv(10) == b"a"
        assert server.connections()[0].end == ""
        server.release("middle")
        assert read_all(sock) == b"b"


def test_answer_before_the_body_is_read(scripted: OpenScripted) -> None:
    server = scripted([steps.head(), steps.reply(status=413, reason="Too Large"), steps.body()])
    with connect(server.url) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 413 Too Large\r\n")
        sock.sendall(b"body")
        read_all(sock)
    server.wait_for("ended")
    assert server.requests()[0].endswith(b"\r\n\r\nbody")


def test_drip_repeat_and_half_close(scripted: OpenScripted) -> None:
    server = scripted(
        [steps.repeat(steps.request(), steps.drip(b"ab"), times=2), steps.half_close(), steps.wait_eof()]
    )
    with connect(server.url) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n" * 2)
        assert read_all(sock) == b"abab"
        sock.sendall(b"late")
    server.wait_for("ended")
    assert server.connections()[0].received.endswith(b"\r\n\r\nlate")


def test_client_that_leaves_ends_the_script(scripted: OpenScripted) -> None:
    server = scripted([steps.repeat(steps.request(), steps.reply())])
    with connect(server.url):
        server.wait_for("connections")
    server.wait_for("ended")
    assert server.connections()[0].end == "client closed"


def test_waiting_in_vain_says_what_was_seen(scripted: OpenScripted) -> None:
    server = scripted([steps.request()])
    with pytest.raises(ServerProcessError, match="no 1 requests within"):
        server.wait_for("requests", seconds=0.01)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("wrong_host", "Hostname mismatch"),
        ("expired", "certificate has expired"),
        ("self_signed", "self-signed certificate"),
        ("unknown_ca", "unable to get local issuer certificate"),
    ],
)
def test_each_wrong_certificate_is_wrong_in_its_way(
    scripted: OpenScripted, certificates: Certificates, kind: str, reason: str
) -> None:
    server = scripted([steps.request(), steps.reply()], tls=kind)
    context = ssl.create_default_context(cafile=str(certificates.ca))
    with connect(server.url) as sock, pytest.raises(ssl.SSLCertVerificationError, match=reason):
        context.wrap_socket(sock, server_hostname="localhost")


@pytest.mark.parametrize("polite", [True, False])
def test_tls_ends_with_or_without_close_notify(
    scripted: OpenScripted, certificates: Certificates, polite: bool
) -> None:
    ending = [steps.close_notify()] if polite else [steps.close()]
    server = scripted([steps.request(), steps.send(b"part"), *ending], tls="good", alpn=["http/1.1"])
    context = ssl.create_default_context(cafile=str(certificates.ca))
    context.set_alpn_protocols(["h2", "http/1.1"])
    # Python 3.11.2, which Debian 12 has, sets it, and has no class of its own for the error.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    with (
        connect(server.url) as plain,
        context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as sock,
    ):
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert sock.recv(10) == b"part"
        if polite:
            assert sock.recv(10) == b""
        else:
            with pytest.raises(ssl.SSLError, match=r"(?i)eof"):
                sock.recv(10)
    tls = server.connections()[0].tls
    assert (tls["version"], tls["alpn"]) == ("TLSv1.3", "http/1.1")


def test_client_certificate_is_asked_for(scripted: OpenScripted, certificates: Certificates) -> None:
    server = scripted([steps.request(), steps.reply(b"known")], tls="good", client_ca=True)
    client = (str(certificates.chain("client")), str(certificates.key("client")))
    response = requests.get(server.url, cert=client, verify=str(certificates.ca), timeout=5)
    assert response.text == "known"
    assert server.connections()[0].tls["client"] is True


def test_proxy_script_tunnels_to_the_echo_server(
    scripted: OpenScripted, echo: Echo, certificates: Certificates
) -> None:
    agree = steps.send(steps.head_bytes(reason="Connection established"))
    proxy = scripted([steps.head(), agree, steps.tunnel(echo.tls_port)])
    with requests.Session() as session:
        session.trust_env = False
        session.proxies["https"] = proxy.url
        answer = session.get(f"{echo.tls_url}/anything", verify=str(certificates.ca), timeout=5).json()
    assert answer["path"] == "/anything"
    assert proxy.requests()[0].startswith(f"CONNECT localhost:{echo.tls_port} HTTP/1.".encode())


def test_ports_that_refuse_and_ports_that_stay_silent(refused_url: str, silent_url: str) -> None:
    with pytest.raises(ConnectionRefusedError):
        connect(refused_url)
    with socket.socket() as sock, pytest.raises(TimeoutError):
        sock.settimeout(0.05)
        sock.connect(("127.0.0.1", int(silent_url.rsplit(":", 1)[1])))


def test_echo_says_what_came(echo: Echo) -> None:
    headers = {"X-Order": "b", "A-Header": "é".encode("latin-1")}
    answer = requests.post(
        f"{echo.url}/anything/x?q=1&q=2", data=b"\x00\xff", headers=headers, timeout=5
    ).json()
    assert (answer["method"], answer["path"], answer["query"]) == ("POST", "/anything/x", "q=1&q=2")
    assert [name for name, _ in answer["headers"]][-3:] == ["X-Order", "A-Header", "Content-Length"]
    assert dict(answer["headers"])["A-Header"] == "é"
    assert answer["body"] == "\x00\xff"
    assert answer["raw"].startswith("POST /anything/x?q=1&q=2 HTTP/1.1\r\nHost: 127.0.0.1:")


def test_echo_paths(echo: Echo, certificates: Certificates) -> None:
    with requests.Session() as session:
        session.verify = str(certificates.ca)

        def get(path: str, base: str = echo.url, **arguments: object) -> requests.Response:
            return session.get(base + path, timeout=5, **arguments)  # type: ignore[arg-type]

        assert get("/status/418").status_code == 418
        assert [step.status_code for step in get("/redirect/2?status=307").history] == [307, 307]
        assert get("/cookies/set?a=1&b=2; Path=/elsewhere").json() == [["a", "1"]]
        for path in ("/gzip", "/deflate", "/raw-deflate", "/chunked", "/read-to-close", "/delay/1", "/close"):
            assert get(path).json()["path"] == path
        assert len(get("/bytes/1000").content) == 1000
        assert get("/text?charset=utf-8").text == "Grüße, 世界"
        assert get("/headers?X-A=1&X-A=2").headers["X-A"] == "1, 2"
        assert get("/basic-auth/user/pass").status_code == 401
        assert get("/basic-auth/user/pass", auth=("user", "pass")).status_code == 200
        assert get("/status/204").content == b""
        assert session.head(f"{echo.url}/bytes/10", timeout=5).headers["Content-Length"] == "10"
        assert get("/anything", base=echo.tls_url).json()["path"] == "/anything"
        assert get("/nothing-here").status_code == 404
