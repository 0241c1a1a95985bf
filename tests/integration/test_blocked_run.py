"""A locustfile that blocks the interpreter is named by the command."""

from __future__ import annotations

import re
from pathlib import Path

from command_process import run, write

BLOCKING = """
import logging
from gevent.monkey import get_original
from locust import User, constant, task

told = []
logging.getLogger("locust.runners").addFilter(lambda record: told.append(record.msg) or True)

class Blocking(User):
    wait_time = constant(0.2)
    @task
    def block(self):
        if any("blocked" in text for text in told):
            self.environment.runner.quit()
        else:
            get_original("time", "sleep")(1.3)  # a busy machine may miss one
"""


def test_the_line_that_blocks_is_in_the_log(tmp_path: Path) -> None:
    write(tmp_path, BLOCKING)
    code, _, err = run("-f", "locustfile.py", "--headless", "--only-summary", folder=tmp_path)
    assert code == 0
    assert re.search(
        r"WARNING/locust\.runners: The interpreter was blocked for \d\.\d s by Blocking\.block\(\)"
        r" at locustfile\.py:16 \(get_original",
        err,
    )
