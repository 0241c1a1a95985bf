"""The page behind a real nginx: below a prefix, stripped or not, with TLS, and by kubectl's tunnel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from command_process import QUIET, Command, command, write
from servers.certificates import Certificates
from servers.ingress import Ingress, ingress

LOCAL = ("-P", "0", "--web-host", "127.0.0.1")
OWN_PAGE = """
from locust import web

@web.app.route("/added/page")
def added():
    from flask import render_template
    ui = web.app.extensions["locust"]
    ui.update_template_args()
    return render_template("index.html", template_args=ui.template_args)
"""


class Browser:
    """Asks as a browser does that shows a page of ``origin``: its requests say where they come from."""

    def __init__(self, origin: str, ca: Path, host: str | None = None) -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(ca)
        self.origin = origin
        self.seen_origin = f"{urlsplit(origin).scheme}://{host}" if host else origin
        if host:
            self.session.headers["Host"] = host

    def get(self, address: str) -> requests.Response:
        """Open an address; redirects are followed as a browser does."""
        return self.session.get(address, timeout=10)

    def post(self, address: str, **form: str) -> requests.Response:
        """Send what a form or a script of the page sends."""
        headers = {"Origin": self.seen_origin}
        return self.session.post(address, data=form, headers=headers, timeout=10)


PASSWORD = {"LOCUST_WEB_PASSWORD": "open sesame"}


@dataclass(frozen=True)
class Outside:
    """What there is to be seen from outside."""

    ingress: Ingress
    plain: Command
    based: Command
    ca: Path


@pytest.fixture(scope="module")
def outside(
    plain_environment: None, tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[Outside]:
    with ExitStack() as stack:
        folders = [tmp_path_factory.mktemp(name) for name in ("plain", "based")]
        for folder in folders:
            write(folder, QUIET + OWN_PAGE)
        named = ("--web-host-display-name", "load.example")
        plain = stack.enter_context(command(*LOCAL, *named, folder=folders[0]))
        based = stack.enter_context(command(*LOCAL, "--web-base-path", "/locust", folder=folders[1]))
        front = stack.enter_context(ingress(certificates, plain.port, based.port))
        yield Outside(front, plain, based, certificates.ca)


def addresses(outside: Outside) -> dict[str, tuple[str, str | None]]:
    """The address of the page and the Host it is asked for, for each way to it."""
    front = outside.ingress
    return {
        "stripped": (f"http://127.0.0.1:{front.port}/team/one/", None),
        "named": (f"http://127.0.0.1:{front.port}/named/", "load.example"),
        "unstripped": (f"http://localhost:{front.port}/locust/", None),
        "tls": (f"https://localhost:{front.tls_port}/", None),
        # kubectl forwards bytes: the page sees the name and the port that the browser uses.
        "port-forward": (f"http://localhost:{outside.plain.port}/", None),
    }


@pytest.mark.parametrize("way", ["stripped", "named", "unstripped", "tls", "port-forward"])
def test_the_page_works_whichever_way_it_is_reached(outside: Outside, way: str) -> None:
    root, host = addresses(outside)[way]
    browser = Browser(root, outside.ca, host)
    if way == "stripped":
        # Without its own name the page cannot tell its origin from another one's: it says what to do.
        refused = browser.post(root + "stats/reset")
        assert refused.status_code == 403
        assert "--web-allow-origin" in refused.text
        browser.session.headers["Sec-Fetch-Site"] = "same-origin"
    if way == "unstripped":
        browser.session.headers["Sec-Fetch-Site"] = "same-origin"
    page = browser.get(root)
    assert page.status_code == 200
    assert assets_of(browser, root, page.text)
    started = browser.post(root + "swarm", user_count="1", spawn_rate="10", host="http://127.0.0.1:1")
    assert started.json()["success"] is True
    assert browser.get(root + "stats/requests").json()["state"] in ("spawning", "running")
    assert browser.post(root + "stop").json()["success"] is True
    headers = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    elsewhere = browser.session.post(root + "stop", headers=headers, timeout=10)
    assert elsewhere.status_code == 403


def assets_of(browser: Browser, address: str, page: str) -> list[bytes]:
    """All that the page at ``address`` loads, which must be there."""
    base = re.search(r'<base href="([^"]*)">', page)
    assert base is not None
    root = urljoin(address, base[1])
    answers = [browser.get(urljoin(root, name)) for name in re.findall(r'(?:src|href)="(\./[^"]+)"', page)]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.content for answer in answers]


@pytest.mark.parametrize("way", ["stripped", "tls"])
def test_a_users_page_that_shows_the_page_finds_its_files(outside: Outside, way: str) -> None:
    root, host = addresses(outside)[way]
    browser = Browser(root, outside.ca, host)
    page = browser.get(root + "added/page")
    assert len(assets_of(browser, root + "added/page", page.text)) >= 3


@pytest.mark.parametrize("path", ["", "/?tab=charts"])
def test_redirects_stay_on_the_address_that_the_browser_knows(outside: Outside, path: str) -> None:
    front = f"http://localhost:{outside.ingress.port}"
    with requests.Session() as session:
        session.trust_env = False
        answer: Any = session.get(f"{front}/locust{path}", timeout=10)
    assert answer.status_code == 200
    assert answer.url.startswith(f"{front}/locust/")


@pytest.fixture(scope="module")
def locked(
    plain_environment: None, tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[Outside]:
    with ExitStack() as stack:
        folders = [tmp_path_factory.mktemp(name) for name in ("plain", "based")]
        for folder in folders:
            write(folder, QUIET + OWN_PAGE)
        named = ("--web-host-display-name", "load.example")
        plain = stack.enter_context(command(*LOCAL, *named, folder=folders[0], env=PASSWORD))
        based = stack.enter_context(
            command(*LOCAL, "--web-base-path", "/locust", folder=folders[1], env=PASSWORD)
        )
        front = stack.enter_context(ingress(certificates, plain.port, based.port))
        yield Outside(front, plain, based, certificates.ca)


@pytest.mark.parametrize(
    ("way", "path", "asked"),
    [
        ("stripped", "/team/one", "added/page"),
        ("unstripped", "/", "stats/report"),
        ("tls", "/", "added/page"),
        ("port-forward", "/", "stats/report?theme=dark"),
    ],
)
def test_signing_in_works_whichever_way_the_page_is_reached(
    locked: Outside, way: str, path: str, asked: str
) -> None:
    root, host = addresses(locked)[way]
    browser = Browser(root, locked.ca, host)
    browser.session.headers.update({"Accept": "text/html", "Sec-Fetch-Site": "same-origin"})
    shown = browser.get(root + asked)
    assert shown.url.partition("?")[0] == root + "login"
    action = re.search(r'<form method="post" +action="([^"]*)"', shown.text)
    wanted = re.search(r'name="next" value="([^"]*)"', shown.text)
    assert action is not None
    assert wanted is not None
    wrong = browser.post(urljoin(root, action[1]), password="sesame")
    assert wrong.status_code == 401
    assert assets_of(browser, wrong.url, wrong.text)
    answer = browser.post(urljoin(root, action[1]), password="open sesame", next=wanted[1])
    assert (answer.status_code, answer.url) == (200, root + asked)
    cookie = next(iter(browser.session.cookies))
    assert (cookie.path, cookie.secure) == (path, way == "tls")
    started = browser.post(root + "swarm", user_count="1", spawn_rate="10", host="http://127.0.0.1:1")
    assert started.json()["success"] is True
    assert browser.post(root + "stop").json()["success"] is True
    assert browser.post(root + "sign-out").url == root + "login"
    browser.session.headers["Accept"] = "*/*"
    assert browser.get(root + "stats/requests").status_code == 401
