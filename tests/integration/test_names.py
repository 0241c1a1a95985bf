"""Name look-ups, with a name server of the test's own in namespaces of a child process."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
# In the new namespaces: files of ours over those that say how names are looked up, then the program itself.
ENTER = """
mount --bind "$1" "$(readlink -f /etc/resolv.conf)" || exit 1
[ ! -e /etc/nsswitch.conf ] || mount --bind "$2" /etc/nsswitch.conf || exit 1
shift 2
exec "$@"
"""


class Namespace:
    """The process that names_inside.py runs in."""

    def __init__(self, folder: Path) -> None:
        resolv, nsswitch = folder / "resolv.conf", folder / "nsswitch.conf"
        resolv.write_text("")
        nsswitch.write_text("hosts: files dns\n")
        enter = ["sh", "-c", ENTER, "enter", str(resolv), str(nsswitch)]
        self.process = subprocess.Popen(
            ["unshare", "--map-root-user", "--mount", "--net", *enter, sys.executable, "names_inside.py"],
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.answer() == "ready"

    def run(self, scenario: str) -> Any:
        """What a scenario saw, as lists."""
        assert self.process.stdin is not None
        self.process.stdin.write(scenario + "\n")
        self.process.stdin.flush()
        answer = self.answer()
        if "failed" in answer:
            pytest.fail(answer["failed"])
        return answer["seen"]

    def answer(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        assert self.process.wait(10) == 0
        self.process.stdout.close()


def reason_against() -> str:
    """Why there can be no namespaces on this machine; "" if there can."""
    if shutil.which("unshare") is None:
        return "there is no command unshare"
    tried = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "--net", "mount", "--bind", "/etc", "/etc"],
        capture_output=True,
        text=True,
    )
    return tried.stderr.strip() or "unshare failed" if tried.returncode else ""


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    if reason := reason_against():
        pytest.skip(f"namespaces cannot be made here: {reason}")
    namespace = Namespace(tmp_path_factory.mktemp("names"))
    yield namespace
    namespace.close()


ANSWER = "127.0.0.1 127.0.0.1"  # the address connected to, and from where


def test_each_new_connection_asks_again(names: Namespace) -> None:
    assert names.run("each_new_connection") == [[200, 200, 200], 3]


def test_equal_look_ups_in_flight_are_one(names: Namespace) -> None:
    assert names.run("equal_look_ups") == [[ANSWER], 1, 2]


def test_at_most_eight_look_ups_run_at_once(names: Namespace) -> None:
    assert names.run("at_most_eight") == [[ANSWER], 8, 20]


def test_the_first_address_of_getaddrinfo_is_used(names: Namespace) -> None:
    for ours, stock in names.run("order_of_addresses"):
        assert ours == stock


def test_the_next_address_is_tried_after_a_refusal(names: Namespace) -> None:
    assert names.run("next_address").split()[0] == "127.0.0.3"


@pytest.mark.parametrize(
    ("scenario", "code", "words"),
    [
        ("no_such_name", -2, "Name or service not known"),
        ("server_failure", -3, "Temporary failure in name resolution"),
        ("no_address", -5, "No address associated with hostname"),
    ],
)
def test_failures_are_told_in_the_words_of_stock(
    names: Namespace, scenario: str, code: int, words: str
) -> None:
    (ours, stock), (ours_fast, stock_fast) = names.run(scenario)
    assert ours == stock and f"[Errno {code}] {words}" in stock[1]
    assert ours_fast == stock_fast == f"gaierror({code}, '{words}')"


def test_a_silent_name_server_is_told_in_the_words_of_stock(names: Namespace) -> None:
    ours, stock = names.run("silent_name_server")
    assert ours == stock and "[Errno -3] Temporary failure in name resolution" in stock[1]


def test_a_look_up_ends_with_the_connect_time_out_or_its_greenlet(names: Namespace) -> None:
    error, seconds, operations, asked = names.run("connect_time_out")
    assert error[0] == "ConnectTimeout"
    assert error[1].endswith("Connection to silent.test timed out. (connect timeout=0.05)'))")
    assert seconds < 1
    assert operations == 0
    assert asked == 1


def test_ipv6_addresses_are_looked_up_and_written_out(names: Namespace) -> None:
    assert names.run("ipv6") == [["::1 ::1", "::1 ::1"], 1]


def test_proxy_variables_of_the_environment_are_ignored(names: Namespace) -> None:
    assert names.run("environment") == [ANSWER, ANSWER]


def test_given_addresses_are_used_without_a_look_up(names: Namespace) -> None:
    assert names.run("given_addresses") == ["127.0.0.5 127.0.0.1", 0]


def test_the_interpreter_ends_at_once_and_in_silence_while_it_looks_up(names: Namespace) -> None:
    code, errors, seconds = names.run("leaving_while_it_looks_up")
    assert (code, errors) == (0, "")
    assert seconds < 1
