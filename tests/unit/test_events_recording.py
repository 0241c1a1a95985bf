"""Samples that Python code fires are recorded, once, before any listener is called."""

from __future__ import annotations

import enum
import types
from collections.abc import Callable
from typing import Any

import pytest

import locust_c.log
from locust_c import _core
from locust_c.event import EventHook, Events
from locust_c.exception import StopUser

SAMPLE = {"request_type": "GET", "name": "/x", "response_time": 12.5, "response_length": 100}


class Entries(dict[tuple[str, str], _core.StatsCounters]):
    def __missing__(self, key: tuple[str, str]) -> _core.StatsCounters:
        self[key] = _core.StatsCounters()
        return self[key]


class Table:
    """A StatsTable with what it counts."""

    def __init__(self) -> None:
        self.entries = Entries()
        self.total = _core.StatsCounters()
        self.errors: list[tuple[str, str, Any]] = []
        self.table = _core.StatsTable(self.entries, self.total, self.find_error)

    def find_error(self, method: str, name: str, error: Any, text: str) -> _core.StatsErrorCount:
        self.errors.append((method, name, error))
        return _core.StatsErrorCount()

    def counts(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Per (name, method): requests and failures."""
        return {key: (entry.num_requests, entry.num_failures) for key, entry in self.entries.items()}


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The module that holds the flag of exceptions that nobody handled, not raised yet."""
    monkeypatch.setattr(locust_c.log, "unhandled_greenlet_exception", False)
    return locust_c.log


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def events(table: Table) -> Events:
    events = Events()
    events.request.add_recorder(table.table)
    return events


def test_a_fired_request_is_recorded_without_any_listener(events: Events, table: Table) -> None:
    events.request.fire(**SAMPLE)
    events.request.fire(**SAMPLE, exception=RuntimeError("broken"), context={}, response=None)
    assert table.counts() == {("/x", "GET"): (2, 1)}
    assert table.total.total_content_length == 200
    assert table.total.total_response_time == 25
    assert [(method, name, str(error)) for method, name, error in table.errors] == [("GET", "/x", "broken")]


def test_the_sample_is_recorded_before_the_listeners_and_once(events: Events, table: Table) -> None:
    seen = []
    events.request_success += lambda **kw: seen.append(table.total.num_requests)
    events.request += lambda **kw: seen.append(table.total.num_requests)
    events.request += lambda **kw: seen.append(table.total.num_requests)
    events.request.fire(**SAMPLE)
    assert seen == [1, 1, 1] and table.total.num_requests == 1


@pytest.mark.parametrize("exception", [RuntimeError("broken"), StopUser()])
def test_a_raising_listener_does_not_lose_the_sample(
    exception: Exception, events: Events, table: Table, log: types.ModuleType
) -> None:
    @events.request.add_listener
    def failing(**kwargs: Any) -> None:
        raise exception

    if isinstance(exception, StopUser):
        with pytest.raises(StopUser):
            events.request.fire(**SAMPLE)
    else:
        events.request.fire(**SAMPLE)
    assert table.total.num_requests == 1


def test_every_recorder_gets_the_sample_until_it_is_removed(events: Events, table: Table) -> None:
    second = Table()
    events.request.add_recorder(second.table)
    events.request.fire(**SAMPLE)
    events.request.remove_recorder(table.table)
    events.request.fire(**SAMPLE)
    events.request.remove_recorder(second.table)
    events.request.fire(**SAMPLE)
    assert (table.total.num_requests, second.total.num_requests) == (1, 2)
    with pytest.raises(ValueError):
        events.request.remove_recorder(table.table)


@pytest.mark.parametrize("missing", list(SAMPLE))
def test_a_request_without_its_values_is_logged_and_the_listeners_hear_of_it(
    missing: str,
    events: Events,
    table: Table,
    caplog: pytest.LogCaptureFixture,
    log: types.ModuleType,
) -> None:
    seen: list[Any] = []
    events.request += lambda **kw: seen.append(kw)
    sample = {name: value for name, value in SAMPLE.items() if name != missing}
    events.request.fire(**sample)
    assert seen == [sample] and table.counts() == {}
    (record,) = caplog.records
    assert record.message.startswith("Uncaught exception in event handler: \n")
    assert f"{missing} is missing" in record.message
    assert log.unhandled_greenlet_exception


@pytest.mark.parametrize(
    "bad", [{"response_time": "fast"}, {"response_length": "long"}, {"response_length": float("nan")}]
)
def test_values_of_the_wrong_type_are_logged(
    bad: dict[str, Any],
    events: Events,
    table: Table,
    caplog: pytest.LogCaptureFixture,
    log: types.ModuleType,
) -> None:
    events.request.fire(**SAMPLE | bad)
    assert table.counts() == {} and len(caplog.records) == 1 and log.unhandled_greenlet_exception


def test_a_request_may_have_no_time_and_no_length(events: Events, table: Table) -> None:
    events.request.fire(request_type="WS", name="sent", response_time=None, response_length=None)
    assert (table.total.num_requests, table.total.num_none_requests) == (1, 1)


def test_an_exception_that_is_false_is_none(events: Events, table: Table) -> None:
    events.request.fire(**SAMPLE, exception="")
    events.request.fire(**SAMPLE, exception="text")
    assert table.counts() == {("/x", "GET"): (2, 1)}


def test_names_are_recorded_as_text(events: Events, table: Table) -> None:
    class Method(str, enum.Enum):  # noqa: UP042 - the kind whose str() is not its value
        GET = "GET"

    events.request.fire(**SAMPLE | {"request_type": Method.GET, "name": 17})
    assert table.counts() == {("17", "GET"): (1, 0)}


def test_measure_records_a_sample(events: Events, table: Table) -> None:
    with events.request.measure("GRPC", "call", response_length=5):
        raise RuntimeError("no answer")
    assert table.counts() == {("call", "GRPC"): (1, 1)}
    assert table.total.total_content_length == 5


BROKEN = RuntimeError("broken")


@pytest.mark.parametrize(
    "fire, key, failures, length",
    [
        (lambda e: e.request_success.fire(**SAMPLE), ("/x", "GET"), 0, 100),
        (lambda e: e.request_success.fire("GET", "/x", 12, 77), ("/x", "GET"), 0, 77),
        (
            lambda e: e.request_success.fire("GET", "/x", 12, types.SimpleNamespace(data="abc")),
            ("/x", "GET"),
            0,
            3,
        ),
        (lambda e: e.request_success.fire("/x", 12, object()), ("/x", ""), 0, 0),
        (lambda e: e.request_failure.fire(**SAMPLE, exception=BROKEN), ("/x", "GET"), 1, 100),
        (
            lambda e: e.request_failure.fire(
                request_type="XMPP", name="send", response_time=3, exception=BROKEN
            ),
            ("send", "XMPP"),
            1,
            0,
        ),
        (lambda e: e.request_failure.fire("GET", "/x", 12, BROKEN, None), ("/x", "GET"), 1, 0),
        (lambda e: e.request_failure.fire("/x", 12, BROKEN, response=None), ("/x", ""), 1, 0),
        (lambda e: e.request_failure.fire(**SAMPLE), ("/x", "GET"), 1, 100),
    ],
)
def test_what_old_clients_fire_is_recorded_once_and_first(
    fire: Callable[[Events], None],
    key: tuple[str, str],
    failures: int,
    length: int,
    events: Events,
    table: Table,
) -> None:
    seen = []
    for hook in (events.request_success, events.request_failure):
        hook.add_listener(lambda **kw: seen.append(table.total.num_requests))
    fire(events)
    assert seen == [1]
    assert table.counts() == {key: (1, failures)}
    assert table.total.total_content_length == length


def test_a_hook_without_recorder_asks_for_no_values(caplog: pytest.LogCaptureFixture) -> None:
    events = Events()
    events.request.fire(anything=1)
    events.request_success.fire(anything=1)
    assert caplog.records == []


def test_a_replaced_fire_is_called_instead(events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(events.request, "fire", lambda **kw: seen.append(kw))
    events.request.fire(name="/x")
    assert seen == [{"name": "/x"}]


def test_a_subclass_may_replace_fire_and_call_ours(table: Table) -> None:
    class Doubling(EventHook):
        def fire(self, *, reverse: bool = False, **kwargs: Any) -> None:
            super().fire(reverse=reverse, **kwargs)
            super().fire(reverse=reverse, **kwargs)

    hook = Doubling()
    hook.add_recorder(table.table)
    hook.fire(**SAMPLE)
    assert table.total.num_requests == 2
