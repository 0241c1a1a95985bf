"""HttpSession beside requests.Session when the server misbehaves: the same outcome in the same words.

Failed requests raise with requests; with HttpSession they are in the response's `error` (Locust's documented
behaviour). Type and text of both are compared, and what the server saw of either client.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import brotli
import pytest
import requests
from parity import Call, Seen, marked, neutral, observe, our_session, stock_session
from servers import steps
from servers.certificates import Certificates
from servers.control import OpenScripted
from servers.steps import Step

LONG = b"x" * 100_000


def get(session: requests.Session, base: str) -> requests.Response:
    return session.get(base + "/x")


@dataclass(frozen=True)
class Case:
    """One misbehaviour: scripts of the connections, calls of which the last is looked at, the certificate.

    `between`: what the server must have seen ("ended") before the next call is made.
    """

    scripts: list[list[Step]]
    calls: tuple[Call, ...] = (get,)
    between: str = ""
    tls: str | None = None
    options: dict[str, object] = field(default_factory=dict)


def answering(data: bytes, *then: Step) -> Case:
    """One connection: a request, these bytes, then these steps."""
    return Case([[steps.request(), steps.send(data), *then]])


def post(session: requests.Session, base: str) -> requests.Response:
    return session.post(base + "/x", data=b"body")


def trusting(session: requests.Session, base: str) -> requests.Response:
    session.verify = False
    return session.get(base + "/x")


def securely(session: requests.Session, base: str) -> requests.Response:
    return session.get(base.replace("http:", "https:") + "/x")


def alert(number: int) -> Case:
    """A server that answers the first TLS message with a fatal alert (RFC 8446, 6.2)."""
    answer = steps.send(b"\x15\x03\x03\x00\x02\x02" + bytes([number]))
    return Case([[steps.take(100), answer, steps.wait_eof()]], (securely,))


def short_of_time(session: requests.Session, base: str) -> requests.Response:
    return session.get(base + "/x", timeout=0.05)


def short_of_time_to_read(session: requests.Session, base: str) -> requests.Response:
    return session.get(base + "/x", timeout=(5, 0.05))


KEPT = [steps.request(), steps.reply(b"one")]

CASES: dict[str, Case] = {
    "closed after the request": Case([[steps.request()]]),
    "reset at once": Case([[steps.head(), steps.reset()]]),
    "reset in the body": Case(
        [
            [
                steps.request(),
                steps.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
                steps.pause(50),
                steps.reset(),
            ]
        ]
    ),
    "garbage": answering(b"\x00\x01\x02garbage\r\n\r\n"),
    "another protocol": answering(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "half a status line": answering(b"HTTP/1.1 20"),
    "half a head": answering(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "bad status": answering(b"HTTP/1.1 abc OK\r\n\r\n"),
    "body shorter than announced": answering(steps.head_bytes(headers=[("Content-Length", "10")]) + b"abc"),
    "no body where one was announced": answering(steps.head_bytes(headers=[("Content-Length", "10")])),
    "body longer than announced": answering(steps.head_bytes(headers=[("Content-Length", "3")]) + b"abcdef"),
    "length is no number": answering(steps.head_bytes(headers=[("Content-Length", "x")]) + b"abc"),
    "length is negative": answering(steps.head_bytes(headers=[("Content-Length", "-1")]) + b"abc"),
    "two equal lengths": answering(
        steps.head_bytes(headers=[("Content-Length", "3"), ("Content-Length", "3")]) + b"abc"
    ),
    "chunk size is no number": answering(
        steps.head_bytes(headers=[("Transfer-Encoding", "chunked")]) + b"zz\r\nabc\r\n0\r\n\r\n"
    ),
    "chunked without an end": answering(
        steps.head_bytes(headers=[("Transfer-Encoding", "chunked")]) + b"3\r\nabc\r\n"
    ),
    "chunk cut short": answering(steps.head_bytes(headers=[("Transfer-Encoding", "chunked")]) + b"a\r\nabc"),
    "chunks with extensions and trailers": answering(
        steps.head_bytes(headers=[("Transfer-Encoding", "chunked")])
        + b"3;a=b\r\nabc\r\n0\r\nX-After: 1\r\n\r\n"
    ),
    "gzip that is none": answering(steps.response(b"plain text", headers=[("Content-Encoding", "gzip")])),
    "gzip cut short": answering(
        steps.response(gzip.compress(LONG)[:-12], headers=[("Content-Encoding", "gzip")])
    ),
    "gzip in two members": answering(
        steps.response(gzip.compress(b"one") + gzip.compress(b"two"), headers=[("Content-Encoding", "gzip")])
    ),
    "deflate that is none": answering(
        steps.response(b"plain text", headers=[("Content-Encoding", "deflate")])
    ),
    "br": answering(steps.response(brotli.compress(LONG), headers=[("Content-Encoding", "br")])),
    "br that is none": answering(steps.response(b"\xff" * 10, headers=[("Content-Encoding", "br")])),
    "br cut short": answering(
        steps.response(brotli.compress(LONG)[:-3], headers=[("Content-Encoding", "br")])
    ),
    "br with more behind it": answering(
        steps.response(brotli.compress(LONG) + b"more", headers=[("Content-Encoding", "br")])
    ),
    "br in gzip": answering(
        steps.response(gzip.compress(brotli.compress(b"one")), headers=[("Content-Encoding", "br, gzip")])
    ),
    "too many codings": answering(
        steps.response(b"data", headers=[("Content-Encoding", "gzip, gzip, gzip, gzip, gzip, br")])
    ),
    "coding nobody knows": answering(steps.response(b"data", headers=[("Content-Encoding", "morse")])),
    "gzip in capitals": answering(
        steps.response(gzip.compress(b"one"), headers=[("Content-Encoding", "GZIP")])
    ),
    "codings on top of each other": answering(
        steps.response(gzip.compress(steps.deflated(b"one")), headers=[("Content-Encoding", "deflate, gzip")])
    ),
    "empty gzip body": answering(steps.response(b"", headers=[("Content-Encoding", "gzip")])),
    "byte by byte": Case([[steps.request(), steps.drip(steps.response(b"slowly", headers=[("X-A", "1")]))]]),
    "byte by byte in chunks": Case([[steps.request(), steps.drip(steps.chunked_response([b"a", b"bc"]))]]),
    "informed before": answering(b"HTTP/1.1 100 Continue\r\n\r\n" + steps.response(b"then")),
    "hints before": answering(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + steps.response(b"then")),
    "old version": answering(steps.response(b"old", version="1.0"), steps.stall("never")),
    "without reason": answering(b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"),
    "with an odd reason": answering(b"HTTP/1.1 299 Gr\xfc\xdfe  two\r\nContent-Length: 2\r\n\r\nok"),
    "lines without carriage return": answering(b"HTTP/1.1 200 OK\nX-A: 1\nContent-Length: 2\n\nok"),
    "folded header": answering(b"HTTP/1.1 200 OK\r\nX-A: one\r\n two\r\nContent-Length: 2\r\n\r\nok"),
    "header without colon": answering(b"HTTP/1.1 200 OK\r\nX-A\r\nContent-Length: 2\r\n\r\nok"),
    "header without value": answering(b"HTTP/1.1 200 OK\r\nX-A:\r\nContent-Length: 2\r\n\r\nok"),
    "very many headers": answering(steps.response(b"ok", headers=[(f"X-{n}", "1") for n in range(200)])),
    "a very long header": answering(steps.response(b"ok", headers=[("X-A", "x" * 70_000)])),
    "answered before the body was read": Case(
        [[steps.head(), steps.reply(b"no", status=413, reason="Too Large"), steps.body()]],
        (lambda session, base: session.post(base + "/x", data=LONG),),
    ),
    "no answer in time": Case([[steps.request(), steps.stall("never")]], (short_of_time,)),
    "no answer in time to read": Case([[steps.request(), steps.stall("never")]], (short_of_time_to_read,)),
    "no end in time": Case(
        [
            [
                steps.request(),
                steps.send(steps.head_bytes(headers=[("Content-Length", "9")])),
                steps.stall("never"),
            ]
        ],
        (short_of_time,),
    ),
    "no connection in time": Case([], (short_of_time,), options={"accept": False}),
    "kept alive": Case([[*KEPT, steps.request(), steps.reply(b"two")]], (get, get)),
    "closed while idle": Case(
        [[*KEPT, steps.close()], [steps.request(), steps.reply(b"two")]], (get, get), "ended"
    ),
    "post closed while idle": Case(
        [[*KEPT, steps.close()], [steps.request(), steps.reply(b"two")]], (post, post), "ended"
    ),
    "reset while idle": Case(
        [[*KEPT, steps.reset()], [steps.request(), steps.reply(b"two")]], (get, get), "ended"
    ),
    "closed when used again": Case(
        [[*KEPT, steps.request()], [steps.request(), steps.reply(b"two")]], (get, get)
    ),
    "reset when used again": Case(
        [[*KEPT, steps.request(), steps.reset()], [steps.request(), steps.reply(b"two")]], (get, get)
    ),
    "close announced": Case(
        [
            [steps.request(), steps.reply(b"one", headers=[("Connection", "close")]), steps.stall("never")],
            [steps.request(), steps.reply(b"two")],
        ],
        (get, get),
    ),
    "old version kept alive": Case(
        [
            [
                steps.request(),
                steps.reply(b"one", version="1.0", headers=[("Connection", "keep-alive")]),
                steps.request(),
                steps.reply(b"two"),
            ]
        ],
        (get, get),
    ),
    "tls": Case([[*KEPT, steps.request(), steps.reply(b"two")]], (get, get), tls="good"),
    "tls of another host": Case([[*KEPT]], tls="wrong_host"),
    "tls expired": Case([[*KEPT]], tls="expired"),
    "tls self-signed": Case([[*KEPT]], tls="self_signed"),
    "tls of an unknown authority": Case([[*KEPT]], tls="unknown_ca"),
    "tls not verified": Case([[*KEPT]], (trusting,), tls="self_signed"),
    "tls ended rudely": Case(
        [[steps.request(), steps.send(b"HTTP/1.1 200 OK\r\n\r\npart"), steps.close()]], tls="good"
    ),
    "tls ended politely": Case(
        [[steps.request(), steps.send(b"HTTP/1.1 200 OK\r\n\r\npart"), steps.close_notify()]], tls="good"
    ),
    "tls wants a client certificate": Case(
        [[*KEPT]], tls="good", options={"client_ca": True, "max_version": "1.2"}
    ),
    "tls ended in the handshake": Case(
        [[steps.take(100), steps.half_close(), steps.wait_eof()]], (securely,)
    ),
    "tls reset in the handshake": Case([[steps.take(100), steps.reset()]], (securely,)),
    "tls alert: handshake failure": alert(40),
    "tls alert: protocol version": alert(70),
    "tls alert: internal error": alert(80),
    "tls alert: access denied": alert(49),
    "tls alert: unrecognised name": alert(112),
    "tls alert: not known": alert(255),
    "tls of version 1.2": Case([[*KEPT]], tls="good", options={"max_version": "1.2"}),
    "no tls where it was expected": Case(
        [[steps.send(b"220 mail ESMTP\r\n"), steps.wait_eof()]],
        (securely,),
    ),
}


def outcome(
    open_session: Callable[[str], AbstractContextManager[requests.Session]],
    scripted: OpenScripted,
    certificates: Certificates,
    case: Case,
    below_base_url: bool = False,
) -> Seen:
    """What a client says of the case, and what the server saw of the client."""
    server = scripted(*case.scripts, tls=case.tls, **case.options)
    with open_session(server.url if below_base_url else "") as session:
        session.verify = str(certificates.ca)
        base = "" if below_base_url else server.url
        for call in case.calls[:-1]:
            observe(session, call, base)
            if case.between:
                server.wait_for(case.between)
        seen = observe(session, case.calls[-1], base)
    seen["requests"] = [list(connection.requests) for connection in server.connections()]
    seen = neutral(seen, server.port)
    # Which of the two it is, the moment of the end decides, with stock as well.
    seen = replaced(seen, ZERO_RETURN, END_OF_FILE)
    assert isinstance(seen, dict)
    return seen


END_OF_FILE = "SSLEOFError(8, '[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol')"
ZERO_RETURN = "SSLZeroReturnError(6, 'TLS/SSL connection has been closed (EOF)')"


def replaced(value: Any, old: str, new: str) -> Any:
    """The value with that text instead of the other, wherever it stands in it."""
    if isinstance(value, dict):
        return {key: replaced(item, old, new) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(replaced(item, old, new) for item in value)
    return value.replace(old, new) if isinstance(value, str) else value


def stock(_: str) -> AbstractContextManager[requests.Session]:
    return stock_session()


# What is known to differ, and why; a case that no longer differs fails until it is taken out here.
DIFFERENT = {
    "half a head": "a failure, where requests takes the half for the whole",
    "length is no number": "a failure, where requests reads to the end of the stream",
    "length is negative": "a failure, where requests reads to the end of the stream",
    "gzip cut short": "a failure, where requests gives the part there is",
    "br cut short": "a failure, where requests gives the part there is",
    "hints before": "1xx responses are skipped (RFC 9110, 15.2), where urllib3 takes 103 for the answer",
    "header without colon": "a failure, where requests stops reading headers",
    "very many headers": "accepted, where http.client stops at 100",
    "a very long header": "accepted, where http.client stops at 64 KB",
}


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("name", marked(CASES, DIFFERENT))
def test_misbehaviour_has_the_same_outcome_as_with_requests(
    scripted: OpenScripted, certificates: Certificates, name: str
) -> None:
    expected = outcome(stock, scripted, certificates, CASES[name])
    assert outcome(our_session, scripted, certificates, CASES[name]) == expected


# These calls need the whole URL.
BELOW = [name for name, case in CASES.items() if case.calls != (securely,)]


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("name", marked(BELOW, DIFFERENT))
def test_misbehaviour_below_a_base_url_has_the_same_outcome(
    scripted: OpenScripted, certificates: Certificates, name: str
) -> None:
    expected = outcome(stock, scripted, certificates, CASES[name])
    assert outcome(our_session, scripted, certificates, CASES[name], below_base_url=True) == expected


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda session, base: session.get(base), id="refused"),
        pytest.param(lambda session, base: session.get("http://name.invalid/"), id="unknown name"),
        pytest.param(lambda session, base: session.get("http://"), id="no host"),
        pytest.param(lambda session, base: session.get("http://127.0.0.1:99999/"), id="impossible port"),
        pytest.param(lambda session, base: session.get("http://a b/"), id="impossible host"),
        pytest.param(lambda session, base: session.get("127.0.0.1/x"), id="no scheme"),
        pytest.param(lambda session, base: session.get("gopher://127.0.0.1/"), id="other scheme"),
        pytest.param(lambda session, base: session.get(base, timeout=-1), id="negative time-out"),
        pytest.param(lambda session, base: session.get(base, timeout="soon"), id="time-out of text"),
        pytest.param(lambda session, base: session.get(base, timeout=(1, 2, 3)), id="three time-outs"),
    ],
)
def test_no_connection_has_the_same_outcome_as_with_requests(refused_url: str, call: Call) -> None:
    port = int(refused_url.rsplit(":", 1)[1])
    with stock_session() as theirs, our_session() as ours:
        expected = observe(theirs, call, refused_url)
        assert neutral(observe(ours, call, refused_url), port) == neutral(expected, port)
