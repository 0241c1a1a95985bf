"""The timer that the engine asks the hub for."""

from __future__ import annotations

import gevent

from locust_c import _core


def test_a_timer_that_fires_early_is_set_again() -> None:
    armed: list[float | None] = []
    engine = _core.Engine(gevent.get_hub(), lambda seconds, active: armed.append(seconds))
    sleeper = gevent.spawn(engine.sleep, 0.05)
    gevent.sleep(0)
    engine.step()
    before = len(armed)
    engine.step(True)
    assert len(armed) == before + 1
    assert armed[-1] is not None
    assert 0 < armed[-1] <= 0.05
    sleeper.kill()
    engine.close()
