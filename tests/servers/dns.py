"""A name server for tests: answers from a table, counts what it was asked, waits when it is told to."""

from __future__ import annotations

import ipaddress
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import gevent
from gevent.event import Event
from gevent.server import DatagramServer

TYPES = {1: "A", 28: "AAAA"}
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
_ANSWERED = 0x8180  # a response, recursion wanted and there (RFC 1035, 4.1.1)


@dataclass
class Name:
    """What is said of one name: addresses of either family, or an error; `gate` is waited for first."""

    addresses: Sequence[str] = ()
    error: int = NOERROR
    gate: Event | None = None
    silent: bool = False


@dataclass
class Asked:
    """What has been asked: how often each (name, type), and which names wait for their gate."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    waiting: set[str] = field(default_factory=set)
    waiting_most: int = 0


class DnsServer(DatagramServer):
    """Names that are not in `names` do not exist. `asked` may be replaced at any time to count anew."""

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address)
        self.names: dict[str, Name] = {}
        self.asked = Asked()

    def handle(self, data: bytes, address: tuple[str, int]) -> None:
        name, kind, question = _question_of(data)
        asked = self.asked
        asked.counts[name, kind] += 1
        known = self.names.get(name, Name(error=NXDOMAIN))
        if known.gate is not None:
            asked.waiting.add(name)
            asked.waiting_most = max(asked.waiting_most, len(asked.waiting))
            known.gate.wait()
            asked.waiting.discard(name)
        if not known.silent:
            self.socket.sendto(_answer(data[:2], question, kind, known), address)

    def count(self, name: str) -> int:
        """How often the IPv4 addresses of a name were asked for."""
        return self.asked.counts[name, "A"]

    def await_waiting(self, count: int, timeout: float = 10.0) -> None:
        """Returns when so many names wait for their gates."""
        with gevent.Timeout(timeout):
            while len(self.asked.waiting) < count:
                gevent.sleep(0.001)


def _question_of(data: bytes) -> tuple[str, str, bytes]:
    """Name and type of a query's one question, and the bytes of it (RFC 1035, 4.1.2)."""
    at, labels = 12, []
    while data[at]:
        labels.append(data[at + 1 : at + 1 + data[at]].decode("ascii").lower())
        at += 1 + data[at]
    (number,) = struct.unpack_from("!H", data, at + 1)
    return ".".join(labels), TYPES.get(number, str(number)), data[12 : at + 5]


def _answer(query_id: bytes, question: bytes, kind: str, name: Name) -> bytes:
    version = {"A": 4, "AAAA": 6}.get(kind)
    addresses = [a for text in name.addresses if (a := ipaddress.ip_address(text)).version == version]
    header = query_id + struct.pack("!5H", _ANSWERED | name.error, 1, len(addresses), 0, 0)
    # Each points to the name in the question; nobody may keep it (TTL 0).
    records = [
        struct.pack("!HHHIH", 0xC00C, 1 if version == 4 else 28, 1, 0, len(address.packed)) + address.packed
        for address in addresses
    ]
    return header + question + b"".join(records)
