"""What a test may not leave behind: things that the engine counts, and sockets of this process."""

from __future__ import annotations

import gc
import os
import select
import socket
from dataclasses import dataclass, field
from typing import Any

from gevent.monkey import get_original

from locust_c import _core, hub

_Socket = get_original("socket", "socket")

ROUNDS = 3
TURNS = 10
SETTLE_SECONDS = 0.5


@dataclass(frozen=True)
class Holdings:
    """`live`: what the engine of this thread holds, by kind. `sockets`: descriptors, by what they are."""

    live: dict[str, int] = field(default_factory=dict)
    sockets: frozenset[str] = frozenset()

    def beyond(self, before: Holdings) -> dict[str, Any]:
        """What is here and was not there before; empty if nothing is."""
        more: dict[str, Any] = {
            kind: count - before.live.get(kind, 0)
            for kind, count in self.live.items()
            if count > before.live.get(kind, 0)
        }
        if self.sockets - before.sockets:
            more["sockets"] = sorted(self.sockets - before.sockets)
        return more


def holdings() -> Holdings:
    """What this thread's engine and this process hold now."""
    live = {kind: opened - closed for kind, (opened, closed) in _core._counts().items()}
    return Holdings(live, frozenset(_sockets()))


def _sockets() -> list[str]:
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:
            continue  # the descriptor of the folder itself
        if target.startswith("socket:") and not _is_a_pair(int(number)):
            found.append(target)
    return found


def _is_a_pair(number: int) -> bool:
    """True of what socketpair() made: an engine and gevent's hub have some for as long as they live."""
    # Not gevent's socket, which would change the mode of the one that it duplicates.
    with _Socket(fileno=os.dup(number)) as duplicate:
        if duplicate.family != socket.AF_UNIX:
            return False
        try:
            return not duplicate.getsockname() and not duplicate.getpeername()
        except OSError:
            return False


def left_since(before: Holdings) -> dict[str, Any]:
    """What has come since `before` and stays after the engine's loop and the collector had their turns."""
    left = holdings().beyond(before)
    for _ in range(ROUNDS):
        if not left:
            break
        # Users and their sessions refer to each other; greenlets that were killed end in the hub's turn,
        # and only then is what they referred to garbage.
        gc.collect()
        left = _after_turns(before)
    if left and select.select([hub.get_engine().fileno()], [], [], SETTLE_SECONDS)[0]:
        left = _after_turns(before)
    return left


def _after_turns(before: Holdings) -> dict[str, Any]:
    """What is left when the loop has turned until nothing is, or often enough."""
    left = holdings().beyond(before)
    for _ in range(TURNS):
        if not left:
            break
        hub.sleep(0)
        left = holdings().beyond(before)
    return left
