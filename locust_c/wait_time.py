"""``locust_c.user.wait_time`` under its shorter name: the same module object."""

import sys

from locust_c.user import wait_time
from locust_c.user.wait_time import between, constant, constant_pacing, constant_throughput, poisson

__all__ = ["between", "constant", "constant_pacing", "constant_throughput", "poisson"]

sys.modules[__name__] = wait_time
