"""Runners: they start, watch and stop the users of a test."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import uuid4

import gevent
from gevent.event import Event
from gevent.pool import Group

from locust_c import log
from locust_c.exception import StopTest
from locust_c.progress import KnowsProgress
from locust_c.recording import RecordsRequests
from locust_c.shape_worker import follow_shape
from locust_c.states import STATE_CLEANUP as STATE_CLEANUP
from locust_c.states import STATE_INIT as STATE_INIT
from locust_c.states import STATE_MISSING as STATE_MISSING
from locust_c.states import STATE_RUNNING as STATE_RUNNING
from locust_c.states import STATE_SPAWNING as STATE_SPAWNING
from locust_c.states import STATE_STOPPED as STATE_STOPPED
from locust_c.states import STATE_STOPPING as STATE_STOPPING
from locust_c.stopping import USERS_BETWEEN_TURNS, StopsTests, stop_greenlets
from locust_c.usage import watch_usage
from locust_c.user.errors import MISTAKES
from locust_c.user.group import UserGroup
from locust_c.user_exceptions import ExceptionDict, UserExceptions
from locust_c.util.exits import log_exit, traceback_of
from locust_c.util.old_names import explain_missing
from locust_c.worker_node import WorkerNode, WorkerNodes

if TYPE_CHECKING:
    from locust_c.dispatch import UsersDispatcher
    from locust_c.env import Environment
    from locust_c.user.users import User

__all__ = [
    "DistributedRunner",
    "ExceptionDict",
    "LocalRunner",
    "MasterRunner",
    "Runner",
    "WorkerNode",
    "WorkerNodes",
    "WorkerRunner",
]

logger = logging.getLogger("locust.runners")

# Programs change these: they are read when they are used.
WORKER_REPORT_INTERVAL = 3.0
WORKER_LOG_REPORT_INTERVAL = 10
CPU_MONITOR_INTERVAL = 10.0
CPU_WARNING_THRESHOLD = 90
HEARTBEAT_INTERVAL = 1
HEARTBEAT_LIVENESS = 3
HEARTBEAT_DEAD_INTERNAL = -60
MASTER_HEARTBEAT_TIMEOUT = 60
FALLBACK_INTERVAL = 5
CONNECT_TIMEOUT = 5
CONNECT_RETRY_COUNT = 60

VERY_HIGH_SPAWN_RATE = 100

Listener = Callable[..., Any]


class Runner(RecordsRequests, UserExceptions, StopsTests, KnowsProgress):
    """What all runners share; ``environment`` is the one it belongs to.

    ``LocalRunner`` runs the users in this process.
    """

    client_id = "local"
    connection_broken = False

    def __init__(self, environment: Environment) -> None:
        super().__init__()
        self.environment = environment
        self.user_greenlets = UserGroup()
        self.greenlet = Group()
        self.state = STATE_INIT
        self.spawning_greenlet: Any = None
        self.shape_greenlet: Any = None
        self.shape_last_tick: Any = None
        self.current_cpu_usage = 0.0
        self.current_memory_usage = 0
        self.cpu_warning_emitted = False
        self.worker_cpu_warning_emitted = False
        self.custom_messages: dict[str, tuple[Listener, bool]] = {}
        self.target_user_count = 0
        self.target_user_classes_count: dict[str, int] = {}
        self.final_user_classes_count: dict[str, int] = {}
        self._users_dispatcher: UsersDispatcher | None = None
        self._stopping: Event | None = None
        self._stopper: Any = None
        self._end_is_near = False
        self._exit_code_is_ours = False
        self.record_requests()
        # In front of the listeners of locustfiles: one that ends the test ends the user that it is called in.
        environment.events.user_error._handlers.insert(0, self._on_user_error)
        environment.events.spawning_complete.add_listener(self._on_spawning_complete)
        environment.events.quit.add_listener(self._on_quit)
        self._monitor = self._spawn(self.monitor_cpu_and_memory)

    @property
    def user_classes(self) -> list[type[User]]:
        """The user classes of the environment."""
        return self.environment.user_classes

    @property
    def user_classes_by_name(self) -> dict[str, type[User]]:
        """The user classes under their names."""
        return self.environment.user_classes_by_name

    @property
    def user_count(self) -> int:
        """How many users there are."""
        return len(self.user_greenlets)

    @property
    def user_classes_count(self) -> dict[str, int]:
        """How many users of each class there are."""
        return {cls.__name__: self.user_greenlets.count(cls.__name__) for cls in self.user_classes}

    def update_state(self, new_state: str) -> None:
        """Sets the state of the runner."""
        self._follow_state(new_state)
        self.state = new_state

    def start(
        self,
        user_count: int,
        spawn_rate: float,
        wait: bool = False,
        user_classes: Sequence[type[User]] | None = None,
    ) -> None:
        """Starts a test, or changes the number of users of the one that runs."""
        raise NotImplementedError

    def send_message(self, msg_type: str, data: Any = None, client_id: str | None = None) -> None:
        """Sends a message to the listeners of ``msg_type`` on other nodes."""
        raise NotImplementedError

    def spawn_users(self, user_classes_spawn_count: dict[str, int], wait: bool = False) -> list[User]:
        """Starts ``{class name: number}`` users and returns them; with ``wait`` when all have ended."""
        logger.debug(
            "Spawning additional %s (%s already running)...",
            json.dumps(user_classes_spawn_count),
            json.dumps(self.user_classes_count),
        )
        if self.state in (STATE_INIT, STATE_STOPPED):
            self.update_state(STATE_SPAWNING)
        self.record_requests()
        users: list[User] = []
        host = self.environment.host
        for class_name, count in user_classes_spawn_count.items():
            user_class = self._find_class(class_name)
            for _ in range(count):
                if host:
                    user_class.host = host  # each time: other environments may run the same class
                user = user_class(self.environment)
                user.start(self.user_greenlets)
                users.append(user)
                if len(users) % USERS_BETWEEN_TURNS == 0:
                    gevent.sleep(0)
        logger.debug("%d users spawned", len(users))
        if wait:
            self.user_greenlets.join()
            logger.info("All users stopped")
        return users

    def stop_users(self, user_classes_stop_count: dict[str, int]) -> None:
        """Stops ``{class name: number}`` users, those that were started last, and waits for their end."""
        greenlets: list[Any] = []
        for class_name, count in user_classes_stop_count.items():
            self._find_class(class_name)
            greenlets += self.user_greenlets.newest(class_name, count)
        current = gevent.getcurrent()
        stop_greenlets(greenlets, self.environment.stop_timeout or 0, current)
        if current in greenlets:
            current.kill(block=False)
        logger.debug("%d users have been stopped, %d still running", len(greenlets), self.user_count)

    def _find_class(self, name: str) -> type[User]:
        for user_class in self.user_classes:
            if user_class.__name__ == name:
                return user_class
        raise KeyError(f"The test has no user class named {name!r}")

    def start_shape(self) -> None:
        """Starts the test that the environment's shape describes; one that is being stopped is waited for."""
        shape = self.environment.shape_class
        if shape is None:
            raise ValueError("start_shape() needs an environment with a shape_class")
        if self.shape_greenlet is not None and not self.shape_greenlet.dead:
            logger.info("There is an ongoing shape test running. Editing is disabled")
            return
        if self._stopping is not None and self._stopper is not gevent.getcurrent():
            self._stopping.wait()
        logger.info("Shape test starting.")
        self.update_state(STATE_INIT)
        self.shape_last_tick = None
        shape.runner = self
        shape.reset_time()
        self.shape_greenlet = self._spawn(self.shape_worker)

    def shape_worker(self) -> None:
        """Follows the shape until it ends the test."""
        assert self.environment.shape_class is not None
        follow_shape(self, self.environment.shape_class)

    def register_message(self, msg_type: str, listener: Listener, concurrent: bool = False) -> None:
        """Has ``listener(environment=…, msg=…)`` called for messages of ``msg_type``.

        ``concurrent``: in a greenlet of its own, on a master or worker. Raises for a second listener.
        """
        if msg_type in self.custom_messages:
            raise Exception(
                f"Tried to register listener method for {msg_type}, but it already had a listener!"
            )
        self.custom_messages[msg_type] = (listener, concurrent)

    def monitor_cpu_and_memory(self) -> NoReturn:
        """Samples the usage of this process every ``CPU_MONITOR_INTERVAL`` seconds and fires events."""
        watch_usage(self)

    def cpu_log_warning(self) -> bool:
        """Says in the log whether the processor was too busy during the test, and returns that."""
        if self.cpu_warning_emitted:
            logger.warning("CPU usage was too high at some point during the test!")
        return self.cpu_warning_emitted

    def log_failure(self, function: Callable[..., Any], error: Exception) -> None:
        """Logs the exception that ended a greenlet of the runner; the command then ends with exit code 2."""
        if isinstance(error, MISTAKES):
            logger.critical("%s", error)
        else:
            name = getattr(function, "__qualname__", function)
            logger.critical("Unhandled exception in greenlet: %s\n%s", name, traceback_of(error))
        log.unhandled_greenlet_exception = True

    def _spawn(self, function: Callable[..., Any], *args: Any) -> Any:
        return self.greenlet.spawn(self._run_logged, function, *args)

    def _run_logged(self, function: Callable[..., Any], *args: Any) -> None:
        try:
            function(*args)
        except SystemExit as request:
            log_exit(logger, request)
            raise
        except Exception as error:
            self.log_failure(function, error)

    def _on_spawning_complete(self, user_count: int, **_: Any) -> None:
        if self.state == STATE_SPAWNING:
            self.update_state(STATE_RUNNING)
        if self.environment.reset_stats:
            logger.info("Resetting stats")
            self.stats.reset_all()


class LocalRunner(Runner):
    """Runs the users in this process."""

    worker_index = 0
    worker_count = 1

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.client_id = f"{socket.gethostname()}_{uuid4().hex}"
        self._local_worker_node = WorkerNode(id="local")
        self._starts = 0

    def start(
        self,
        user_count: int,
        spawn_rate: float,
        wait: bool = False,
        user_classes: Sequence[type[User]] | None = None,
    ) -> None:
        """Starts a test of ``user_count`` users, or changes the number of users of the one that runs.

        ``spawn_rate`` is in users a second. Returns at once, or with ``wait`` when all users have ended.
        ``user_classes`` are those of the users that are added. Raises ``ValueError`` for a negative number
        of users and a spawn rate that is not a finite number above 0. A test that is being stopped is waited
        for.
        """
        for user_class in user_classes or ():
            self._find_class(user_class.__name__)
        self._end_what_goes_on()
        if self._users_dispatcher is None:
            self._users_dispatcher = self.environment.dispatcher_class(
                worker_nodes=[self._local_worker_node], user_classes=self.user_classes
            )
        dispatcher = self._users_dispatcher
        dispatcher.new_dispatch(user_count, spawn_rate, user_classes)
        if spawn_rate > VERY_HIGH_SPAWN_RATE:
            logger.warning(
                "The spawn rate is very high (>%d): many users begin at once", VERY_HIGH_SPAWN_RATE
            )
        self._starts += 1
        this_start = self._starts
        if self.state not in (STATE_RUNNING, STATE_SPAWNING) and not self._begin_test():
            return
        if this_start == self._starts:  # listeners of test_start may take their time, and start as well
            self._begin_ramp(user_count, spawn_rate, dispatcher)
        if wait:
            if self.spawning_greenlet is not None:
                self.spawning_greenlet.join()
            self.user_greenlets.join()

    def _end_what_goes_on(self) -> None:
        """Waits for the end of a test that is being stopped, and ends a ramp: one after the other, as others
        may stop and start while this waits."""
        current = gevent.getcurrent()
        while True:
            ramp = self.spawning_greenlet
            if self._stopping is not None and self._stopper is not current:
                self._stopping.wait()
            elif ramp is not None and ramp is not current:
                ramp.kill(block=True)
                if self.spawning_greenlet is ramp:
                    self.spawning_greenlet = None
            else:
                break
        self.spawning_greenlet = None

    def _begin_ramp(self, user_count: int, spawn_rate: float, dispatcher: UsersDispatcher) -> None:
        if self.environment.host:
            for user_class in self.user_classes:
                user_class.host = self.environment.host
        self.update_state(STATE_SPAWNING)
        self.target_user_count = user_count
        self.spawn_rate = spawn_rate
        self.spawning_greenlet = self._spawn(self._ramp, user_count, spawn_rate, dispatcher)

    def send_message(self, msg_type: str, data: Any = None, client_id: str | None = None) -> None:
        """Calls the listener of ``msg_type`` with a message from node ``"local"``, and returns after it."""
        from locust_c.rpc import Message

        if msg_type not in self.custom_messages:
            logger.warning("Unknown message type received: %s", msg_type)
            return
        listener, _ = self.custom_messages[msg_type]
        listener(environment=self.environment, msg=Message(msg_type, data, "local"))

    def _begin_test(self) -> bool:
        """Fires ``test_start``; returns whether the test still goes on then."""
        self._end_is_near = False
        if self._exit_code_is_ours:
            self.environment.process_exit_code = None
            self._exit_code_is_ours = False
        self.timeline.follow(self.stats.total)
        self.stats.clear_all()
        self.exceptions.clear()
        self.cpu_warning_emitted = False
        self.worker_cpu_warning_emitted = False
        self.final_user_classes_count = {}
        self.record_requests()
        if self._monitor.dead:  # quit() ended it
            self._monitor = self._spawn(self.monitor_cpu_and_memory)
        self.environment.filter_tasks_by_tags()
        # Before the listeners are called: one that stops the test really stops it.
        self.update_state(STATE_SPAWNING)
        try:
            self.environment.events.test_start.fire(environment=self.environment)
        except StopTest as reason:
            self.end_test(reason)
            return False
        return self.state == STATE_SPAWNING

    def _ramp(self, user_count: int, spawn_rate: float, dispatcher: UsersDispatcher) -> None:
        logger.info("Ramping to %d users at a rate of %.2f per second", user_count, spawn_rate)
        try:
            for dispatched in dispatcher:
                self._apply(dispatched[self._local_worker_node.id])
        except StopTest as reason:
            if self.environment.process_exit_code is None:
                self.environment.process_exit_code = 1
                self._exit_code_is_ours = True
            self.end_test(reason)
            return
        total = sum(self.target_user_classes_count.values())
        logger.info(
            "All users spawned: %s (%d total users)",
            json.dumps(self.target_user_classes_count, sort_keys=True),
            total,
        )
        self.environment.events.spawning_complete.fire(user_count=total)

    def _apply(self, wanted: dict[str, int]) -> None:
        """Starts and stops users until there are as many of each class as wanted."""
        self.target_user_classes_count = dict(sorted(wanted.items()))
        running = {name: self.user_greenlets.count(name) for name in wanted}
        logger.debug("Ramping to %s (%d total users)", json.dumps(wanted), sum(wanted.values()))
        self.spawn_users(
            {name: wanted[name] - running[name] for name in wanted if wanted[name] > running[name]}
        )
        self.stop_users(
            {name: running[name] - wanted[name] for name in wanted if wanted[name] < running[name]}
        )


class DistributedRunner(Runner):
    """One of several runners of a test; distributed tests are not part of this version."""

    def __init__(self, environment: Environment, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "Distributed runs (--master, --worker, --processes) are not part of this version of locust-c"
        )


class MasterRunner(DistributedRunner):
    """Controls workers."""


class WorkerRunner(DistributedRunner):
    """Runs users for a master."""


if not TYPE_CHECKING:

    def __getattr__(name: str) -> NoReturn:
        explain_missing(__name__, name)
