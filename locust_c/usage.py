"""How much of the processor and of memory this process takes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NoReturn

import gevent
import psutil

if TYPE_CHECKING:
    from locust_c.runners import Runner

__all__ = ["watch_usage"]

logger = logging.getLogger("locust.runners")


def watch_usage(runner: Runner) -> NoReturn:
    """Samples the usage at intervals for the attributes of ``runner``, and fires the events about it.

    ``cpu_warning`` is fired with each sample above the threshold, the log says it once a test.
    """
    from locust_c import runners  # its constants are read when they are used: programs change them

    process = psutil.Process()
    process.cpu_percent()  # measured from one call to the next
    events = runner.environment.events
    while True:
        gevent.sleep(runners.CPU_MONITOR_INTERVAL)
        runner.current_cpu_usage = float(process.cpu_percent())
        runner.current_memory_usage = int(process.memory_info().rss)
        if runner.current_cpu_usage > runners.CPU_WARNING_THRESHOLD:
            events.cpu_warning.fire(environment=runner.environment, cpu_usage=runner.current_cpu_usage)
            if not runner.cpu_warning_emitted:
                logger.warning(
                    "CPU usage above %s%%! The load generator may be short of processor time: fewer requests"
                    " may be made, and later than planned.",
                    runners.CPU_WARNING_THRESHOLD,
                )
            runner.cpu_warning_emitted = True
        events.usage_monitor.fire(
            environment=runner.environment,
            cpu_usage=runner.current_cpu_usage,
            memory_usage=runner.current_memory_usage,
        )
