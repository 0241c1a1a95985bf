"""The truth about response times: a packet capture on loopback, read request by request.

tcpdump writes a pcap file of one server's port; `exchanges` finds in it each request that carries its number
as the path (`GET /17 HTTP/1.1`) and the last packet of its answer. Times are the kernel's, in nanoseconds.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clients import ClientError

SNAP_LENGTH = 160  # Ethernet, IP and TCP heads and the request line
BUFFER_KB = 65536
MAGIC_NS = 0xA1B23C4D
ETHERNET = 1
READY = b"listening on"
REQUEST_LINE = re.compile(rb"[A-Z]+ /(\d+) HTTP/1")


class CaptureError(ClientError):
    """There is no capture, or it misses packets; the text says why."""


@dataclass(frozen=True)
class Packet:
    """One TCP segment that carries data: when, from port to port, and the beginning of its data."""

    at_ns: int
    source: int
    destination: int
    data: bytes


@contextlib.contextmanager
def capturing(port: int, path: Path, core: int | None = None) -> Iterator[None]:
    """Captures what goes from and to a port of the loopback device into `path`, until the block ends.

    `core` pins tcpdump. Raises CaptureError when there is none, it may not capture, or packets were lost.
    """
    binary = shutil.which("tcpdump", path="/usr/sbin:/usr/bin:/sbin:/usr/local/sbin")
    if binary is None:
        raise CaptureError("tcpdump is not installed (Debian: apt install tcpdump)")
    command = [binary, "-i", "lo", "-s", str(SNAP_LENGTH), "-B", str(BUFFER_KB), "-n"]
    command += ["--time-stamp-precision=nano", "-Z", "root", "-w", str(path), "tcp", "port", str(port)]
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        said = b""
        while READY not in said:
            line = process.stderr.readline()
            if not line:
                raise CaptureError(f"tcpdump does not capture: {said.decode(errors='replace').strip()}")
            said += line
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
    lost = re.search(rb"(\d+) packets dropped by kernel", said)
    if process.returncode != 0 or lost is None or int(lost[1]):
        raise CaptureError(f"tcpdump missed packets: {said.decode(errors='replace').strip()}")


def packets(path: Path) -> Iterator[Packet]:
    """The TCP segments with data of a pcap file of IPv4 over Ethernet (as loopback is shown)."""
    content = path.read_bytes()
    for order in "<>":
        magic, _, _, _, _, _, link = struct.unpack_from(order + "IHHIIII", content)
        if magic == MAGIC_NS:
            break
    else:
        raise CaptureError(f"{path} is no pcap file with nanoseconds")
    if link != ETHERNET:
        raise CaptureError(f"{path} has link type {link}, not Ethernet")
    place = 24
    # tcpdump may have been ended in the middle of a packet.
    while place + 16 <= len(content):
        seconds, nanoseconds, length, _ = struct.unpack_from(order + "IIII", content, place)
        frame = content[place + 16 : place + 16 + length]
        place += 16 + length
        packet = _segment(seconds * 1_000_000_000 + nanoseconds, frame)
        if packet is not None:
            yield packet


def _segment(at_ns: int, frame: bytes) -> Packet | None:
    """The TCP segment in an Ethernet frame; None when it is something else or has no data."""
    if len(frame) < 54 or frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return None
    ip_end = 14 + (frame[14] & 15) * 4
    total = 14 + int.from_bytes(frame[16:18], "big")
    tcp_end = ip_end + (frame[ip_end + 12] >> 4) * 4
    if total <= tcp_end:
        return None
    source, destination = struct.unpack_from(">HH", frame, ip_end)
    return Packet(at_ns, source, destination, frame[tcp_end:])


def exchanges(path: Path, server_port: int) -> dict[int, tuple[int, int]]:
    """For each numbered request of a capture: when it was sent, and when the last of its answer came."""
    open_requests: dict[int, int] = {}
    found: dict[int, tuple[int, int]] = {}
    for packet in packets(path):
        if packet.destination == server_port:
            line = REQUEST_LINE.match(packet.data)
            if line:
                number = int(line[1])
                open_requests[packet.source] = number
                found[number] = (packet.at_ns, 0)
        elif packet.destination in open_requests:
            number = open_requests[packet.destination]
            found[number] = (found[number][0], packet.at_ns)
    return {number: times for number, times in found.items() if times[1]}
