"""How often wrong passwords may be tried: a few at once, then slowly, per client and by all together."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from dataclasses import dataclass

#: More clients than these are not remembered: the one that was wrong longest ago is forgotten.
MAX_CLIENTS = 1024


@dataclass(frozen=True)
class Pace:
    """``burst`` wrong tries at once, and then one every ``interval_s`` seconds."""

    burst: int
    interval_s: float


CLIENT_PACE = Pace(burst=10, interval_s=2.0)
OVERALL_PACE = Pace(burst=50, interval_s=0.2)


class Throttle:
    """Says whether a client may try a password.

    What is remembered of a client is one moment: the one at which its wrong tries are forgiven (the generic
    cell rate algorithm). A client that was right before is not held up by the wrong tries of others. Nobody
    is held up for longer than an attack lasts and the time until the next try.
    """

    def __init__(self) -> None:
        self._forgiven: OrderedDict[str, float] = OrderedDict()
        self._all_forgiven = 0.0
        self._known: OrderedDict[str, None] = OrderedDict()

    def wait_s(self, client: str) -> float:
        """Return the seconds until ``client``, an IP address, may try again: 0 for at once."""
        client, now = _network(client), time.monotonic()
        waits = [_wait(self._forgiven.get(client, now), CLIENT_PACE, now)]
        if client not in self._known:
            waits.append(_wait(self._all_forgiven, OVERALL_PACE, now))
        return max(waits)

    def wrong(self, client: str) -> bool:
        """Note a wrong try; whether it is the first of this client for some time."""
        client, now = _network(client), time.monotonic()
        before = self._forgiven.pop(client, now)
        self._forgiven[client] = max(before, now) + CLIENT_PACE.interval_s
        self._all_forgiven = max(self._all_forgiven, now) + OVERALL_PACE.interval_s
        _keep_newest(self._forgiven)
        return before <= now

    def right(self, client: str) -> None:
        """Note that ``client`` knows the password."""
        client = _network(client)
        self._known.pop(client, None)
        self._known[client] = None
        _keep_newest(self._known)


def _wait(forgiven: float, pace: Pace, now: float) -> float:
    # Whole milliseconds: sums of fractions would forbid the last try of a burst.
    return max(0.0, round(forgiven - now - (pace.burst - 1) * pace.interval_s, 3))


def _keep_newest(table: OrderedDict[str, float] | OrderedDict[str, None]) -> None:
    while len(table) > MAX_CLIENTS:
        table.popitem(last=False)


def _network(client: str) -> str:
    """What one client can choose its address from: of IPv6, the half that is the network's."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)
