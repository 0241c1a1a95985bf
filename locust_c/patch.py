"""What `import locust_c` changes in other libraries, in one place.

Locust's documented import side effects: the standard library is monkey-patched by gevent, urllib3's
connection pools queue in gevent's way, and a `requests.Response` explains why it has no `success()`.
"""

import contextlib
import os
from collections.abc import Iterator
from importlib import metadata
from typing import Any


def patch_libraries() -> None:
    """Make the standard library and urllib3 cooperate with gevent.

    Must run before anything that keeps a reference to an unpatched function is imported. The variables
    `LOCUST_SKIP_MONKEY_PATCH` (all of it) and `LOCUST_SKIP_URLLIB3_PATCH`, set to anything, leave it out.
    """
    if os.environ.get("LOCUST_SKIP_MONKEY_PATCH"):
        return
    from gevent import monkey

    with _entry_points_read_once():
        monkey.patch_all()
    if os.environ.get("LOCUST_SKIP_URLLIB3_PATCH"):
        return
    from gevent.queue import LifoQueue
    from urllib3.connectionpool import ConnectionPool

    # gevent replaces the names in the queue module, but urllib3's pool keeps the class it was defined with.
    ConnectionPool.QueueCls = LifoQueue


@contextlib.contextmanager
def _entry_points_read_once() -> Iterator[None]:
    """gevent looks for plug-ins at each of its 25 steps, and reads all that packages say each time."""
    found = metadata.entry_points()

    def select(**wanted: Any) -> Any:
        return found.select(**wanted)

    original, metadata.entry_points = metadata.entry_points, select
    try:
        yield
    finally:
        metadata.entry_points = original


def patch_response() -> None:
    """Give `requests.Response` a `success` and a `failure` that raise `LocustError` with the way out."""
    import requests

    from .exception import LocustError

    def needs_catch_response(self: requests.Response, *args: object) -> None:
        raise LocustError(
            "success() and failure() decide a request only inside a with-block: "
            "you must pass catch_response=True to the request and use its response in `with ... as response:`"
        )

    for name in ("success", "failure"):
        setattr(requests.Response, name, needs_catch_response)
