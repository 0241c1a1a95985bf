"""Times and durations in words."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["format_duration", "format_safe_timestamp", "format_utc_timestamp"]

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def format_utc_timestamp(unix_timestamp: float) -> str:
    """Epoch seconds as ``YYYY-MM-DDTHH:MM:SSZ``."""
    return datetime.fromtimestamp(unix_timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_safe_timestamp(unix_timestamp: float) -> str:
    """Epoch seconds as ``YYYY-MM-DD-HHhMM`` in local time, for names of files."""
    return datetime.fromtimestamp(unix_timestamp).strftime("%Y-%m-%d-%Hh%M")


def format_duration(start_time: float, end_time: float) -> str:
    """The whole seconds between two times in words, such as ``1 minute and 5 seconds``."""
    rest = max(0, int(end_time - start_time))
    words = []
    for unit, seconds in _UNITS:
        count, rest = divmod(rest, seconds)
        if count:
            words.append(f"{count} {unit}{'s' if count > 1 else ''}")
    if len(words) > 1:
        words[-2:] = [f"{words[-2]} and {words[-1]}"]
    return ", ".join(words) or "0 seconds"
