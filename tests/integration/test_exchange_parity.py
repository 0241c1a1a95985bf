"""HttpSession beside requests.Session where several exchanges or a proxy are involved.

Each case has servers of its own, by name; what each of them received is compared, and what the call brought.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from parity import Seen, neutral, observe, our_session, stock_session
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth, HTTPDigestAuth, HTTPProxyAuth
from servers import steps
from servers.certificates import Certificates
from servers.control import OpenScripted
from servers.steps import Step
from urllib3.util import Retry, Timeout

Urls = Mapping[str, str]
Answering = Callable[[requests.Session, Urls], requests.Response]


@dataclass(frozen=True)
class Case:
    """Scripts of the connections of each server, what is called, and which servers speak TLS.

    A script may be made of the other servers' ports, which are known when they are opened first.
    """

    call: Answering
    servers: Mapping[str, list[Any]]
    tls: frozenset[str] = frozenset()
    options: Mapping[str, object] = field(default_factory=dict)


def answered(*replies: Step) -> list[list[Step]]:
    """A connection with these answers, the last one again and again, and more connections with that."""
    rest = steps.repeat(steps.request(), replies[-1])
    return [[*(part for reply in replies[:-1] for part in (steps.request(), reply)), rest], [rest]]


OK = steps.reply(b"ok")
BUSY = steps.reply(b"busy", 503, "Service Unavailable")
BUSY_NOW = steps.reply(b"busy", 503, "Service Unavailable", [("Retry-After", "0")])
ASKING = steps.reply(
    b"who?",
    401,
    "Unauthorized",
    [
        ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5, opaque="o"'),
        ("Set-Cookie", "asked=1"),
    ],
)


def moved(to: str, status: int = 302, **headers: str) -> Callable[[Urls], Step]:
    """A redirect; `to` is formatted with the servers' URLs."""
    more = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return lambda urls: steps.reply(b"moved", status, "Found", [("Location", to.format(**urls)), *more])


def made(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call; each call has files and iterators of its own."""
    return {name: value() if callable(value) else value for name, value in arguments.items()}


# --- retries ---


def retrying(retries: Retry | int, method: str = "GET", **kwargs: Any) -> Answering:
    def call(session: requests.Session, urls: Urls) -> requests.Response:
        session.mount("http://", HTTPAdapter(max_retries=retries))
        return session.request(method, urls["a"] + "/x?y=1", timeout=5, **made(kwargs))

    return call


FORCED = Retry(total=2, status_forcelist=[503])
FAILING = [[steps.request()], [steps.request()], [steps.request(), OK]]
RETRIES = {
    "a status, then fine": Case(retrying(FORCED), {"a": answered(BUSY, BUSY, OK)}),
    "a status, too often": Case(retrying(FORCED), {"a": answered(BUSY)}),
    "a status, not raised": Case(
        retrying(Retry(total=1, status_forcelist=[503], raise_on_status=False)), {"a": answered(BUSY)}
    ),
    "a status of a method that is not allowed": Case(retrying(FORCED, "POST"), {"a": answered(BUSY)}),
    "a status of any method": Case(
        retrying(Retry(total=2, status_forcelist=[503], allowed_methods=None), "POST", data="body"),
        {"a": answered(BUSY, OK)},
    ),
    "none left, but a list": Case(retrying(Retry(total=0, status_forcelist=[503])), {"a": answered(BUSY)}),
    "status counted": Case(retrying(Retry(status=1, status_forcelist=[503])), {"a": answered(BUSY)}),
    "retry after": Case(retrying(Retry(total=2)), {"a": answered(BUSY_NOW, OK)}),
    "retry after, not respected": Case(
        retrying(Retry(total=2, respect_retry_after_header=False)), {"a": answered(BUSY_NOW, OK)}
    ),
    "closed, then fine": Case(retrying(2), {"a": FAILING}),
    "closed, too often": Case(retrying(1), {"a": FAILING}),
    "closed, and a post": Case(retrying(2, "POST"), {"a": FAILING}),
    "closed, reads not retried": Case(retrying(Retry(total=3, read=False)), {"a": FAILING}),
    "closed, reads counted": Case(retrying(Retry(read=1)), {"a": FAILING}),
    "switched off": Case(retrying(Retry(total=False)), {"a": FAILING}),
    "broken in the body": Case(
        retrying(2),
        {"a": [[steps.request(), steps.send(steps.response(b"abc")[:-1])], [steps.request(), OK]]},
    ),
    "a redirect": Case(retrying(2), {"a": answered(steps.reply(b"", 302, "F", [("Location", "/y")]), OK)}),
    "a file is sent again": Case(
        retrying(
            Retry(total=1, status_forcelist=[503], allowed_methods=None),
            "PUT",
            data=lambda: io.BytesIO(b"file"),
        ),
        {"a": answered(BUSY, OK)},
    ),
}


# --- authentication ---


def authorized(auth: Any, method: str = "GET", **kwargs: Any) -> Answering:
    return lambda session, urls: session.request(method, urls["a"] + "/x?y=1", auth=auth(), **made(kwargs))


def digest_twice(session: requests.Session, urls: Urls) -> requests.Response:
    session.auth = HTTPDigestAuth("user", "pass")
    session.get(urls["a"] + "/one")
    return session.get(urls["a"] + "/two")


AUTH = {
    "digest": Case(authorized(lambda: HTTPDigestAuth("user", "pass")), {"a": answered(ASKING, OK)}),
    "digest with a body": Case(
        authorized(lambda: HTTPDigestAuth("user", "pass"), "POST", data={"a": "1"}),
        {"a": answered(ASKING, OK)},
    ),
    "digest with a file": Case(
        authorized(lambda: HTTPDigestAuth("user", "pass"), "POST", data=lambda: io.BytesIO(b"file")),
        {"a": answered(ASKING, OK)},
    ),
    "digest, wrong": Case(authorized(lambda: HTTPDigestAuth("user", "no")), {"a": answered(ASKING)}),
    "digest, streamed": Case(
        authorized(lambda: HTTPDigestAuth("user", "pass"), stream=True), {"a": answered(ASKING, OK)}
    ),
    "digest of a session": Case(digest_twice, {"a": answered(ASKING, OK, OK)}),
    "basic over a challenge": Case(
        authorized(lambda: HTTPBasicAuth("user", "pass")), {"a": answered(ASKING)}
    ),
    "for a proxy": Case(authorized(lambda: HTTPProxyAuth("user", "pass")), {"a": answered(OK)}),
    "a function": Case(
        authorized(lambda: lambda request: request.headers.update({"X-A": "1"}) or request),
        {"a": answered(OK)},
    ),
    "credentials of the URL": Case(
        lambda session, urls: session.get(urls["a"].replace("//", "//us%40er:p%3Ass@")), {"a": answered(OK)}
    ),
    "nothing of a netrc file": Case(lambda session, urls: session.get(urls["a"]), {"a": answered(OK)}),
}


# --- redirects ---


def going(method: str = "GET", path: str = "/x", **kwargs: Any) -> Answering:
    def call(session: requests.Session, urls: Urls) -> requests.Response:
        session.cookies.set("mine", "1", domain="127.0.0.1", path="/")
        return session.request(method, urls["a"] + path, **made(kwargs))

    return call


def few(call: Answering) -> Answering:
    """The same call with fewer redirects."""

    def limited(session: requests.Session, urls: Urls) -> requests.Response:
        session.max_redirects = 2
        return call(session, urls)

    return limited


def other_host(url: str) -> str:
    return url.replace("127.0.0.1", "localhost")


SECRETS: dict[str, Any] = {"auth": ("user", "pass"), "headers": {"Cookie": "own=1", "X-Own": "1"}}
REDIRECTS = {
    **{
        f"{method} with a body, {status}": Case(
            going(method, data={"a": "1"}),
            {"a": answered(steps.reply(b"", status, "M", [("Location", "/y")]), OK)},
        )
        for method in ("POST", "PUT", "PATCH", "DELETE", "HEAD", "GET")
        for status in (301, 302, 303, 307, 308)
    },
    "to another port": Case(
        going(**SECRETS),
        {"b": answered(OK), "a": answered(moved("{b}/y"))},  # type: ignore[arg-type]
    ),
    "to another host": Case(
        lambda session, urls: going(**SECRETS)(session, {"a": other_host(urls["a"])}),
        {"b": answered(OK), "a": answered(moved("{b}/y"))},  # type: ignore[arg-type]
    ),
    "to tls": Case(
        going(**SECRETS),
        {"b": answered(OK), "a": answered(moved("{b}/y"))},  # type: ignore[arg-type]
        frozenset({"b"}),
    ),
    "from tls": Case(
        going(**SECRETS),
        {"b": answered(OK), "a": answered(moved("{b}/y"))},  # type: ignore[arg-type]
        frozenset({"a"}),
    ),
    "and back": Case(
        going(auth=("user", "pass")),
        {"b": answered(steps.reply(b"", 302, "F", [("Location", "/z")]), OK), "a": answered(moved("{b}/y"))},  # type: ignore[arg-type]
    ),
    "with cookies on the way": Case(
        going(),
        {
            "a": answered(
                moved("/y", Set_Cookie="new=2; Path=/"), moved("/z", Set_Cookie="mine=; Max-Age=0"), OK
            )
        },  # type: ignore[arg-type]
    ),
    "with a cookie for another path": Case(
        going(),
        {"a": answered(moved("/y", Set_Cookie="new=2; Path=/z"), moved("/z/y"), OK)},  # type: ignore[arg-type]
    ),
    "a generator cannot be sent again": Case(
        going("PUT", data=lambda: iter([b"a", b"b"])),
        {"a": answered(steps.reply(b"", 307, "T", [("Location", "/y")]), OK)},
    ),
    "a file can": Case(
        going("PUT", data=lambda: io.BytesIO(b"file")),
        {"a": answered(steps.reply(b"", 307, "T", [("Location", "/y")]), OK)},
    ),
    "to nowhere": Case(few(going()), {"a": answered(steps.reply(b"", 302, "F", [("Location", "http://")]))}),
    "to a bad port": Case(
        going(), {"a": answered(steps.reply(b"", 302, "F", [("Location", "http://a:b/")]))}
    ),
    "to nothing": Case(going(), {"a": answered(steps.reply(b"", 302, "F", [("Location", "")]), OK)}),
    "to bytes": Case(
        going(), {"a": answered(steps.reply(b"", 302, "F", [("Location", "/\xc3\xbc?q=\xc3\xa4 b")]), OK)}
    ),
    "keeps what is escaped": Case(
        going(), {"a": answered(steps.reply(b"", 302, "F", [("Location", "/%7Ea%2Fb?x=%20&y=[1]")]), OK)}
    ),
    "streamed": Case(
        going(stream=True), {"a": answered(steps.reply(b"", 302, "F", [("Location", "/y")]), OK)}
    ),
    "to a closed port": Case(
        going(), {"a": answered(steps.reply(b"", 302, "F", [("Location", "http://127.0.0.1:1/")]))}
    ),
    "too often": Case(few(going()), {"a": answered(steps.reply(b"", 302, "F", [("Location", "/y")]))}),
}


# --- proxies ---


def through(proxy: str, **kwargs: Any) -> Answering:
    """A request through a proxy; `proxy` is formatted with the host and port of server "proxy"."""

    def call(session: requests.Session, urls: Urls) -> requests.Response:
        host = urls["proxy"].partition("//")[2]
        session.proxies = {key: value.format(host) for key, value in {"all": proxy}.items()}
        return session.get(urls["a"] + "/x?y=1#z", timeout=5, **kwargs)

    return call


def by_key(*keys: str) -> Answering:
    """Requests with a proxy for one key after the other; the answer is that of the last one."""

    def call(session: requests.Session, urls: Urls) -> requests.Response:
        for key in keys:
            proxies = {key.format(**urls): urls["proxy"]}
            response = session.get(urls["a"] + "/" + key[:3], proxies=proxies)
        return response

    return call


def tunnelled(urls: Urls) -> list[Step]:
    established = steps.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
    return [steps.head(), established, steps.tunnel(int(urls["a"].rpartition(":")[2]))]


def refusing(status: int, reason: str) -> list[list[Step]]:
    return [[steps.head(), steps.reply(b"no", status, reason), steps.wait_eof()]]


TLS = frozenset({"a"})
PROXIES = {
    "plain": Case(through("http://{}"), {"a": [], "proxy": answered(OK)}),
    "plain, without scheme": Case(through("{}"), {"a": [], "proxy": answered(OK)}),
    "plain, with credentials": Case(through("http://us%40er:p%3Ass@{}"), {"a": [], "proxy": answered(OK)}),
    "plain, headers removed": Case(
        through("http://u:p@{}", headers={"User-Agent": None, "Accept-Encoding": None, "Accept": None}),
        {"a": [], "proxy": answered(OK)},
    ),
    "plain, with a host": Case(
        through("http://{}", headers={"Host": "other.example"}), {"a": [], "proxy": answered(OK)}
    ),
    "plain, for keys": Case(
        by_key("http", "all", "all://127.0.0.1", "http://127.0.0.1"), {"a": [], "proxy": answered(OK)}
    ),
    "plain, for other keys": Case(
        by_key("https", "http://elsewhere", "{a}"), {"a": answered(OK), "proxy": []}
    ),
    "plain, redirected": Case(
        through("http://u:p@{}"),
        {"a": [], "proxy": answered(steps.reply(b"", 302, "F", [("Location", "/y")]), OK)},
    ),
    "tunnel": Case(through("http://{}"), {"a": answered(OK), "proxy": [tunnelled]}, TLS),
    "tunnel, with credentials": Case(
        through("http://user:pass@{}"), {"a": answered(OK), "proxy": [tunnelled]}, TLS
    ),
    "tunnel, refused": Case(through("http://{}"), {"a": [], "proxy": refusing(407, "Proxy Auth")}, TLS),
    "tunnel, failed": Case(through("http://{}"), {"a": [], "proxy": refusing(502, "Bad Gateway")}, TLS),
    "tunnel, closed": Case(through("http://{}"), {"a": [], "proxy": [[steps.head()]]}, TLS),
    "no host": Case(through("http://"), {"a": [], "proxy": []}),
    "refused": Case(
        lambda session, urls: session.get(urls["a"], proxies={"http": "http://127.0.0.1:1"}), {"a": []}
    ),
    "refused, for tls": Case(
        lambda session, urls: session.get(urls["a"], proxies={"https": "http://127.0.0.1:1"}), {"a": []}, TLS
    ),
}


# --- what is sent while it is made ---


def put(data: Callable[[], Any], **kwargs: Any) -> Answering:
    return lambda session, urls: session.put(urls["a"] + "/x", data=data(), **kwargs)


def failing_pieces() -> Any:
    yield b"one"
    raise ZeroDivisionError


def text_file() -> Any:
    return io.StringIO("über")


class Sized:
    """Has a length, and is iterated over."""

    def __len__(self) -> int:
        return 6

    def __iter__(self) -> Any:
        return iter([b"abc", b"def"])


BODIES = {
    "pieces": Case(put(lambda: iter([b"one", b"", b"two"])), {"a": answered(OK)}),
    "pieces of text": Case(put(lambda: iter(["one", "zwei ü"])), {"a": answered(OK)}),
    "no pieces": Case(put(lambda: iter([])), {"a": answered(OK)}),
    "a generator that fails": Case(put(failing_pieces), {"a": answered(OK)}),
    "a file": Case(put(lambda: io.BytesIO(b"x" * 50_000)), {"a": answered(OK)}),
    "the rest of a file": Case(put(lambda: _at(io.BytesIO(b"0123456789"), 4)), {"a": answered(OK)}),
    "an empty file": Case(put(lambda: io.BytesIO(b"")), {"a": answered(OK)}),
    "a file of text": Case(put(text_file), {"a": answered(OK)}),
    "with a length": Case(put(Sized), {"a": answered(OK)}),
    "a number": Case(put(lambda: 1), {"a": answered(OK)}),
    "a bytearray": Case(put(lambda: bytearray(b"abc")), {"a": answered(OK)}),
    "a memoryview": Case(put(lambda: memoryview(b"abc")), {"a": answered(OK)}),
    "pieces that are kept alive": Case(
        lambda session, urls: [put(lambda: iter([b"one"]))(session, urls) for _ in range(2)][1],
        {"a": answered(OK, OK)},
    ),
}


def _at(file: io.BytesIO, position: int) -> io.BytesIO:
    file.seek(position)
    return file


# --- time-outs ---


def waiting(timeout: Any) -> Answering:
    return lambda session, urls: session.get(urls["a"] + "/x", timeout=timeout)


LATE = [[steps.request(), steps.stall("never")]]
TIMEOUTS = {
    "an object": Case(waiting(Timeout(connect=5, read=0.05)), {"a": LATE}),
    "a pair": Case(waiting((5, 0.05)), {"a": LATE}),
    "half a pair": Case(waiting((None, 0.05)), {"a": LATE}),
    "none": Case(waiting(None), {"a": answered(OK)}),
    "a pair of none": Case(waiting((None, None)), {"a": answered(OK)}),
    "zero": Case(waiting(0), {"a": []}),
    "zero in a pair": Case(waiting((5, 0)), {"a": []}),
    "a bool": Case(waiting(True), {"a": []}),
    "a list": Case(waiting([5, 5]), {"a": []}),
}

GROUPS: dict[str, Mapping[str, Case]] = {
    "retry": RETRIES,
    "auth": AUTH,
    "redirect": REDIRECTS,
    "proxy": PROXIES,
    "body": BODIES,
    "timeout": TIMEOUTS,
}
CASES = {f"{group}: {name}": case for group, cases in GROUPS.items() for name, case in cases.items()}


def resolved(script: Any, urls: Urls) -> list[Step]:
    """The script with what is made of the other servers' URLs."""
    if callable(script):
        return resolved(script(urls), urls)
    parts = [part(urls) if callable(part) else part for part in script]
    return [["repeat", part[1], resolved(part[2], urls)] if part[0] == "repeat" else part for part in parts]


def outcome(
    session: AbstractContextManager[requests.Session],
    scripted: OpenScripted,
    certificates: Certificates,
    case: Case,
) -> Seen:
    """What a client says of the case, and what each of the servers saw of the client."""
    servers: dict[str, Any] = {}
    urls: dict[str, str] = {}
    for name, scripts in case.servers.items():
        scripts = [resolved(script, urls) for script in scripts] or [[steps.wait_eof()]]
        servers[name] = scripted(*scripts, tls="good" if name in case.tls else None)
        urls[name] = servers[name].url
    with session as client:
        client.verify = str(certificates.ca)
        seen = observe(client, lambda session, base: case.call(session, urls), "")
    for name, server in servers.items():
        connections = [[shown(raw) for raw in connection.requests] for connection in server.connections()]
        seen[name] = [requests for requests in connections if requests]
    # requests counts the time of the exchange before digest's, which is none.
    seen.pop("elapsed", None)
    for server in servers.values():
        seen = neutral(seen, server.port)
    return without_random(seen)  # type: ignore[no-any-return]


def shown(raw: bytes) -> bytes:
    """A request as it is compared: of a CONNECT, which libcurl writes, the target and the credentials."""
    if not raw.startswith(b"CONNECT "):
        return raw
    return b" ".join(raw.split()[:2] + re.findall(rb"Proxy-Authorization: [^\r]*", raw))


def without_random(seen: Any) -> Any:
    """What was seen without what digest makes up for each request."""
    if isinstance(seen, (dict, list, tuple)):
        items = seen.items() if isinstance(seen, dict) else seen
        return type(seen)(without_random(item) for item in items)
    if isinstance(seen, bytes):
        return without_random(seen.decode("latin-1")).encode("latin-1")
    return re.sub(r'(cnonce|response)="[0-9a-z]+"', r'\1="random"', seen) if isinstance(seen, str) else seen


@pytest.mark.parametrize("name", CASES)
def test_exchanges_are_the_same_as_with_requests(
    scripted: OpenScripted, certificates: Certificates, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    # What urllib3 logs of retries holds the exception, and with it the sockets of its frames.
    caplog.set_level(logging.ERROR, "urllib3.connectionpool")
    expected = outcome(stock_session(), scripted, certificates, CASES[name])
    assert outcome(our_session(), scripted, certificates, CASES[name]) == expected
