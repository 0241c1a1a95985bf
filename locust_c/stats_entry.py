"""The figures of one (method, name), on counters that are kept in C.

What needs one of the constants of ``locust_c.stats`` is added there, by ``StatsEntry``.
"""

from __future__ import annotations

import copy
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from . import _core
from .stats_dicts import CountTable, StatsBaseDict
from .stats_phases import Phase, phases_of
from .stats_times import bucket_response_time, calculate_response_time_percentile, diff_response_time_dicts

if TYPE_CHECKING:
    from .stats import RequestStats

__all__ = ["CachedResponseTimes", "EntryFigures", "StatsEntryDict", "current_seconds"]

# "Current" figures leave out the last two seconds, which are not complete, and take the ten before.
_CURRENT_FROM = 12
_CURRENT_TO = 2


def current_seconds(last: float | None, start: float | None) -> tuple[int, int] | None:
    """The epoch seconds, first and end, that "current" figures are taken from; None without a request.

    ``last`` and ``start`` are when the run's last request ended, and when counting began.
    """
    if last is None:
        return None
    return max(int(last) - _CURRENT_FROM, int(start or 0)), int(last) - _CURRENT_TO


class CachedResponseTimes(NamedTuple):
    """What an entry had counted at the end of a second."""

    response_times: Mapping[int, int]
    num_requests: int
    num_none_requests: int


class StatsEntryDict(StatsBaseDict):
    """An entry as it is sent to the master and written to JSON."""

    last_request_timestamp: float | None
    start_time: float
    num_requests: int
    num_none_requests: int
    num_failures: int
    total_response_time: float
    max_response_time: float
    min_response_time: float | None
    total_content_length: int
    response_times: dict[int, int]
    num_reqs_per_sec: dict[int, int]
    num_fail_per_sec: dict[int, int]


class ResponseTimesCache(OrderedDict[int, CachedResponseTimes]):
    """A copy of the cached seconds; what is written to it is kept for the entry's current percentiles."""

    def __init__(self, kept: dict[int, CachedResponseTimes]) -> None:
        super().__init__()
        self._kept = kept

    def __setitem__(self, key: int, value: CachedResponseTimes) -> None:
        super().__setitem__(key, value)
        self._kept[key] = value


class EntryFigures(_core.StatsCounters):
    """Tables and derived figures of an entry; counts, sums, extremes and times are the C type's."""

    stats: RequestStats
    name: str
    method: str
    # Counts under keys that are no bucket of Locust's; set by users and foreign workers, so mostly absent.
    _odd_times: dict[int, int] | None = None
    # Seconds that a user put into response_times_cache.
    _kept_seconds: dict[int, CachedResponseTimes] | None = None
    # What a user assigned to use_response_times_cache.
    _use_cache: bool | None = None

    def _replaced_bucket(self) -> Callable[[float], int] | None:
        """The function that users put in place of ``bucket_response_time``, if they did."""
        return None

    @property
    def use_response_times_cache(self) -> bool:
        """True if current percentiles can be calculated: from when the entry was made, or not at all."""
        return self.has_window if self._use_cache is None else self._use_cache

    @use_response_times_cache.setter
    def use_response_times_cache(self, use: bool) -> None:
        self._use_cache = bool(use)

    @property
    def response_times(self) -> dict[int, int]:
        """Rounded response times, ``{milliseconds: count}``; may be assigned to and written into."""
        return CountTable(self._set_response_times, self._response_times())

    @response_times.setter
    def response_times(self, response_times: Mapping[int, int]) -> None:
        self._set_response_times(response_times)

    def _response_times(self) -> dict[int, int]:
        bucket = self._replaced_bucket()
        if bucket is not None:
            times: dict[int, int] = {}
            for low, high, count in self.histogram():
                key = bucket((low + high) / 2)
                times[key] = times.get(key, 0) + count
            return times
        times = self.rounded()
        for key, count in (self._odd_times or {}).items():
            times[bucket_response_time(key)] -= count
            times[key] = count
        return {key: count for key, count in times.items() if count}

    def _set_response_times(self, response_times: Mapping[int, int]) -> None:
        self.clear_times()
        self._odd_times = None
        for key, count in response_times.items():
            self.add_times(key, count)
            if bucket_response_time(key) != key:
                self._odd_times = {**(self._odd_times or {}), key: count}

    @property
    def num_reqs_per_sec(self) -> dict[int, int]:
        """Requests in each of the last 4,096 seconds, ``{epoch second: count}``; may be assigned to."""
        return CountTable(self._set_requests_per_second, {s: n for s, n, _ in self.seconds() if n})

    @num_reqs_per_sec.setter
    def num_reqs_per_sec(self, requests: Mapping[int, int]) -> None:
        self._set_requests_per_second(requests)

    def _set_requests_per_second(self, requests: Mapping[int, int]) -> None:
        failures = {second: count for second, _, count in self.seconds()}
        self.set_seconds(
            [(s, requests.get(s, 0), failures.get(s, 0)) for s in sorted({*requests, *failures})]
        )

    @property
    def num_fail_per_sec(self) -> dict[int, int]:
        """Failures in each of the last 4,096 seconds, ``{epoch second: count}``; may be assigned to."""
        return CountTable(self._set_failures_per_second, {s: n for s, _, n in self.seconds() if n})

    @num_fail_per_sec.setter
    def num_fail_per_sec(self, failures: Mapping[int, int]) -> None:
        self._set_failures_per_second(failures)

    def _set_failures_per_second(self, failures: Mapping[int, int]) -> None:
        requests = {second: count for second, count, _ in self.seconds()}
        self.set_seconds(
            [(s, requests.get(s, 0), failures.get(s, 0)) for s in sorted({*requests, *failures})]
        )

    @property
    def response_times_cache(self) -> ResponseTimesCache | None:
        """What had been counted at the end of the last 20 seconds with requests, by epoch second."""
        if not self.use_response_times_cache:
            return None
        if self._kept_seconds is None:
            self._kept_seconds = {}
        cache = ResponseTimesCache(self._kept_seconds)
        now = self.rounded()
        for key, num_requests, num_none_requests in self.intervals():
            until = diff_response_time_dicts(now, self.interval_times(key))
            # Counts that somebody wrote do not agree with the intervals.
            until = {time_ms: count for time_ms, count in until.items() if count > 0}
            OrderedDict.__setitem__(cache, key, CachedResponseTimes(until, num_requests, num_none_requests))
        for key, cached in self._kept_seconds.items():
            OrderedDict.__setitem__(cache, key, cached)
        return cache

    @response_times_cache.setter
    def response_times_cache(self, seconds: Mapping[int, CachedResponseTimes] | None) -> None:
        # What is counted by second stays; an entry whose cache is None is one that does not use it.
        self._use_cache = seconds is not None
        self._kept_seconds = dict(seconds or {})

    def log(self, response_time: float | None, content_length: int) -> None:
        """Count a request, in this entry only: its time in ms or None, its length in bytes."""
        self.record(response_time, content_length, time.time())

    def log_error(self, error: Exception | str | None) -> None:
        """Count a failure, in this entry only."""
        self.record_failure(time.time())

    def reset(self) -> None:
        """Start from zero."""
        self.reset_counters(time.time())
        self._odd_times = None
        self._kept_seconds = None

    def extend(self, other: EntryFigures) -> None:
        """Add what another entry has counted."""
        self.merge(other)
        for key, count in (other._odd_times or {}).items():
            odd = self._odd_times or {}
            self._odd_times = {**odd, key: odd.get(key, 0) + count}

    def __copy__(self) -> Self:
        make: Callable[..., Self] = type(self)
        twin = make(self.stats, self.name, self.method, self.use_response_times_cache)
        twin.extend(self)
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        twin = copy.copy(self)
        memo[id(self)] = twin
        twin.stats = copy.deepcopy(self.stats, memo)
        return twin

    @property
    def phases(self) -> Mapping[str, Phase]:
        """How long the phases of the engine's requests took: lookup, connect, tls, send, wait, receive, lag.

        Each has ``count`` and ``quantile(p)`` in ms. A phase that did not happen (a kept connection needs no
        lookup, connect and tls) is not counted; events fired by other clients have none.
        """
        return phases_of(self)

    @property
    def generator_lag(self) -> Phase:
        """``phases["lag"]``: how much later than its response's arrival each task ran on.

        No part of the response time: what it shows is that the load generator itself was busy.
        """
        return self.phases["lag"]

    @property
    def fail_ratio(self) -> float:
        """Failures per request, 0..1; 1 if there are failures and no requests."""
        if self.num_requests == 0:
            return 1.0 if self.num_failures else 0.0
        return self.num_failures / self.num_requests

    @property
    def _num_timed(self) -> int:
        return self.num_requests - self.num_none_requests

    @property
    def avg_response_time(self) -> float:
        """Mean response time in ms of the requests that have one; 0 without."""
        return self.total_response_time / self._num_timed if self._num_timed else 0.0

    @property
    def median_response_time(self) -> float:
        """The rounded median in ms, but not outside the shortest and the longest response time."""
        if not self._num_timed:
            return 0
        median = self.get_response_time_percentile(0.5)
        shortest = self.min_response_time if self.min_response_time is not None else median
        return min(max(median, shortest), self.max_response_time)

    @property
    def avg_content_length(self) -> float:
        """Mean response length in bytes; 0 without requests."""
        return self.total_content_length / self.num_requests if self.num_requests else 0

    def current_rates(self, seconds: tuple[int, int] | None) -> tuple[float, float]:
        """Requests and failures per second in :func:`current_seconds`."""
        if seconds is None:
            return 0, 0
        first, end = seconds
        if end <= first:
            return 0.0, 0.0
        requests, failures = self.counts_between(first, end)
        return requests / (end - first), failures / (end - first)

    def _current(self) -> tuple[float, float]:
        return self.current_rates(current_seconds(self.stats.last_request_timestamp, self.stats.start_time))

    @property
    def current_rps(self) -> float:
        """Requests per second over the ten seconds that ended two seconds before the run's last request."""
        return self._current()[0]

    @property
    def current_fail_per_sec(self) -> float:
        """Failures per second over the same seconds as :attr:`current_rps`."""
        return self._current()[1]

    def _per_second_of_run(self, count: int) -> float:
        last, start = self.stats.last_request_timestamp, self.stats.start_time
        if not last or not start or last == start:
            return 0.0
        return count / (last - start)

    @property
    def total_rps(self) -> float:
        """Requests per second from the start of the statistics to the run's last request."""
        return self._per_second_of_run(self.num_requests)

    @property
    def total_fail_per_sec(self) -> float:
        """Failures per second over the same time as :attr:`total_rps`."""
        return self._per_second_of_run(self.num_failures)

    def get_response_time_percentile(self, percent: float) -> int:
        """The rounded response time in ms that a share ``percent`` (0..1) of the requests does not exceed."""
        if self._odd_times is None and self._replaced_bucket() is None:
            return self.rounded_percentile(percent)
        return calculate_response_time_percentile(self._response_times(), self._num_timed, percent)

    def _percentiles_since(self, begin: int, percents: Sequence[float]) -> list[int | None]:
        """Percentiles of what came after the cached second that is nearest to ``begin``; None without one."""
        for second in [begin, *[begin + side * i for i in range(1, 9) for side in (-1, 1)]]:
            if self._percentile_since(second, 1.0) is not None:
                return [self._percentile_since(second, share) for share in percents]
        return [None] * len(percents)

    def _percentile_since(self, second: int, percent: float) -> int | None:
        """The percentile of what came after the end of a cached second; None if it is not cached."""
        bucket = self._replaced_bucket()
        kept = self._kept_seconds or {}
        if bucket is None and self._odd_times is None and second not in kept:
            return self.rounded_percentile_since(second, percent)
        cache = self.response_times_cache
        cached = cache.get(second) if cache is not None else None
        if cached is None:
            return None
        times = self.rounded() if bucket else self._response_times()
        times = diff_response_time_dicts(times, cached.response_times)
        if bucket:
            rounded, times = times, {}
            for key, count in rounded.items():
                times[bucket(key)] = times.get(bucket(key), 0) + count
        timed = self._num_timed - (cached.num_requests - cached.num_none_requests)
        return calculate_response_time_percentile(times, timed, percent)

    def serialize(self) -> StatsEntryDict:
        """A dict of plain values: the form in which workers send entries (Locust's own)."""
        return {
            "name": self.name,
            "method": self.method,
            "last_request_timestamp": self.last_request_timestamp,
            "start_time": self.start_time,
            "num_requests": self.num_requests,
            "num_none_requests": self.num_none_requests,
            "num_failures": self.num_failures,
            "total_response_time": self.total_response_time,
            "max_response_time": self.max_response_time,
            "min_response_time": self.min_response_time,
            "total_content_length": self.total_content_length,
            "response_times": self._response_times(),
            "num_reqs_per_sec": {second: n for second, n, _ in self.seconds() if n},
            "num_fail_per_sec": {second: n for second, _, n in self.seconds() if n},
        }

    def get_stripped_report(self) -> StatsEntryDict:
        """:meth:`serialize`, then :meth:`reset`: what has not been reported yet."""
        report = self.serialize()
        self.reset()
        return report

    def _fill(self, data: Mapping[str, Any]) -> None:
        """Takes over what :meth:`serialize` gave; unknown keys are ignored, missing ones stay at zero."""
        for key in StatsEntryDict.__annotations__:
            if key in data and key not in ("name", "method"):
                setattr(self, key, data[key])
