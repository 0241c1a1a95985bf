"""Time spans as people type them."""

import pytest

from locust_c.util.timespan import LONGEST_S, TooLongError, parse_timespan


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20", 20),
        ("0", 0),
        ("20s", 20),
        ("3m", 180),
        ("2h", 7200),
        ("1h20m", 4800),
        ("3h30m10s", 12610),
        ("1h5s", 3605),
        (" 5m ", 300),
        ("878400h", LONGEST_S),
    ],
)
def test_time_spans_are_counted_in_seconds(text: str, seconds: int) -> None:
    assert parse_timespan(text) == seconds


@pytest.mark.parametrize("text", ["", " ", "q", "5x", "-5", "1.5", "10s5m", "m", "5 m", "٣"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Invalid time span format\. Valid formats: 20, 20s, 3m, 2h, "):
        parse_timespan(text)


@pytest.mark.parametrize("text", ["878400h1s", "3162240001", "9" * 400 + "h"])
def test_a_time_span_that_no_timer_can_wait_for_is_refused(text: str) -> None:
    with pytest.raises(TooLongError, match="The time span is too long: 100 years at most"):
        parse_timespan(text)
