"""Many requests of one user at once: each gets its own answer, cookies and sample, whoever is killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import gevent
import gevent.pool
import pytest
from reported import Reports
from servers.control import Echo

from locust_c import FastHttpUser, HttpUser, hub, task
from locust_c.exception import StopUser

COUNT = 120
AT_ONCE = 24


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture(params=["http", "fast"])
def client(request: pytest.FixtureRequest, reports: Reports, echo: Echo) -> Any:
    return getattr(reports, request.param)(echo.url)


def read(response: Any) -> Any:
    with response:
        return response.json()


# Each asks in a way of its own, and says what the server must have been asked.
KINDS: list[Callable[[Any, int], tuple[Any, str]]] = [
    lambda client, n: (client.get(f"/anything/{n}", name="get").json(), ""),
    lambda client, n: (client.post(f"/anything/{n}", json=[n], name="json").json(), f"[{n}]"),
    lambda client, n: (client.put(f"/anything/{n}", f"text {n}", name="text").json(), f"text {n}"),
    lambda client, n: (client.get("/anything", params={"n": n}, name="params").json(), ""),
    lambda client, n: (read(client.get(f"/anything/{n}", catch_response=True, name="block")), ""),
    lambda client, n: (client.get(f"/chunked?n={n}", stream=True, name="stream").json(), ""),
    lambda client, n: (client.get(f"/gzip?n={n}", name="gzip", headers={"X-N": str(n)}).json(), ""),
    lambda client, n: (client.post(f"/anything/{n}", data=iter([b"%d" % n]), name="pieces").json(), f"{n}"),
    lambda client, n: (client.get(f"/redirect-to?url=/anything/{n}", name="redirect").json(), ""),
    lambda client, n: (client.get(f"/delay/1?n={n}", name="delay").json(), ""),
]


def ask(client: Any, number: int) -> None:
    seen, body = KINDS[number % len(KINDS)](client, number)
    assert str(number) in seen["target"]
    assert seen["body"] == body


def test_every_request_gets_its_own_answer(client: Any, reports: Reports) -> None:
    pool = gevent.pool.Pool(AT_ONCE)
    greenlets = [pool.spawn(ask, client, number) for number in range(COUNT)]
    gevent.joinall(greenlets, timeout=20, raise_error=True)
    assert Counter(event["name"] for event in reports.events) == Counter(
        {name: COUNT // len(KINDS) for name in {event["name"] for event in reports.events}}
    )
    assert len({event["name"] for event in reports.events}) == len(KINDS)
    assert (reports.environment.stats.total.num_requests, reports.exceptions) == (COUNT, [""] * COUNT)
    for entry in reports.environment.stats.entries.values():
        assert (entry.num_requests, sum(entry.response_times.values())) == (COUNT // len(KINDS),) * 2


def test_cookies_of_requests_at_the_same_time_are_all_kept(client: Any) -> None:
    def login(number: int) -> None:
        # The redirect that sets it leads to a page that shows it, among the others' by then.
        assert [f"c{number}", str(number)] in client.get(f"/cookies/set?c{number}={number}").json()

    gevent.joinall([gevent.spawn(login, number) for number in range(40)], timeout=20, raise_error=True)
    expected = {f"c{number}": str(number) for number in range(40)}
    assert dict(client.get("/cookies").json()) == expected
    jar = client.cookiejar if hasattr(client, "cookiejar") else client.cookies
    assert {cookie.name: cookie.value for cookie in jar} == expected


def test_names_are_those_of_each_request(client: Any, reports: Reports, echo: Echo) -> None:
    def fail(number: int) -> None:
        client.get(f"/status/{500 + number % 3}", name=f"bad {number}")

    gevent.joinall([gevent.spawn(fail, number) for number in range(30)], timeout=20, raise_error=True)
    errors = reports.environment.stats.errors.values()
    assert sorted((error.name, error.occurrences) for error in errors) == sorted(
        (f"bad {number}", 1) for number in range(30)
    )
    for error in errors:
        assert str(500 + int(error.name.split()[1]) % 3) in str(error.error)


def test_killing_some_leaves_the_others_alone(client: Any, reports: Reports) -> None:
    before = hub.get_engine().counts()["operations"]

    def wait(number: int) -> None:
        client.get(f"/delay/20000?n={number}", name="killed")

    def read_half(number: int) -> None:
        response = client.get(f"/bytes/{1_000_000 + number}", stream=True, name="half")
        next(response.iter_content(1000))
        client.get(f"/delay/20000?n={number}", name="killed")

    asking = gevent.pool.Group()
    victims = [gevent.spawn((wait, read_half)[number % 2], number) for number in range(10)]
    for number in range(40):
        asking.start(gevent.Greenlet(ask, client, number))
    while sum(event["name"] == "half" for event in reports.events) < 5:
        hub.sleep(0.001)
    gevent.killall(victims)
    assert asking.join(timeout=20)
    for number in range(40, 80):
        asking.start(gevent.Greenlet(ask, client, number))
    asking.join(timeout=20, raise_error=True)
    seen = Counter(event["name"] for event in reports.events)
    assert (seen["half"], seen["killed"], sum(seen.values())) == (5, 0, 85)
    assert reports.environment.stats.total.num_requests == 85
    assert (reports.exceptions, hub.get_engine().counts()["operations"]) == ([""] * 85, before)


@pytest.mark.parametrize("user_class", [HttpUser, FastHttpUser])
def test_a_task_may_wait_for_several_requests(reports: Reports, echo: Echo, user_class: Any) -> None:
    answers: list[Any] = []

    class Browser(user_class):  # type: ignore[misc]
        host = echo.url

        @task
        def page(self) -> None:
            pool = gevent.pool.Pool(4)
            urls = [f"/anything/{number}" for number in range(12)]
            answers.extend(pool.map(lambda url: self.client.get(url, name="parts").json()["target"], urls))
            late = gevent.spawn(self.client.get, "/delay/20000", name="late")
            gevent.sleep(0.005)
            late.kill()
            raise StopUser

    runner = reports.environment.runner
    assert runner is not None
    runner.environment.user_classes = [Browser]
    runner.spawn_users({"Browser": 1}, wait=True)
    runner.user_greenlets.join(timeout=10)
    runner.quit()
    assert answers == [f"/anything/{number}" for number in range(12)]
    assert reports.names == [("GET", "parts")] * 12
