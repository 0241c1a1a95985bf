"""`client.cookies`: the engine's jar as a RequestsCookieJar, and jars and policies of the user's own."""

from __future__ import annotations

import copy
import pickle
from http.cookiejar import CookieJar, DefaultCookiePolicy, LWPCookieJar
from pathlib import Path
from typing import Any

import pytest
import requests
from parity import Call, cookies_seen, neutral, our_session, stock_session
from reported import Reports
from requests.cookies import RequestsCookieJar, cookiejar_from_dict, create_cookie
from servers.control import Echo

from locust_c.clients import HttpSession
from locust_c.session_state import SessionCookies


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def client(reports: Reports, echo: Echo) -> HttpSession:
    return reports.http(echo.url)


def sent(client: Any, base: str = "") -> dict[str, str]:
    return dict(client.get(base + "/cookies").json())


def blocking() -> DefaultCookiePolicy:
    return DefaultCookiePolicy(allowed_domains=[])


class Jar(RequestsCookieJar):
    """A jar of a class of its own."""


def set_one(session: requests.Session, base: str) -> requests.Response:
    session.get(base + "/cookies/set?theirs=1")
    return session.get(base + "/cookies")


def with_policy(session: requests.Session, base: str) -> requests.Response:
    session.cookies.set("before", "0", domain="127.0.0.1", path="/")
    session.cookies.set_policy(blocking())
    return set_one(session, base)


def with_changed_policy(session: requests.Session, base: str) -> requests.Response:
    policy: Any = session.cookies.get_policy()
    policy.set_blocked_domains(["127.0.0.1"])
    return set_one(session, base)


def with_jar(jar: Any) -> Call:
    def call(session: requests.Session, base: str) -> requests.Response:
        made = jar()
        made.set_cookie(create_cookie("mine", "1"))
        session.cookies = made
        response = set_one(session, base)
        assert session.cookies is made
        made.set_cookie(create_cookie("later", "2"))
        session.get(base + "/redirect/1", cookies={"once": "3"})
        return session.get(base + "/cookies") if response.ok else response

    return call


def cleared(session: requests.Session, base: str) -> requests.Response:
    set_one(session, base)
    session.cookies.clear()
    return session.get(base + "/cookies")


def with_one_call(cookies: Any) -> Call:
    return lambda session, base: (
        session.cookies.set("a", "session") and session.get(base + "/cookies", cookies=cookies())
    )


def jar_of(cookies: dict[str, str]) -> Any:
    return cookiejar_from_dict(cookies)


CALLS: dict[str, Call] = {
    "a policy": with_policy,
    "a policy that is changed": with_changed_policy,
    "a jar": with_jar(RequestsCookieJar),
    "a jar with a policy": with_jar(lambda: RequestsCookieJar(blocking())),
    "a jar of another class": with_jar(Jar),
    "a jar of the standard library": with_jar(CookieJar),
    "a jar of a file": with_jar(LWPCookieJar),
    "cleared": cleared,
    "for one call": with_one_call(lambda: {"a": "call", "b": "1"}),
    "a jar for one call": with_one_call(lambda: jar_of({"a": "call", "b": "1"})),
    "for one call, taken away": with_one_call(lambda: {"a": None}),
    "of another path": lambda session, base: (
        session.cookies.set("deep", "1", path="/deep") and session.get(base + "/cookies")
    ),
    "secure": lambda session, base: (
        session.cookies.set("s", "1", secure=True) and session.get(base + "/cookies")
    ),
}


@pytest.mark.parametrize("below", [False, True], ids=["absolute", "below a base URL"])
@pytest.mark.parametrize("name", CALLS)
def test_cookies_are_those_of_requests(echo: Echo, name: str, below: bool) -> None:
    seen = []
    for open_session in (stock_session, lambda: our_session(echo.url if below else "")):
        with open_session() as session:
            is_stock = open_session is stock_session
            response = CALLS[name](session, echo.url if is_stock or not below else "")
            kept = cookies_seen(session.cookies)
            seen.append(neutral((response.json(), response.request.headers.get("Cookie"), kept), echo.port))
    assert seen[1] == seen[0]


def test_a_jar_that_was_replaced_is_on_its_own(client: HttpSession) -> None:
    first = client.cookies
    first.set("a", "1")
    client.cookies = RequestsCookieJar()
    assert (type(first), first.get_dict()) == (RequestsCookieJar, {"a": "1"})
    first.set("b", "2")
    assert sent(client) == {}
    client.cookies = first
    assert (type(first), sent(client)) == (SessionCookies, {"a": "1", "b": "2"})


def test_sessions_may_share_a_jar(client: HttpSession, reports: Reports, echo: Echo) -> None:
    other = reports.http(echo.url)
    other.cookies = client.cookies
    other.get("/cookies/set?a=1")
    client.cookies.set("b", "2")
    assert sent(client) == sent(other) == {"a": "1", "b": "2"}
    other.cookies = {}  # type: ignore[assignment]
    assert (sent(client), sent(other)) == ({"a": "1", "b": "2"}, {})


@pytest.mark.parametrize("base", [True, False])
def test_a_cookie_that_has_expired_is_not_sent(client: HttpSession, echo: Echo, base: bool) -> None:
    client.cookies.set("old", "1", expires=1)
    assert sent(client, echo.url if base else "") == {}


def test_a_jar_of_a_file_can_be_saved(client: HttpSession, tmp_path: Path) -> None:
    jar = LWPCookieJar(str(tmp_path / "cookies"))
    client.cookies = jar  # type: ignore[assignment]
    client.get("/cookies/set?a=1")
    jar.save(ignore_discard=True)
    loaded = LWPCookieJar()
    loaded.load(str(tmp_path / "cookies"), ignore_discard=True)
    assert [(cookie.name, cookie.value) for cookie in loaded] == [("a", "1")]


def test_the_default_policy_may_come_back(client: HttpSession) -> None:
    client.cookies.set_policy(blocking())
    assert client._long_way_only
    client.get("/cookies/set?a=1")
    client.cookies.set_policy(DefaultCookiePolicy())
    assert not client._long_way_only
    client.get("/cookies/set?b=1")
    assert sent(client) == {"b": "1"}


@pytest.mark.parametrize("twin_of", [copy.copy, copy.deepcopy, lambda jar: pickle.loads(pickle.dumps(jar))])
def test_a_copy_is_a_jar_on_its_own(client: HttpSession, twin_of: Any) -> None:
    client.get("/cookies/set?a=1")
    twin = twin_of(client.cookies)
    assert (type(twin), twin.get_dict()) == (RequestsCookieJar, {"a": "1"})
    twin.set("b", "2")
    twin.clear("127.0.0.1", "/cookies", "a")
    assert sent(client) == {"a": "1"}
    assert client.cookies.copy().get_policy() is client.cookies._policy


def test_it_is_looked_through_as_any_jar(client: HttpSession) -> None:
    client.get("/cookies/set?a=1&b=2")
    jar = client.cookies
    assert (sorted(jar.keys()), sorted(jar.values()), sorted(jar.items())) == (
        *(["a", "b"], ["1", "2"]),
        [("a", "1"), ("b", "2")],
    )
    assert (jar.list_domains(), jar.list_paths()) == (["127.0.0.1"], ["/cookies"])
    assert (jar.get("c", "none"), jar.pop("a"), "a" in jar) == ("none", "1", False)
    with pytest.raises(KeyError):
        jar["a"]
    jar.clear_session_cookies()
    assert len(jar) == 0
