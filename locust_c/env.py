"""The environment: the object that holds everything that belongs to one test."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from locust_c.dispatch import UsersDispatcher
from locust_c.event import Events
from locust_c.exception import RunnerAlreadyExistsError
from locust_c.shape import LoadTestShape
from locust_c.stats import RequestStats
from locust_c.user.declaration import check_attributes, check_class
from locust_c.user.tags import filter_tasks_by_tags
from locust_c.user.users import User

if TYPE_CHECKING:
    from locust_c.iterations import IterationLimit
    from locust_c.runners import LocalRunner, MasterRunner, Runner, WorkerRunner
    from locust_c.web import Access, WebUI

__all__ = ["Environment"]

RunnerT = TypeVar("RunnerT", bound="Runner")


class Environment:
    """User classes, options, statistics, events and the runner of one test.

    All arguments are attributes of the same name. Raises ``ValueError`` for two user classes of the same
    name, for class attributes that cannot be, for a shape that is no instance, and if all weights are 0;
    ``TypeError`` for what is no user class, and no list of them.
    """

    def __init__(
        self,
        *,
        user_classes: Sequence[type[User]] | None = None,
        shape_class: LoadTestShape | None = None,
        tags: Sequence[str] | None = None,
        locustfile: str | None = None,
        exclude_tags: Sequence[str] | None = None,
        events: Events | None = None,
        host: str | None = None,
        reset_stats: bool = False,
        stop_timeout: float | None = None,
        catch_exceptions: bool = True,
        parsed_options: Namespace | None = None,
        parsed_locustfiles: list[str] | None = None,
        available_user_classes: dict[str, type[User]] | None = None,
        available_shape_classes: dict[str, LoadTestShape] | None = None,
        available_user_tasks: dict[str, list[Any]] | None = None,
        dispatcher_class: type[UsersDispatcher] = UsersDispatcher,
        profile: str | None = None,
    ) -> None:
        if shape_class is not None and not isinstance(shape_class, LoadTestShape):
            raise ValueError(
                f"shape_class must be an instance of a subclass of LoadTestShape, not {shape_class!r}"
            )
        _check_lists(user_classes=user_classes, tags=tags, exclude_tags=exclude_tags)
        self.runner: Runner | None = None
        self.web_ui: WebUI | None = None
        self.process_exit_code: int | None = None
        """If set, the exit code of the process."""
        self.events = events if events is not None else Events()
        self._stats = RequestStats()
        self.user_classes: list[type[User]] = list(user_classes or [])
        self.shape_class = shape_class
        self.tags = tags
        self.exclude_tags = exclude_tags
        self.locustfile = locustfile
        self.host = host
        self.reset_stats = reset_stats
        self.stop_timeout = _find_stop_timeout(stop_timeout, parsed_options)
        self.catch_exceptions = catch_exceptions
        self.parsed_options = parsed_options
        self.parsed_locustfiles = parsed_locustfiles
        self.available_user_classes = available_user_classes
        self.available_shape_classes = available_shape_classes
        self.available_user_tasks = available_user_tasks
        self.dispatcher_class = dispatcher_class
        self.profile = profile
        self.iteration_limit: IterationLimit | None = None
        self.worker_logs: dict[str, list[str]] = {}
        self._filtered: set[type[User]] = set()
        self._check_classes()
        self._drop_weightless_classes()
        self._check_class_names()

    @property
    def stats(self) -> RequestStats:
        """The statistics of the requests; others may be put in their place."""
        return self._stats

    @stats.setter
    def stats(self, stats: RequestStats) -> None:
        self._stats = stats
        if self.runner is not None:
            self.runner.follow_statistics()

    @property
    def user_classes_by_name(self) -> dict[str, type[User]]:
        """The user classes under their names."""
        return {user_class.__name__: user_class for user_class in self.user_classes}

    def create_local_runner(self) -> LocalRunner:
        """Makes the runner of a test in this process; raises ``RunnerAlreadyExistsError`` the second time."""
        from locust_c.runners import LocalRunner

        self._check_no_runner()
        return self._adopt_runner(LocalRunner(self))

    def create_master_runner(self, master_bind_host: str = "*", master_bind_port: int = 5557) -> MasterRunner:
        """Makes the runner that controls workers and listens on ``master_bind_port``."""
        from locust_c.runners import MasterRunner

        self._check_no_runner()
        return self._adopt_runner(
            MasterRunner(self, master_bind_host=master_bind_host, master_bind_port=master_bind_port)
        )

    def create_worker_runner(self, master_host: str, master_port: int) -> WorkerRunner:
        """Makes the runner that a master at ``master_host``, ``master_port`` controls."""
        from locust_c.runners import WorkerRunner

        self._check_no_runner()
        own_stats = self.stats
        self.stats = RequestStats(use_response_times_cache=False)
        try:
            return self._adopt_runner(WorkerRunner(self, master_host=master_host, master_port=master_port))
        except Exception:
            self.stats = own_stats
            raise

    def create_web_ui(
        self,
        host: str = "",
        port: int = 8089,
        web_base_path: str | None = None,
        web_login: bool = False,
        tls_cert: str | None = None,
        tls_key: str | None = None,
        stats_csv_writer: Any = None,
        delayed_start: bool = False,
        userclass_picker_is_active: bool = False,
        build_path: str | None = None,
        access: Access | None = None,
    ) -> WebUI:
        """Makes the web UI; ``delayed_start`` leaves starting its server to ``web_ui.start()``."""
        from locust_c.web import WebUI

        self.web_ui = WebUI(
            self,
            host,
            port,
            web_base_path=web_base_path,
            web_login=web_login,
            tls_cert=tls_cert,
            tls_key=tls_key,
            stats_csv_writer=stats_csv_writer,
            delayed_start=delayed_start,
            userclass_picker_is_active=userclass_picker_is_active,
            build_path=build_path,
            access=access,
        )
        return self.web_ui

    def update_user_class(self, user_settings: dict[str, Any]) -> None:
        """Sets attributes of the class that ``user_settings["user_class_name"]`` names.

        ``tasks`` are names of tasks in ``available_user_tasks``. Raises ``ValueError`` for unknown names and
        for values that the attributes cannot have; nothing is changed then.
        """
        settings = dict(user_settings)
        class_name = settings.pop("user_class_name", None)
        user_class = (self.available_user_classes or self.user_classes_by_name).get(class_name)
        if user_class is None:
            raise ValueError(f"There is no user class named {class_name!r}")
        if "tasks" in settings:
            settings["tasks"] = self._find_tasks(user_class, settings["tasks"])
        try:
            check_attributes(user_class.__name__, settings)
        except TypeError as error:
            raise ValueError(str(error)) from None
        for attribute, value in settings.items():
            setattr(user_class, attribute, value)

    def update_worker_logs(self, worker_log_report: dict[str, Any]) -> None:
        """Keeps the log lines that a worker sent: ``{"worker_id": …, "logs": [lines]}``."""
        worker_id = worker_log_report.get("worker_id")
        if worker_id:
            self.worker_logs[worker_id] = worker_log_report.get("logs", [])

    def assign_equal_weights(self) -> None:
        """Gives all user classes, and all tasks in each, the same weight."""
        for user_class in self.user_classes:
            user_class.weight = 1
            tasks: list[Any] = []
            for task in user_class.tasks:
                if task not in tasks:
                    tasks.append(task)
            user_class.tasks = tasks

    def filter_tasks_by_tags(self) -> None:
        """Leaves the tasks out that ``tags`` and ``exclude_tags`` do not want; works once for each class."""
        tags = None if self.tags is None else set(self.tags)
        exclude_tags = None if self.exclude_tags is None else set(self.exclude_tags)
        for user_class in self.user_classes:
            if user_class not in self._filtered:
                self._filtered.add(user_class)
                filter_tasks_by_tags(user_class, tags, exclude_tags)

    def _find_tasks(self, user_class: type[User], names: Sequence[str]) -> list[Any]:
        available = (self.available_user_tasks or {}).get(user_class.__name__, user_class.tasks)
        unknown = set(names) - {task.__name__ for task in available}
        if unknown:
            raise ValueError(f"{user_class.__name__} has no task named {', '.join(sorted(unknown))}")
        return [task for task in available if task.__name__ in names]

    def _check_no_runner(self) -> None:
        if self.runner is not None:
            raise RunnerAlreadyExistsError(f"Environment.runner already exists ({self.runner})")

    def _adopt_runner(self, runner: RunnerT) -> RunnerT:
        self.runner = runner
        if self.shape_class is not None:
            self.shape_class.runner = runner
        return runner

    def _check_classes(self) -> None:
        for user_class in self.user_classes:
            if not (isinstance(user_class, type) and issubclass(user_class, User)):
                raise TypeError(f"user_classes must hold subclasses of User, not {user_class!r}")
            check_class(user_class)

    def _drop_weightless_classes(self) -> None:
        if self.user_classes and all(cls.weight == 0 and not cls.fixed_count for cls in self.user_classes):
            raise ValueError("There are no users with weight > 0.")
        self.user_classes = [cls for cls in self.user_classes if cls.weight > 0 or cls.fixed_count]

    def _check_class_names(self) -> None:
        if len(self.user_classes_by_name) < len(self.user_classes):
            names = [cls.__name__ for cls in self.user_classes]
            twice = sorted(cls.fullname() for cls in self.user_classes if names.count(cls.__name__) > 1)
            raise ValueError(f"The following user classes have the same class name: {', '.join(twice)}")


def _check_lists(**arguments: object) -> None:
    for name, value in arguments.items():
        # A single class is no list of classes, and the letters of a tag are no tags.
        if isinstance(value, (str, type)):
            raise TypeError(f"{name} must be a list, not {value!r}")


def _find_stop_timeout(stop_timeout: float | None, parsed_options: Namespace | None) -> float:
    if stop_timeout is None:
        stop_timeout = getattr(parsed_options, "stop_timeout", None)
    try:
        return float(stop_timeout or 0)
    except (TypeError, ValueError):
        raise ValueError(f"stop_timeout must be a number of seconds, not {stop_timeout!r}") from None
