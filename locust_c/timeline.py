"""The course of the runs for charts: a point for each second, in columns, bounded.

A :class:`Timeline` is told now and then what has been counted so far, and keeps the difference to the time
before: users, requests and failures per second, percentiles, generator lag, and how many requests took how
long.

**Bounded.** At most ``MAX_POINTS`` are kept. When there are as many, neighbours are merged until a quarter of
the room is free: the older ones, into ever longer points of about one length, so that the whole course of a
run stays; the last ``RECENT`` keep their second each, for who watches. The counts of bins add up, so the
total of all points stays that of the run. Rates are means over the time of what was merged. Of the users the
last number holds. Percentiles are worked out again, from the bins, to 3 %: the greatest one would, merge by
merge, turn the median of a test with few requests into its maximum. Response times that were high for too
short a time to move them stay visible nevertheless: each of these requests keeps its band in the heat map. Of
the generator lag, which is there to warn, the greatest holds.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import ceil
from typing import Any

from . import _core
from .stats_turns import in_turns

__all__ = ["EDGES_MS", "Mark", "Point", "Timeline", "band_of"]

MAX_POINTS = 1800
RECENT = 300

#: Once points have been merged, so many are added before the next ones are: the epoch changes each time.
_ADDED_BETWEEN = 120

#: Runs whose points are kept, the one that goes on among them.
MAX_RUNS = 50

#: What a point of a whole run's chart should have, and how many seconds at most it takes for it.
ENOUGH_REQUESTS = 10
LONGEST_READABLE_S = 10

#: A last piece of a run that is shorter joins the point before it: the rate of an instant says nothing.
SHORTEST_S = 0.5

#: Merged points may be this much longer than planned, since seconds are not exact.
_TOLERANCE = 1.25

#: How much of the processor merging may take, 0..1.
_SHARE = 0.5

_LAG = _core.PHASES.index("lag")
_LAG_SHARE = 0.99

# The bands: two for each doubling from 64 us to 67 s. Their border is the bin nearest to its middle.
_FIRST_DOUBLING, _LAST_DOUBLING = 6, 25
_MIDDLE_OF_32 = 45
_LAST_BAND = 2 * (_LAST_DOUBLING - _FIRST_DOUBLING) + 1

#: The limits of the bands in ms, rising: band ``i`` is from ``EDGES_MS[i]`` to ``EDGES_MS[i + 1]``. What was
#: faster is in the first band, what was slower in the last.
EDGES_MS: Sequence[float] = tuple(
    (32, _MIDDLE_OF_32)[band % 2] * 2 ** (_FIRST_DOUBLING + band // 2) / 32_000
    for band in range(_LAST_BAND + 2)
)

_MOST_COUNTED = 2**32 - 1


def band_of(from_us: int) -> int:
    """The band of the bin that begins at ``from_us`` microseconds."""
    doubling = from_us.bit_length() - 1
    if doubling < _FIRST_DOUBLING:
        return 0
    upper_half = from_us * 32 >= _MIDDLE_OF_32 << doubling
    return min(2 * (doubling - _FIRST_DOUBLING) + upper_half, _LAST_BAND)


@dataclass
class Mark:
    """Something that happened: when (epoch seconds), and what, in words."""

    time: float
    text: str


@dataclass
class _Counted:
    """What statistics had counted at the time of the last point."""

    total: _core.StatsCounters | None
    start_time: float
    requests: int
    failures: int
    bins: Mapping[int, int]
    lag: Mapping[int, int]

    @classmethod
    def by(cls, total: _core.StatsCounters) -> _Counted:
        return cls(
            total,
            total.start_time,
            total.num_requests,
            total.num_failures,
            total.coarse_histogram(),
            total.phase_coarse_histogram(_LAG),
        )


@dataclass(frozen=True, slots=True)
class Point:
    """What happened in the ``seconds`` before ``time`` (epoch seconds); without users it is a gap."""

    time: float
    seconds: float = 0.0
    users: int | None = None
    #: Requests and failures per second.
    rps: float | None = None
    failures: float | None = None
    #: A percentile in ms for each share of the timeline.
    response_times: tuple[float | None, ...] = ()
    #: 99 % of the tasks went on not later than so many ms after their response had arrived.
    lag: float | None = None
    #: (from in us, count) in turn, rising.
    bins: array[int] = field(default_factory=lambda: array("I"))
    #: (band, count) in turn, rising.
    bands: tuple[int, ...] = ()


class Timeline:
    """The points of the last runs, in order. One writer; who reads may do so at any time."""

    def __init__(self, step_s: float = 1.0) -> None:
        #: Seconds from one point to the next, as long as they are not merged.
        self.step_s = step_s
        #: Shares (0..1) of the percentiles that the points have.
        self.percentiles: tuple[float, ...] = ()
        #: Another one whenever points were dropped or changed, also in another process.
        self.epoch = 0
        self.points: list[Point] = []
        self.marks: list[Mark] = []
        self._merged_s = step_s
        self._added = 0
        self._at = 0.0
        self._counted = _Counted(None, 0.0, 0, 0, {}, {})
        self._forget()

    def begin(self, total: _core.StatsCounters, now: float) -> float:
        """A run begins, of which ``total`` counts the requests; ``now``, here and below, are epoch seconds.

        Returns when it begins: not before the last point, even if the clock was set back. What was there
        before stays; :meth:`follow` is what notices that it was cleared.
        """
        if self.points:
            now = max(now, self.points[-1].time)
            self.points = [*self.points, Point(now)]
            self._drop_old_runs()
        self.marks.append(Mark(now, "Test started"))
        self._at = now
        self._counted = _Counted.by(total)
        return now

    def add(self, total: _core.StatsCounters, users: int, percentiles: Sequence[float], now: float) -> None:
        """Append what was counted since the last point. Other greenlets may run meanwhile."""
        point = self._measure(total, users, percentiles, now)  # which may begin a new list
        self.points.append(point)
        self._added += 1
        merges = self._added >= _ADDED_BETWEEN and self._merged_s > self.step_s
        if merges or len(self.points) >= MAX_POINTS:
            self._make_room()

    def end(self, total: _core.StatsCounters, users: int, percentiles: Sequence[float], now: float) -> None:
        """The run is over: append what was counted since the last point.

        ``users`` are those that there were before they were stopped. If there is a point of the run its
        number holds: it has counted those that took their time to stop.
        """
        run = self.last_run()
        last = self._measure(total, users if not run else run[-1].users or 0, percentiles, now)
        if last.seconds < SHORTEST_S and self.points and self.points[-1].users is not None:
            self.points[-1] = self._merged([self.points[-1], last])
            self._begin_epoch()
        else:
            self.points = [*self.points, last]
        self.marks.append(Mark(last.time, "Test stopped"))

    def follow(self, total: _core.StatsCounters) -> None:
        """Forget the points if the statistics were cleared since the last one; ``total`` counts now."""
        known = self._counted
        same = known.total is total and total.start_time <= known.start_time
        if known.total is None or (same and total.num_requests >= known.requests):
            return
        self._forget()
        if total.start_time < self._at:
            self._counted = _Counted.by(total)  # they are others, which counted before as well
        else:
            self._counted = _Counted(total, total.start_time, 0, 0, {}, {})
            self._at = total.start_time

    def last_run(self) -> list[Point]:
        """The points of the run that goes on, or of the last one."""
        points = self.points
        begin = next((n for n in range(len(points), 0, -1) if points[n - 1].users is None), 0)
        return points[begin:]

    def readable_run(self) -> list[Point]:
        """:meth:`last_run` for a chart of the whole run: points of about one length.

        Where a run is long, those of its end are as long as those before, for a shorter time scatters more.
        Seconds with few requests are merged, for the percentiles of one request say nothing: up to
        ``LONGEST_READABLE_S`` and a thirtieth of the run, until a point has ``ENOUGH_REQUESTS``. Other
        greenlets run meanwhile.
        """
        points = self.last_run()
        seconds = sum(point.seconds for point in points)
        requests = sum((point.rps or 0) * point.seconds for point in points)
        if not requests:
            return points
        wanted = min(ENOUGH_REQUESTS * seconds / requests, LONGEST_READABLE_S, seconds / 30)
        groups = _groups(points, max(wanted, _usual_seconds(points)), 0)
        if len(groups) > 1 and sum(point.seconds for point in groups[-1]) < wanted / 2:
            groups[-2:] = [[*groups[-2], *groups[-1]]]
        return [group[0] if len(group) == 1 else self._merged(group) for group in in_turns(groups)]

    def since(self, epoch: int, number: int) -> dict[str, Any]:
        """The points from ``number`` on as columns; all points if ``epoch`` is not the present one."""
        known = epoch == self.epoch and 0 <= number <= len(self.points)
        points = self.points[number:] if known else self.points
        shares = [str(share) for share in self.percentiles]
        return {
            "epoch": self.epoch,
            "next": len(self.points),
            "step_s": self.step_s,
            "percentiles": shares,
            "time": [round(point.time, 3) for point in points],
            "users": [point.users for point in points],
            "rps": [_short(point.rps) for point in points],
            "failures": [_short(point.failures) for point in points],
            "response_times": {
                share: [point.response_times[place] if point.response_times else None for point in points]
                for place, share in enumerate(shares)
            },
            "lag": [point.lag for point in points],
            "heat": {"edges": EDGES_MS, "points": [point.bands for point in points]},
            "marks": [{"time": round(mark.time, 3), "text": mark.text} for mark in self.marks],
        }

    def _begin_epoch(self) -> None:
        self.epoch = max(self.epoch + 1, int(time.time() * 1000))

    def _forget(self) -> None:
        self.points = []
        self.marks = []
        self._merged_s = self.step_s
        self._begin_epoch()

    def _measure(
        self, total: _core.StatsCounters, users: int, percentiles: Sequence[float], now: float
    ) -> Point:
        self.follow(total)
        if tuple(percentiles) != self.percentiles:
            self._change_percentiles(tuple(percentiles))
        before, after = self._counted, _Counted.by(total)
        seconds = max(now - self._at, 0.001)
        self._counted, self._at = after, now
        lag = _quantiles(_difference(after.lag, before.lag), [_LAG_SHARE])[0]
        requests, failures = after.requests - before.requests, after.failures - before.failures
        bins = _difference(after.bins, before.bins)
        return self._point(now, seconds, users, requests / seconds, max(0, failures) / seconds, lag, bins)

    def _point(
        self,
        now: float,
        seconds: float,
        users: int | None,
        rps: float,
        failures: float,
        lag: float | None,
        bins: array[int],
    ) -> Point:
        times = tuple(_quantiles(bins, self.percentiles))
        return Point(now, seconds, users, rps, failures, times, lag, bins, _bands(bins))

    def _change_percentiles(self, percentiles: tuple[float, ...]) -> None:
        self.percentiles = percentiles
        if self.points:
            self.points = [point if point.users is None else self._merged([point]) for point in self.points]
            self._begin_epoch()

    def _merged(self, points: Sequence[Point]) -> Point:
        """What the points are together; they follow each other without a gap."""
        last = points[-1]
        seconds = sum(point.seconds for point in points)
        counts: Counter[int] = Counter()
        for point in points:
            for from_us, number in zip(point.bins[::2], point.bins[1::2], strict=True):
                counts[from_us] += number
        return self._point(
            last.time,
            seconds,
            last.users,
            sum((point.rps or 0) * point.seconds for point in points) / seconds,
            sum((point.failures or 0) * point.seconds for point in points) / seconds,
            max((point.lag for point in points if point.lag is not None), default=None),
            _difference(counts, {}),
        )

    def _make_room(self) -> None:
        points = self.points
        enough = MAX_POINTS if len(points) < MAX_POINTS else MAX_POINTS * 3 // 4
        self._added = 0
        groups = _groups(points, self._merged_s, RECENT)
        while len(groups) > enough:
            self._merged_s *= 2
            groups = _groups(points, self._merged_s, RECENT)
        fewer = [group[0] if len(group) == 1 else self._merged(group) for group in in_turns(groups, _SHARE)]
        if self.points is points:  # nobody cleared them meanwhile
            self.points = fewer
            self._begin_epoch()

    def _drop_old_runs(self) -> None:
        gaps = [number for number, point in enumerate(self.points) if point.users is None]
        if len(gaps) >= MAX_RUNS:
            begin = self.points[gaps[0]].time
            self.points = self.points[gaps[0] + 1 :]
            self.marks = [mark for mark in self.marks if mark.time >= begin]
            self._begin_epoch()


def _short(rate: float | None) -> float | None:
    return float(f"{rate:.5g}") if rate else rate


def _usual_seconds(points: Sequence[Point]) -> float:
    """Half of the time is in points that are at least so long."""
    lengths = sorted(point.seconds for point in points)
    sums = list(accumulate(lengths))
    return lengths[bisect_left(sums, sums[-1] / 2)]


def _groups(points: Sequence[Point], seconds: float, recent: int) -> list[list[Point]]:
    """The points that are to be one of about ``seconds``: none of the ``recent`` ones, nor beyond a gap."""
    groups: list[list[Point]] = []
    length = 0.0
    for number, point in enumerate(points):
        length += point.seconds
        fits = length <= seconds * _TOLERANCE and number < len(points) - recent
        if groups and fits and point.users is not None and groups[-1][-1].users is not None:
            groups[-1].append(point)
        else:
            groups.append([point])
            length = point.seconds
    return groups


def _difference(after: Mapping[int, int], before: Mapping[int, int]) -> array[int]:
    """(key, count) in turn of what was counted since ``before``, in the order of the keys."""
    pairs = array("I")
    for key in sorted(after):
        more = after[key] - before.get(key, 0)
        if more > 0:
            pairs.extend((key, min(more, _MOST_COUNTED)))
    return pairs


def _quantiles(bins: array[int], shares: Sequence[float]) -> list[float | None]:
    """For each share the time in ms that it does not exceed, to three digits; None without counts."""
    if not bins:
        return [None] * len(shares)
    counts = bins[1::2]
    sums = list(accumulate(counts))
    values: list[float | None] = []
    for share in shares:
        rank = min(max(ceil(share * sums[-1]), 1), sums[-1])
        place = bisect_left(sums, rank)
        from_us = bins[2 * place]
        # Within a bin the times are taken to be evenly spread.
        part = (rank - sums[place] + counts[place] - 0.5) / counts[place]
        value = (from_us + part * _width_of(from_us)) / 1000
        values.append(float(f"{value:.3g}"))
    return values


def _width_of(from_us: int) -> int:
    """How many microseconds a bin has: 1/32 of its doubling, or one."""
    return 1 << max(0, from_us.bit_length() - 6)


def _bands(bins: array[int]) -> tuple[int, ...]:
    counts: dict[int, int] = {}
    for from_us, number in zip(bins[::2], bins[1::2], strict=True):
        band = band_of(from_us)
        counts[band] = counts.get(band, 0) + number
    return tuple(value for pair in counts.items() for value in pair)
