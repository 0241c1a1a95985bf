"""Ctrl-C and SIGTERM, as the command takes them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import gevent
import pytest

from locust_c.command.signals import Interrupts

LEFT: list[int] = []


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    LEFT.clear()
    subject = Interrupts(leave=LEFT.append)
    subject.install()
    yield subject
    subject.restore()


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def test_the_main_greenlet_is_interrupted_where_it_waits(interrupts: Interrupts) -> None:
    gevent.spawn(send, signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        gevent.sleep(5)
    assert interrupts.received is signal.SIGINT
    assert interrupts.exit_code == 130


def test_the_main_greenlet_is_interrupted_where_it_works(interrupts: Interrupts) -> None:
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGTERM)
    assert interrupts.received is signal.SIGTERM
    assert interrupts.exit_code == 143


def test_other_greenlets_are_not_disturbed(interrupts: Interrupts) -> None:
    done: list[str] = []

    def user() -> None:
        send(signal.SIGINT)
        done.append("goes on")
        gevent.sleep(0)
        done.append("ends")

    greenlet = gevent.spawn(user)
    with pytest.raises(KeyboardInterrupt):
        gevent.sleep(5)
    greenlet.join()
    assert done == ["goes on", "ends"]


def test_once_the_end_has_begun_a_signal_is_only_noted(interrupts: Interrupts) -> None:
    interrupts.begin_end()
    send(signal.SIGTERM)
    gevent.sleep(0)
    assert interrupts.received is signal.SIGTERM
    assert LEFT == []


def test_a_signal_on_its_way_does_not_interrupt_the_end(interrupts: Interrupts) -> None:
    gevent.spawn(send, signal.SIGINT).start()
    interrupts.begin_end()
    gevent.sleep(0.01)
    assert interrupts.received is signal.SIGINT


def test_a_second_ctrl_c_leaves_at_once_and_cleans_up_first(interrupts: Interrupts) -> None:
    order: list[str] = []

    def fail() -> None:
        order.append("failing")
        raise OSError

    interrupts.before_leaving += [fail, lambda: order.append("terminal")]
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGINT)
    interrupts.begin_end()
    send(signal.SIGINT)
    assert LEFT == [130]
    assert order == ["failing", "terminal"]


def test_a_second_sigterm_changes_nothing(interrupts: Interrupts) -> None:
    interrupts.begin_end()
    send(signal.SIGTERM)
    send(signal.SIGTERM)
    assert LEFT == []


def test_the_signals_are_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    subject = Interrupts(leave=LEFT.append)
    subject.install()
    assert signal.getsignal(signal.SIGTERM) != before
    subject.restore()
    assert signal.getsignal(signal.SIGTERM) == before
