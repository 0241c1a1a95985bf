"""Names that Locust had before 1.0, and what to write instead of each."""

from __future__ import annotations

import sys
from opcode import opmap
from typing import NoReturn

__all__ = ["explain_missing", "hint_for"]

_HINTS = {
    "locust": {
        "HttpLocust": "subclass HttpUser",
        "InterruptTaskSet": "from locust.exception import InterruptTaskSet",
        "LocustBase": "subclass User",
        "RescheduleTaskImmediately": "from locust.exception import RescheduleTaskImmediately",
        "ResponseError": "from locust.exception import ResponseError",
        "SubLocust": "subclass TaskSet",
        "TaskSequence": "subclass SequentialTaskSet",
        "WebLocust": "subclass HttpUser",
        "core": "import from locust",
        "inspectlocust": "import from locust.user.inspectuser",
        "require_once": "call the function in on_start",
        "seq_task": "decorate with @task in a SequentialTaskSet, whose tasks run in the order of the class",
    },
    "locust.exception": {"InterruptLocust": "use InterruptTaskSet", "StopLocust": "use StopUser"},
    "locust.clients": {"HttpBrowser": "use HttpSession"},
    "locust.runners": {
        "DistributedLocustRunner": "use DistributedRunner",
        "LocalLocustRunner": "use LocalRunner",
        "LocustRunner": "use Runner",
        "MasterLocustRunner": "use MasterRunner",
        "SLAVE_REPORT_INTERVAL": "use WORKER_REPORT_INTERVAL",
        "STATE_HATCHING": "use STATE_SPAWNING",
        "SlaveLocustRunner": "use WorkerRunner",
        "SlaveNode": "use WorkerNode",
        "SlaveNodes": "use WorkerNodes",
        "locust_runner": "use environment.runner; event listeners and users have the environment",
    },
    "locust.stats": {
        "global_stats": "use environment.stats; event listeners and users have the environment",
    },
}
_IMPORT_FROM = opmap["IMPORT_FROM"]


def hint_for(module: str, name: str) -> str | None:
    """What to write instead of a name of before 1.0; ``None`` for another name."""
    public = module.replace("locust_c", "locust", 1)
    hint = _HINTS.get(public, {}).get(name)
    return None if hint is None else f"{public}.{name} is from before Locust 1.0: {hint}"


def explain_missing(module: str, name: str) -> NoReturn:
    """Raises what a module's ``__getattr__`` has to raise for a name that the module does not have.

    Python would replace the text of an ``AttributeError`` in ``from module import name``: there it is an
    ``ImportError``.
    """
    hint = hint_for(module, name)
    if hint is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    asking = sys._getframe(1)
    while asking.f_back is not None and asking.f_code.co_name in ("__getattr__", "__call__"):
        asking = asking.f_back
    if asking.f_code.co_code[asking.f_lasti] == _IMPORT_FROM:
        raise ImportError(hint)
    raise AttributeError(hint)
