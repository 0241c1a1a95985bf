"""Fixtures that users of tests in pytest style share: when they are torn down."""

from __future__ import annotations

import gevent
from gevent.event import Event
from run_fixtures import PATIENCE_S

from locust_c.util.pytest_functions import SharedFixtures


def test_what_was_made_while_a_leaving_user_waited_stays() -> None:
    shared, go_on = SharedFixtures(), Event()
    torn_down: list[str] = []

    def leave_and_come_back() -> None:
        shared.leave()
        shared.enter()
        shared.get("fixture", lambda stack: stack.callback(torn_down.append, "second"))

    shared.enter()
    shared.get(
        "fixture", lambda stack: stack.callback(go_on.wait) and stack.callback(torn_down.append, "first")
    )
    first = gevent.spawn(leave_and_come_back)
    gevent.sleep(0)
    shared.enter()
    second = gevent.spawn(shared.leave)
    gevent.sleep(0)
    go_on.set()
    gevent.joinall([first, second], timeout=PATIENCE_S, raise_error=True)
    assert torn_down == ["first"]
    shared.leave()
    assert torn_down == ["first", "second"]
