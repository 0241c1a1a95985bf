"""How engines end: closed, with their hub, with their thread, and in a forked child."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time

import gevent
import pytest
from gevent.threadpool import ThreadPool
from greenlet import greenlet

from locust_c import _core, hub


def step_in_hub(engine: _core.Engine) -> None:
    gevent.get_hub().loop.run_callback(engine.step)
    gevent.sleep(0)


def test_a_killed_sleeper_keeps_the_hub_alive_no_longer() -> None:
    armed: list[tuple[float | None, bool]] = []
    engine = _core.Engine(gevent.get_hub(), lambda seconds, active: armed.append((seconds, active)))
    sleeper = gevent.spawn(engine.sleep, 3600)
    gevent.sleep(0)
    assert armed[-1][1] is True
    sleeper.kill()
    assert armed[-1] == (None, False)
    engine.close()


def test_arming_is_tried_again_after_it_failed() -> None:
    failures = [KeyboardInterrupt()]
    armed: list[float | None] = []

    def arm(seconds: float | None, active: bool) -> None:
        if failures:
            raise failures.pop()
        armed.append(seconds)

    engine = _core.Engine(gevent.get_hub(), arm)
    with pytest.raises(KeyboardInterrupt):
        engine.sleep(0)
    sleeper = gevent.spawn(engine.sleep, 0)
    gevent.sleep(0)
    assert armed == [0]
    step_in_hub(engine)
    assert sleeper.dead
    engine.close()


def test_a_sleeper_may_be_killed_after_the_engine_was_closed() -> None:
    engine = _core.Engine(gevent.get_hub(), lambda seconds, active: None)
    sleeper = gevent.spawn(engine.sleep, 3600)
    gevent.sleep(0)
    engine.close()
    sleeper.kill()
    assert isinstance(sleeper.value, gevent.GreenletExit)


def test_closing_lets_go_of_the_greenlets_that_wait() -> None:
    engine = _core.Engine(gevent.get_hub(), lambda seconds, active: None)
    ended: list[int] = []

    def sleeper(number: int) -> None:
        try:
            engine.sleep(3600)
        finally:
            with pytest.raises(RuntimeError, match="closed"):
                engine.sleep(0)
            ended.append(number)

    hub_greenlet = gevent.get_hub()
    for number in range(2):
        hub_greenlet.loop.run_callback(greenlet(sleeper, hub_greenlet).switch, number)
    known = gevent.spawn(sleeper, 2)
    gevent.sleep(0)
    engine.close()
    gc.collect()
    assert sorted(ended) == [0, 1], "those that nobody knows end"
    known.kill()
    assert sorted(ended) == [0, 1, 2]


def test_a_step_lets_the_loop_have_its_turn_when_many_are_due() -> None:
    engine = _core.Engine(gevent.get_hub(), lambda seconds, active: None)
    woken: list[int] = []

    def slow(number: int) -> None:
        engine.sleep(0)
        woken.append(number)
        begin = time.perf_counter()
        while time.perf_counter() - begin < 0.001:
            pass
        engine.sleep(3600)  # parks, so that the engine goes on from here

    sleepers = [gevent.spawn(slow, number) for number in range(40)]
    gevent.sleep(0)
    step_in_hub(engine)
    assert 0 < len(woken) <= 8, "about a millisecond's worth"
    gevent.killall(sleepers)
    engine.close()


def test_the_engine_of_a_thread_ends_with_it() -> None:
    def use_in_threads() -> int:
        pool = ThreadPool(2)
        for result in [pool.spawn(hub.sleep, 0.001) for _ in range(4)]:
            result.get()
        pool.kill()
        gc.collect()
        gevent.sleep(0.01)
        return len(os.listdir("/proc/self/fd"))

    use_in_threads()
    assert use_in_threads() == use_in_threads()


@pytest.mark.parametrize("by", ["sleeper", "main"])
def test_a_woken_greenlet_may_close_the_engine(by: str) -> None:
    engine = _core.Engine(gevent.get_hub(), lambda seconds, active: None)
    ended: list[str] = []

    def sleeper(number: int) -> None:
        engine.sleep(0)
        ended.append(f"woken {number}")
        if by == "sleeper":
            engine.close()
        with pytest.raises(RuntimeError, match="closed"):
            engine.sleep(0)
        ended.append(f"ended {number}")

    if by == "main":
        gevent.get_hub().loop.run_callback(lambda: gevent.get_hub().loop.run_callback(engine.step))
        engine.sleep(0)
        engine.close()
        gevent.sleep(0)
        return
    sleepers = [gevent.spawn(sleeper, number) for number in range(3)]
    gevent.sleep(0)
    step_in_hub(engine)
    assert ended == ["woken 0", "ended 0"]
    engine.step()
    gevent.killall(sleepers)


def test_the_engine_of_a_native_thread_ends_with_it() -> None:
    done = run_python("""
import locust_c, gevent, os
from gevent.monkey import get_original
from locust_c import hub

def use() -> None:
    gevent.spawn(hub.sleep, 3600)
    hub.sleep(0.001)
    ended.release()

def loops():
    paths = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    # The folder's own descriptor is closed by now.
    return sum("eventpoll" in os.readlink(path) for path in paths if os.path.lexists(path))

lock = get_original("_thread", "allocate_lock")
counts = []
for _ in range(3):
    ended = lock()
    ended.acquire()
    get_original("_thread", "start_new_thread")(use, ())
    ended.acquire()
    begin = get_original("time", "monotonic")()
    while get_original("_thread", "_count")() and get_original("time", "monotonic")() < begin + 10:
        pass
    counts.append(loops())
print(counts[2] - counts[1])
""")
    assert (done.stdout, done.stderr) == ("1\n", ""), "gevent's own loop of the thread stays"


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("loop", ["True", "False"])
def test_a_new_hub_gets_a_new_engine(loop: str) -> None:
    done = run_python(f"""
import locust_c, gevent, gc
from locust_c import hub
engine = hub.get_engine()
gevent.spawn(hub.sleep, 3600)
gevent.sleep(0)
gevent.get_hub().destroy(destroy_loop={loop})
assert hub.get_engine() is not engine
hub.sleep(0.001)
gc.collect()
try:
    engine.sleep(0)
except RuntimeError as error:
    print(error)
""")
    assert (done.stdout, done.stderr, done.returncode) == ("the engine is closed\n", "", 0)


def test_an_engine_in_use_when_the_interpreter_ends_is_silent() -> None:
    done = run_python("""
import locust_c, gevent
from locust_c import hub
from gevent.threadpool import ThreadPool
gevent.spawn(hub.sleep, 3600)
gevent.get_hub().threadpool.apply(hub.sleep, (0.001,))
hub.sleep(0.001)
""")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_a_forked_child_does_not_spin_on_the_descriptor_of_its_parent() -> None:
    done = run_python("""
import locust_c, gevent, os, socket, time
from gevent.monkey import get_original
from gevent.server import StreamServer
from locust_c.clients import HttpSession
from locust_c.event import EventHook

served = []

def serve(sock, address):
    served.append(sock)
    sock.recv(65536)
    sock.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
    gevent.sleep(60)

server = StreamServer(("127.0.0.1", 0), serve)
server.start()
session = HttpSession(f"http://127.0.0.1:{server.server_port}", EventHook(), None)
session.get("/")
child = os.fork()
if child == 0:
    begin = time.process_time()
    gevent.sleep(0.3)
    print(time.process_time() - begin, flush=True)
    os._exit(0)
served[0].sendall(b"x")  # the engine's descriptor is readable from now on
get_original("os", "waitpid")(child, 0)
os._exit(0)
""")
    assert done.stderr == ""
    assert float(done.stdout) < 0.15
