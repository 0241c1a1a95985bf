"""Names that modules of stock Locust have only because they import them: found there here as well.

Plug-ins import `RequestStats` from `locust.runners`, or `setup_logging` from `locust.main`, and it works with
stock Locust. Here such a name is looked up in the module that it belongs to when somebody asks for it.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

__all__ = ["add_names"]

#: By module, below the package, and by module that has them: the names.
_NAMES = {
    "argument_parser": {".rpc": "Message", ".util.timespan": "parse_timespan"},
    "clients": {
        ".event": "EventHook",
        "requests": "Response",
        "requests.adapters": "HTTPAdapter",
        "requests.exceptions": "InvalidSchema InvalidURL MissingSchema RequestException",
        "urllib3": "PoolManager",
    },
    "contrib.fasthttp": {
        ".exception": "StopTest",
        "geventhttpclient.client": "HTTPClientPool",
        "geventhttpclient.response": "HTTPConnectionClosed HTTPSocketPoolResponse",
        "geventhttpclient.useragent": "CompatRequest CompatResponse ConnectionError UserAgent",
        "http.cookiejar": "CookieJar",
        "ssl": "SSLError",
    },
    "debug": {".env": "Environment", ".exception": "RescheduleTask"},
    "env": {
        ".runners": "LocalRunner MasterRunner Runner WorkerRunner",
        ".stats": "StatsCSV",
        ".user.task": "TaskSet",
        ".web": "WebUI",
    },
    "html": {".runners": "MasterRunner STATE_STOPPED STATE_STOPPING"},
    "main": {
        ".argument_parser": "get_locustfiles_locally get_parser parse_locustfile_option",
        ".env": "Environment",
        ".html": "get_html_report process_html_filename",
        ".input_events": "input_listener",
        ".log": "greenlet_exception_logger setup_logging",
        ".user.inspectuser": "print_task_ratio print_task_ratio_json",
    },
    "runners": {
        ".dispatch": "UsersDispatcher",
        ".exception": "RPCError RPCReceiveError RPCSendError",
        ".log": "get_logs greenlet_exception_logger",
        ".rpc": "Message",
        ".stats": "RequestStats StatsError setup_distributed_stats_event_listeners",
        ".user.task": "LOCUST_STATE_STOPPING",
    },
    "shape": {".runners": "Runner"},
    "stats": {".exception": "CatchResponseError"},
    "user.inspectuser": {".user.task": "TaskSet", ".user.users": "User"},
    "user.sequential_taskset": {".exception": "LocustError"},
    "user.users": {
        ".clients": "RestResponseContextManager",
        ".exception": "CatchResponseError",
        ".user.task": "TaskSet",
        "requests.exceptions": "RequestException",
        "urllib3": "PoolManager",
    },
    "util.load_locustfile": {".shape": "LoadTestShape", ".user.users": "User"},
    "web": {
        ".html": "get_html_report",
        ".log": "get_logs greenlet_exception_logger",
        ".runners": "MasterRunner STATE_MISSING STATE_RUNNING",
        ".user.inspectuser": "get_ratio",
        ".user.users": "HttpUser",
        ".util.cache": "memoize",
        ".util.date": "format_safe_timestamp",
        ".util.timespan": "parse_timespan",
        "flask": "Blueprint Flask Response jsonify redirect render_template request session url_for",
    },
}
_HOMES = {
    module: {name: home for home, names in homes.items() for name in names.split()}
    for module, homes in _NAMES.items()
}
_PACKAGE = __name__.partition(".")[0]


def add_names(module: ModuleType) -> None:
    """Let `module`, one of this package, have the names that stock Locust's module of that name has."""
    homes = _HOMES.get(module.__name__.partition(".")[2])
    before = vars(module).get("__getattr__")
    if homes is None or isinstance(before, _Names):
        return
    vars(module)["__getattr__"] = _Names(module.__name__, homes, before)


class _Names:
    """A module's `__getattr__`: other names are for the one it had before."""

    def __init__(self, module: str, homes: dict[str, str], before: Any) -> None:
        self._module = module
        self._homes = homes
        self._before = before

    def __call__(self, name: str) -> Any:
        home = self._homes.get(name)
        if home is not None:
            return getattr(importlib.import_module(home, _PACKAGE), name)
        if self._before is not None:
            return self._before(name)
        raise AttributeError(f"module {self._module!r} has no attribute {name!r}")
