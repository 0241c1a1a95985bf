"""catch_response=True, success() and failure(): the same rules for both clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from reported import Reports, in_block, raising
from servers.control import Echo

from locust_c.exception import (
    CatchResponseError,
    InterruptTaskSet,
    LocustError,
    RescheduleTask,
    ResponseError,
    StopUser,
)


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture(params=["http", "fast"])
def open_client(request: pytest.FixtureRequest, reports: Reports) -> Callable[..., Any]:
    return getattr(reports, request.param)  # type: ignore[no-any-return]


@pytest.fixture
def client(open_client: Callable[..., Any], echo: Echo) -> Any:
    return open_client(echo.url)


def bad_status(client: Any, name: str) -> str:
    """How a 404 is reported."""
    if type(client).__name__ == "FastHttpSession":
        return "LocustBadStatusCode(code=404)"
    return f"HTTPError('404 Client Error: Not Found for url: {name}')"


def test_nothing_is_reported_before_the_block_ends(client: Any, reports: Reports) -> None:
    with client.get("/anything", catch_response=True) as response:
        assert response.status_code == 200
        assert reports.events == []
    assert reports.names == [("GET", "/anything")]
    assert reports.exceptions == [""]
    assert reports.last["response"] is response


def test_without_a_verdict_the_status_decides(client: Any, reports: Reports) -> None:
    response = in_block(client.get("/status/404", catch_response=True))
    assert reports.exceptions == [bad_status(client, "/status/404")]
    assert response.status_code == 404


def test_success_counts_whatever_the_status(client: Any, reports: Reports) -> None:
    in_block(client.get("/status/404", catch_response=True), lambda response: response.success())
    assert reports.exceptions == [""]


@pytest.mark.parametrize(
    ("verdict", "reported"),
    [
        ("too slow", "CatchResponseError('too slow')"),
        (ValueError("x"), "ValueError('x')"),
        (None, "CatchResponseError(None)"),
        ({"a": 1}, "CatchResponseError({'a': 1})"),
    ],
)
def test_failure_takes_a_text_or_an_exception(
    client: Any, reports: Reports, verdict: object, reported: str
) -> None:
    in_block(client.get("/anything", catch_response=True), lambda response: response.failure(verdict))
    assert reports.exceptions == [reported]


def test_the_last_verdict_counts(client: Any, reports: Reports) -> None:
    def doubtful(response: Any) -> None:
        response.success()
        response.failure("no")

    def forgiving(response: Any) -> None:
        response.failure("no")
        response.success()

    in_block(client.get("/anything", catch_response=True), doubtful)
    in_block(client.get("/anything", catch_response=True), forgiving)
    assert reports.exceptions == ["CatchResponseError('no')", ""]


@pytest.mark.parametrize(
    "kind",
    [KeyError, CatchResponseError, AssertionError, StopUser, InterruptTaskSet, RescheduleTask],
)
def test_an_exception_passes_on_and_nothing_is_reported(
    client: Any, reports: Reports, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        in_block(client.get("/anything", catch_response=True), raising(kind("x")))
    assert reports.events == []


def test_a_response_error_is_a_failure_and_ends_with_the_block(client: Any, reports: Reports) -> None:
    in_block(client.get("/anything", catch_response=True), raising(ResponseError("wrong answer")))
    assert reports.exceptions == ["ResponseError('wrong answer')"]


@pytest.mark.parametrize("kind", [KeyError, ResponseError])
def test_after_a_verdict_every_exception_passes_on_and_the_verdict_is_reported(
    client: Any, reports: Reports, kind: type[Exception]
) -> None:
    def succeed(response: Any) -> None:
        response.success()
        raise kind("x")

    with pytest.raises(kind):
        in_block(client.get("/status/404", catch_response=True), succeed)
    assert reports.exceptions == [""]


def test_the_sample_can_be_renamed_in_the_block(client: Any, reports: Reports) -> None:
    in_block(
        client.get("/status/404", catch_response=True),
        lambda response: response.request_meta.update(name="renamed"),
    )
    assert reports.names == [("GET", "renamed")]
    assert reports.exceptions == [bad_status(client, "renamed")]
    entry = reports.environment.stats.get("renamed", "GET")
    assert (entry.num_requests, entry.num_failures) == (1, 1)


def test_the_context_can_be_added_to_in_the_block(client: Any, reports: Reports) -> None:
    in_block(
        client.get("/anything", catch_response=True, context={"given": 1}),
        lambda response: response.request_meta["context"].update(found=2),
    )
    assert reports.last["context"] == {"given": 1, "found": 2}


def test_the_response_time_can_be_replaced_in_the_block(client: Any, reports: Reports) -> None:
    in_block(
        client.get("/anything", catch_response=True),
        lambda response: response.request_meta.update(response_time=1234.5),
    )
    assert reports.last["response_time"] == 1234.5
    assert reports.environment.stats.total.max_response_time == 1234.5


def test_request_meta_has_what_the_event_brings(client: Any, reports: Reports) -> None:
    with client.post("/anything", json={"a": 1}, catch_response=True) as response:
        meta = dict(response.request_meta)
    assert meta == reports.last
    assert set(meta) == {
        *("request_type", "response_time", "name", "context", "response"),
        *("exception", "start_time", "url", "response_length"),
    }
    assert meta["response_length"] == len(response.content)


def test_raise_for_status_in_the_block_passes_on(client: Any, reports: Reports) -> None:
    with pytest.raises(Exception, match="404"):
        in_block(client.get("/status/404", catch_response=True), lambda response: response.raise_for_status())
    assert reports.events == []


def test_raise_for_status_knows_the_verdict(client: Any, reports: Reports) -> None:
    def fail(response: Any) -> None:
        response.failure("my reason")
        response.raise_for_status()

    def succeed(response: Any) -> None:
        response.success()
        response.raise_for_status()

    with pytest.raises(CatchResponseError, match="my reason"):
        in_block(client.get("/anything", catch_response=True), fail)
    in_block(client.get("/status/404", catch_response=True), succeed)
    assert reports.exceptions == ["CatchResponseError('my reason')", ""]


def test_a_request_that_got_no_response_can_be_judged(
    open_client: Callable[..., Any], reports: Reports, refused_url: str
) -> None:
    client = open_client(refused_url)
    response = in_block(client.get("/x", catch_response=True))
    assert (response.status_code, response.content) == (0, None)
    in_block(client.get("/x", catch_response=True), lambda response: response.success())
    in_block(client.get("/x", catch_response=True), lambda response: response.failure("down"))
    refused = "ConnectionRefusedError(111, 'Connection refused')"
    assert reports.exceptions == [refused, "", "CatchResponseError('down')"]


def test_a_redirected_request_is_one_sample(client: Any, reports: Reports, echo: Echo) -> None:
    response = in_block(client.get("/redirect/2", catch_response=True))
    assert reports.names == [("GET", "/redirect/2")]
    assert reports.last["url"] == f"{echo.url}/redirect/2"
    assert response.url == f"{echo.url}/anything"
    assert [step.status_code for step in response.history] == [302, 302]


def test_a_verdict_before_the_block_is_a_mistake(client: Any, reports: Reports) -> None:
    response = client.get("/anything", catch_response=True)
    with pytest.raises(LocustError, match=r"as response:\n    response\.success\(\)"):
        response.success()
    with pytest.raises(LocustError, match=r"as response:\n    response\.failure\(\.\.\.\)"):
        response.failure("x")
    assert reports.events == []


def test_a_verdict_without_catch_response_is_a_mistake(client: Any, reports: Reports) -> None:
    response = client.get("/anything")
    with pytest.raises(LocustError, match="catch_response=True"):
        response.success()
    with pytest.raises(LocustError, match="catch_response=True"):
        response.failure("x")
    assert reports.exceptions == [""]


def test_a_response_whose_block_is_never_entered_is_not_reported(client: Any, reports: Reports) -> None:
    assert client.get("/anything", catch_response=True).status_code == 200
    assert reports.events == []
