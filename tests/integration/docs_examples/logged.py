"""Writing to the log: the level and the file are options of the command."""

import logging

from locust import User, constant, task

logger = logging.getLogger("shop")


class Talkative(User):
    wait_time = constant(0.05)

    @task
    def talk(self):
        logging.info("this is said by the root logger")
        logger.warning("this is said by a logger of the file, user %d", id(self) % 1)
        logger.debug("this is left out")
