"""What a runner does while its environment has a load shape."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from locust_c import log
from locust_c.exception import StopTest
from locust_c.shape import BadTickError, LoadTestShape, course

if TYPE_CHECKING:
    from locust_c.runners import Runner

__all__ = ["follow_shape"]

logger = logging.getLogger("locust.runners")


def follow_shape(runner: Runner, shape: LoadTestShape) -> None:
    """Starts what the shape wants until it ends the test; ends it too if the shape fails."""
    logger.info("Shape worker starting")
    worker = runner.shape_greenlet
    try:
        for tick in course(shape):
            if runner.shape_greenlet is not worker:
                return  # the shape itself stopped the test
            user_count, spawn_rate = tick[:2]
            logger.info("Shape test updating to %d users at %.2f spawn rate", user_count, spawn_rate)
            runner.shape_last_tick = tick
            runner.start(user_count, spawn_rate, user_classes=tick[2] if len(tick) > 2 else None)
        logger.info("Shape test stopping")
    except StopTest as reason:
        runner.end_test(reason)
        return
    except BadTickError as error:
        logger.error("%s", error)
        log.unhandled_greenlet_exception = True
    except Exception as error:
        runner.log_failure(follow_shape, error)
    if runner.environment.web_ui is None:
        runner.quit()
    else:
        runner.stop()
