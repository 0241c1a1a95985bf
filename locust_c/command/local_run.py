"""One test in this process, from its start to the exit code."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gevent

from .. import log, stats
from ..blocked import BlockedWatch
from ..input_events import Keyboard, input_listener
from ..iterations import IterationLimit
from ..runners import STATE_CLEANUP, STATE_RUNNING, STATE_SPAWNING
from ..util.exits import log_exit
from . import console
from .errors import CommandError
from .exit_code import exit_code
from .outputs import Outputs
from .signals import Interrupts

if TYPE_CHECKING:
    from ..env import Environment
    from ..runners import Runner

logger = logging.getLogger("locust.main")

#: A signal that comes just before the hub goes to sleep is seen when it wakes up: at the latest after this
#: time.
WAKE_UP_INTERVAL_S = 0.5

#: Users per second when keys add or take away users.
KEYBOARD_SPAWN_RATE = 100


class LocalRun:
    """Starts, accompanies and ends the test of one environment."""

    def __init__(self, environment: Environment, options: argparse.Namespace, interrupts: Interrupts) -> None:
        if environment.runner is None:
            raise ValueError("the environment has no runner")
        self.environment = environment
        self.options = options
        self.interrupts = interrupts
        self.runner: Runner = environment.runner
        self._keyboard = Keyboard()
        self._blocked = BlockedWatch()
        self._outputs = Outputs(environment, options)
        self._greenlets: list[gevent.Greenlet] = []

    def fire_init(self) -> None:
        """Tell the locustfile that environment, runner and web page exist.

        :raises CommandError: a listener failed; its traceback is in the log already.
        """
        self.environment.events.init.fire(
            environment=self.environment, runner=self.runner, web_ui=self.environment.web_ui
        )
        if log.unhandled_greenlet_exception:
            raise CommandError("An init listener failed: no test is started.")

    def start(self) -> None:
        """Serve the page, listen to keys, print tables, and start a test that nobody has to ask for."""
        if self.environment.web_ui is not None:
            self.environment.web_ui.start()
        self._spawn(stats.stats_history, self.runner)
        self._outputs.start()
        self._blocked.start()
        self._listen_to_keys()
        if self.options.iteration_limit:
            self.environment.events.test_start.add_listener(self._limit_iterations)
        if self.options.print_stats or (self.options.headless and not self.options.only_summary):
            self._greenlets.append(console.start_periodic_tables(self.environment))
        if self.options.headless or self.options.autostart:
            self._start_test()

    def wait(self) -> None:
        """Return when the test (headless) or the web page has ended."""
        if self.options.headless:
            users = self.runner.greenlet
            while len(users):
                users.join(timeout=WAKE_UP_INTERVAL_S)
        elif self.environment.web_ui is not None:
            server = self.environment.web_ui.greenlet
            while server is not None and not server.ready():
                server.join(timeout=WAKE_UP_INTERVAL_S)

    def note_exit(self, request: SystemExit) -> None:
        """Take the exit code from a ``sys.exit(n)`` in the user's code; the test ends like any other.

        A text instead of a number is a message, as everywhere in Python, and means 1.
        """
        code = request.code
        if code is not None and not isinstance(code, int):
            print(code, file=sys.stderr)
        self.environment.process_exit_code = code if isinstance(code, int) else int(code is not None)

    def end(self) -> int:
        """Stop everything, print and write the final statistics, and return the exit code.

        The exit code is decided when all users have ended, so that their last requests count.
        """
        self.interrupts.begin_end()
        if self.interrupts.received is not None:
            name = self.interrupts.received.name
            logger.info("Exiting due to CTRL+C interruption" if name == "SIGINT" else f"Got {name} signal")
            if self.environment.stop_timeout and self.runner.user_count:
                patience = f"{self.environment.stop_timeout:g} s for running tasks (--stop-timeout)"
                logger.info("Waiting up to %s; Ctrl-C ends at once", patience)
        try:
            self.environment.events.quitting.fire(environment=self.environment, reverse=True)
        except SystemExit as request:
            self.note_exit(request)
        self._quit_runner()
        self._blocked.stop()
        if self.environment.web_ui is not None:
            self.environment.web_ui.stop()
        gevent.killall(self._greenlets)
        self._keyboard.close()
        code = exit_code(self.environment, self.options.exit_code_on_error)
        logger.info("Shutting down (exit code %s)", code)
        self._outputs.finish()
        self.environment.events.quit.fire(exit_code=code)
        return code

    def _quit_runner(self) -> None:
        """In a greenlet of its own: what an ``on_stop`` raises for the process arrives in this one."""
        ending = gevent.spawn(self.runner.quit)
        ending.link_exception(log.greenlet_exception_logger(logger))
        while not ending.ready():
            try:
                ending.join()
            except SystemExit as request:
                self.note_exit(request)
            except KeyboardInterrupt:
                logger.debug("The test is being ended already")

    def _spawn(self, function: Callable[..., object], *args: Any) -> None:
        greenlet = gevent.spawn(function, *args)
        greenlet.link_exception(log.greenlet_exception_logger(logger))
        self._greenlets.append(greenlet)

    def _start_test(self) -> None:
        if self.environment.shape_class is not None:
            self.runner.start_shape()
            self._spawn(self._end_with_shape)
            return
        limit = self.options.run_time
        if limit:
            logger.info("Run time limit set to %s seconds", limit)
            self.runner.end_after(limit, lambda: self._end_test("--run-time limit reached"))
        else:
            logger.info("No run time limit set, use CTRL+C to interrupt")
        self._fill_in_numbers()
        try:
            self.runner.start(self.options.num_users, self.options.spawn_rate)
        except SystemExit as request:
            log_exit(logging.getLogger("locust.runners"), request)
            raise

    def _fill_in_numbers(self) -> None:
        """Only now: an ``init`` listener may have set them."""
        if self.options.num_users is None:
            self.options.num_users = 1
        if self.options.spawn_rate is None:
            self.options.spawn_rate = 1

    def _limit_iterations(self, **_: Any) -> None:
        """For each test anew: the web page may start several."""
        limit = IterationLimit(self.options.iteration_limit)
        logger.info("Iteration limit set to %d", limit.count)
        limit.ended.rawlink(lambda _: self._spawn(self._end_test, f"Iteration limit reached ({limit.count})"))
        self.environment.iteration_limit = limit

    def _end_with_shape(self) -> None:
        shape = self.runner.shape_greenlet
        if shape is not None:
            shape.join()
        self._end_test("Shape test completed")

    def _end_test(self, why: str) -> None:
        """Stop the test; end the command too unless there is a web page that stays."""
        if self.options.headless:
            logger.info("%s, shutting down", why)
            self.runner.quit()
            return
        logger.info("%s, stopping test", why)
        self.runner.stop()
        if self.options.autoquit >= 0 and self.environment.web_ui is not None:
            gevent.sleep(self.options.autoquit)
            logger.info("--autoquit time reached, shutting down")
            self.environment.web_ui.stop()
        elif self.options.autostart:
            logger.info("--autoquit not specified, leaving web ui running indefinitely")

    def _listen_to_keys(self) -> None:
        keys: dict[str, Callable[[], object]] = {
            "w": lambda: self._change_users(1),
            "W": lambda: self._change_users(10),
            "s": lambda: self._change_users(-1),
            "S": lambda: self._change_users(-10),
        }
        if self.environment.web_ui is not None:
            keys["\r"] = self._open_browser
        self.interrupts.before_leaving.append(self._keyboard.close)
        self._spawn(input_listener(keys, self._keyboard))

    def _change_users(self, difference: int) -> None:
        if self.environment.shape_class is not None:
            logger.info("The load shape decides the number of users: keys do not change it")
            return
        state = self.runner.state
        # Behind the end of a test a start would begin a new one, and forget the statistics of the last.
        if state == STATE_CLEANUP or (self.options.headless and state not in (STATE_SPAWNING, STATE_RUNNING)):
            return
        self._spawn(self.runner.start, max(0, self.runner.user_count + difference), KEYBOARD_SPAWN_RATE)

    def _open_browser(self) -> None:
        import webbrowser

        if self.environment.web_ui is not None:
            gevent.get_hub().threadpool.spawn(webbrowser.open_new_tab, self.environment.web_ui.url)
