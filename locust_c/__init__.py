"""locust-c: Locust's locustfiles on a request engine in C.

The names of this package are those of Locust's documented API; see docs/ for what differs.
"""

import importlib
from types import ModuleType

from .early_signals import end_quietly_on_ctrl_c

# Before what takes time to import.
end_quietly_on_ctrl_c()

from .patch import patch_libraries, patch_response

# Before every other import: nothing may keep a reference to a function that gevent replaces.
patch_libraries()

from ._core import __version__
from .event import Events

# Looked up as an attribute of the package wherever it is used: programs put their own Events here.
events = Events()

from .connections import ConnectionOptions as ConnectionOptions
from .contrib.fasthttp import FastHttpUser
from .debug import run_single_user
from .shape import LoadTestShape
from .user import wait_time
from .user.markov_taskset import MarkovTaskSet, transition, transitions
from .user.sequential_taskset import SequentialTaskSet
from .user.task import TaskSet, tag, task
from .user.users import HttpUser, User
from .user.wait_time import between, constant, constant_pacing, constant_throughput, poisson
from .util.deprecation import DeprecatedHttpLocustClass as HttpLocust
from .util.deprecation import DeprecatedLocustClass as Locust
from .util.old_names import explain_missing

patch_response()

__all__ = (
    "FastHttpUser",
    "HttpLocust",
    "HttpUser",
    "LoadTestShape",
    "Locust",
    "MarkovTaskSet",
    "SequentialTaskSet",
    "TaskSet",
    "User",
    "__version__",
    "between",
    "constant",
    "constant_pacing",
    "constant_throughput",
    "events",
    "poisson",
    "run_single_user",
    "tag",
    "task",
    "transition",
    "transitions",
    "wait_time",
)

# `import locust` loads these with stock Locust; here they are loaded when they are first asked for.
_LATE_MODULES = frozenset(
    ("argument_parser", "dispatch", "env", "html", "log", "rpc", "runners", "stats", "web")
)


def __getattr__(name: str) -> ModuleType:
    if name not in _LATE_MODULES:
        explain_missing(__name__, name)
    return importlib.import_module(f"{__name__}.{name}")
