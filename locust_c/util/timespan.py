"""Time spans as people type them on the command line and in the start form."""

from __future__ import annotations

import re

#: A century. Clocks and timers cannot add or wait for any number of seconds.
LONGEST_S = 100 * 366 * 24 * 3600

_PATTERN = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


class TooLongError(ValueError):
    """The time span is longer than :data:`LONGEST_S`."""


def parse_timespan(time_str: str) -> int:
    """Return the number of seconds that ``time_str`` stands for.

    ``"20"`` is seconds; ``"20s"``, ``"3m"``, ``"1h20m"`` and ``"3h30m10s"`` name their units, largest first
    (Locust's documented behaviour).

    :raises TooLongError: it is more than :data:`LONGEST_S`.
    :raises ValueError: the text has any other form.
    """
    text = time_str.strip()
    if text.isascii() and text.isdigit():
        text += "s"
    match = _PATTERN.fullmatch(text)
    if not text or match is None:
        raise ValueError("Invalid time span format. Valid formats: 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc.")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if total > LONGEST_S:
        raise TooLongError("The time span is too long: 100 years at most.")
    return total
