"""Credentials, wherever they were given, are in no log, name, error or table."""

from __future__ import annotations

import base64
import io
import json
import logging
import traceback
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from reported import Reports
from servers import steps
from servers.certificates import Certificates
from servers.control import OpenScripted
from servers.steps import Step, reply, request, send, wait_eof

from locust_c import FastHttpUser, HttpUser
from locust_c.env import Environment
from locust_c.stats import print_error_report, print_stats
from locust_c.web import WebUI

USER, PASSWORD = "us3r", "s3cr3t"
USERINFO = f"{USER}:{PASSWORD}@"
TIMEOUT_S = 0.2
SECRETS = (USER, PASSWORD, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode())

FLAVOURS = pytest.mark.parametrize("flavour", ["http", "fast"])
ANSWERS = [steps.repeat(request(), reply(b"ok"))]
GARBAGE = [steps.repeat(request(), send(b"garbage\r\n\r\n"))]
ANY_GARBAGE = [send(b"garbage\r\n\r\n"), wait_eof()]
DENIED = [request(), reply(b"", status=407, reason="Proxy Authentication Required")]

# A call of a client whose base URL is without credentials, with a URL that has them.
Call = Callable[[Any, str], object]


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def logged() -> Any:
    """All that is logged, by whomever and on whatever level."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    yield stream
    root.setLevel(level)
    root.removeHandler(handler)


def with_userinfo(url: str) -> str:
    return url.replace("//", f"//{USERINFO}")


def shown(reports: Reports, logged: io.StringIO) -> str:
    """All that the run has to say: events, statistics, tables, logs."""
    stats = reports.environment.stats
    print_stats(stats, current=False)
    print_error_report(stats)
    events = [
        {**event, "exception": f"{event['exception']!r} {event['exception']}", "response": None}
        for event in reports.events
    ]
    return "\n".join(
        [
            repr(events),
            repr(list(stats.entries)),
            repr([(error.to_name(), error.to_dict()) for error in stats.errors.values()]),
            logged.getvalue(),
        ]
    )


def check(reports: Reports, logged: io.StringIO, call: Callable[[], object]) -> None:
    """Makes the call; neither what it raises nor what is shown of it may hold a secret."""
    text = ""
    try:
        response = call()
    except Exception as error:
        text = "".join(traceback.format_exception(error)[1:]) + repr(error)
        # Lines of this file say what it is about.
        text = "\n".join(line for line in text.splitlines() if "USERINFO" not in line)
    else:
        assert reports.events, "the request was counted"
        text = f"{response!r} {getattr(response, 'error', '')}"
    text += shown(reports, logged)
    assert [secret for secret in SECRETS if secret in text] == [], text


SCRIPTS: dict[str, list[Step]] = {
    "fine": ANSWERS,
    "not found": [steps.repeat(request(), reply(b"", status=404))],
    "garbage": GARBAGE,
    "closed": [request()],
    "redirected": [steps.repeat(request(), reply(b"", status=302, headers=[("Location", "/again")]))],
}


@FLAVOURS
@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("place", ["base URL", "absolute URL", "auth", "header", "cookie"])
def test_what_comes_of_a_request(
    reports: Reports, scripted: OpenScripted, logged: io.StringIO, flavour: str, script: str, place: str
) -> None:
    server = scripted(SCRIPTS[script])
    base = with_userinfo(server.url) if place == "base URL" else server.url
    client = getattr(reports, flavour)(base)
    calls: dict[str, Callable[[], object]] = {
        "base URL": lambda: client.get("/x"),
        "absolute URL": lambda: client.get(f"{with_userinfo(server.url)}/x"),
        "auth": lambda: client.get("/x", auth=(USER, PASSWORD)),
        "header": lambda: client.get("/x", headers={"Authorization": f"Bearer {PASSWORD}"}),
        "cookie": lambda: client.get("/x", headers={"Cookie": f"{USER}={PASSWORD}"}),
    }
    check(reports, logged, calls[place])


BAD_URLS = {
    "refused": "http://{userinfo}{refused}",
    "unknown": "http://{userinfo}name.invalid",
    "impossible port": "http://{userinfo}127.0.0.1:99999",
    "port of words": "http://{userinfo}127.0.0.1:port",
    "without host": "http://{userinfo}",
    "host of two words": "http://{userinfo}a b",
    "another scheme": "ftp://{userinfo}127.0.0.1",
    "an @ in the password": "http://{userinfo}{userinfo}{refused}",
    "a line end": "http://{userinfo}127.0.0.1\r\n",
}


@pytest.mark.parametrize(
    ("flavour", "kind", "place"),
    [
        *product(["http", "fast"], BAD_URLS, ["base URL", "URL of the call", "redirect"]),
        ("http", "without scheme", "base URL"),
    ],
)
def test_what_is_said_of_bad_urls(
    reports: Reports,
    scripted: OpenScripted,
    logged: io.StringIO,
    refused_url: str,
    flavour: str,
    kind: str,
    place: str,
) -> None:
    url = BAD_URLS.get(kind, "{userinfo}127.0.0.1").format(
        userinfo=USERINFO, refused=refused_url.removeprefix("http://")
    )
    if place == "base URL":
        check(reports, logged, lambda: getattr(reports, flavour)(url).get("/x"))
        return
    moved = reply(b"", status=302, headers=[("Location", url.strip() + "/y")])
    server = scripted([steps.repeat(request(), moved)])
    client = getattr(reports, flavour)(server.url)
    check(reports, logged, lambda: client.get("/x" if place == "redirect" else f"{url}/x"))


@pytest.mark.parametrize("target", ["http", "https"])
@pytest.mark.parametrize("script", ["refused", "denied", "garbage", "closed"])
@pytest.mark.parametrize("scheme", ["http", "https", "socks4", "socks5", "socks5h", "gopher"])
def test_what_is_said_of_proxies(
    reports: Reports,
    scripted: OpenScripted,
    logged: io.StringIO,
    refused_url: str,
    scheme: str,
    script: str,
    target: str,
) -> None:
    scripts: dict[str, list[Step]] = {"denied": DENIED, "garbage": ANY_GARBAGE, "closed": []}
    proxy = refused_url if script == "refused" else scripted(scripts[script]).url
    proxy = with_userinfo(proxy).replace("http:", f"{scheme}:")
    client = reports.http(f"{target}://127.0.0.1:9")
    check(reports, logged, lambda: client.get("/x", proxies={target: proxy}, timeout=TIMEOUT_S))


@pytest.mark.parametrize("script", ["refused", "denied", "garbage"])
@pytest.mark.parametrize("target", ["http", "https"])
def test_what_is_said_of_the_fast_client_s_proxy(
    reports: Reports, scripted: OpenScripted, logged: io.StringIO, refused_url: str, script: str, target: str
) -> None:
    scripts = {"denied": DENIED, "garbage": ANY_GARBAGE}
    proxy = refused_url if script == "refused" else scripted(scripts[script]).url
    client = reports.fast(
        f"{target}://127.0.0.1:9",
        proxy_host="127.0.0.1",
        proxy_port=int(proxy.rpartition(":")[2]),
        default_headers={"Proxy-Authorization": f"Bearer {PASSWORD}"},
    )
    check(reports, logged, lambda: client.get("/x"))


@FLAVOURS
@pytest.mark.parametrize("name", ["Authorization", "proxy-authorization", "Cookie"])
@pytest.mark.parametrize("line_end", ["\n", "\0"])
@pytest.mark.parametrize("place", ["call", "session"])
def test_a_token_with_a_line_end_is_refused_but_not_shown(
    reports: Reports,
    scripted: OpenScripted,
    logged: io.StringIO,
    flavour: str,
    name: str,
    line_end: str,
    place: str,
) -> None:
    client = getattr(reports, flavour)(scripted(ANSWERS).url)
    headers = {name: PASSWORD + line_end}
    if place == "session":
        (client.client.default_headers if flavour == "fast" else client.headers).update(headers)
    check(reports, logged, lambda: client.get("/x", headers=headers if place == "call" else {}))


@FLAVOURS
def test_a_certificate_that_is_not_accepted(
    reports: Reports,
    scripted: OpenScripted,
    logged: io.StringIO,
    certificates: Certificates,
    flavour: str,
) -> None:
    server = scripted([wait_eof()], tls="expired")
    options = {"insecure": False} if flavour == "fast" else {}
    client = getattr(reports, flavour)(with_userinfo(server.url), **options)
    check(reports, logged, lambda: client.get("/x"))


@pytest.mark.parametrize("kind", [HttpUser, FastHttpUser])
def test_the_web_ui(scripted: OpenScripted, logged: io.StringIO, kind: Any) -> None:
    server = scripted(ANSWERS)
    host = with_userinfo(server.url)
    user_class = type("Visitor", (kind,), {"host": host, "abstract": False, "tasks": [lambda user: None]})
    environment = Environment(user_classes=[user_class], host=host)
    runner = environment.create_local_runner()
    user_class(environment).client.get("/x")
    ui = WebUI(environment, "127.0.0.1", 0)
    browser = ui.app.test_client()
    pages = [browser.get(path).text for path in ("/", "/stats/requests", "/exceptions", "/tasks", "/logs")]
    answer = browser.post("/swarm", data={"user_count": "0", "spawn_rate": "1", "host": server.url}).text
    assert json.loads(answer)["success"]
    pages += [answer, browser.get("/stop").text]
    assert environment.host == host, "the host as it was shown means the one that is set"
    text = "\n".join([*pages, logged.getvalue()])
    assert [secret for secret in SECRETS if secret in text] == []
    ui.stop()
    runner.quit()
