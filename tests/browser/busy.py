"""A locustfile whose test has something on every tab: failures, exceptions, log lines, names of all kinds."""

#: Names and texts that must be shown and never be run.
SCRIPT = "<script>window.ran = 'a name'</script>"
IMAGE = "<img src=x onerror=window.ran=1>"
TEMPLATE = "{{ 7 * 7 }} ${7 * 7} </script><b>bold</b>"
HEBREW = "\u05e2\u05d2\u05dc\u05d4 \u05e7\u05e0\u05d9\u05d5\u05ea"
OVERRIDE = "\u202ereversed\u202c"
EMOJI = "/\N{SHOPPING TROLLEY}/\N{FAMILY}"
LONG = "/long/" + "x" * 3000
NAMES = [SCRIPT, TEMPLATE, HEBREW, OVERRIDE, EMOJI, LONG]

LOCUSTFILE = f"""
import logging
from locust import HttpUser, constant, task

NAMES = {NAMES!r}

class Visitor(HttpUser):
    wait_time = constant(0.1)

    @task(5)
    def front_page(self):
        self.client.get("/")

    @task(2)
    def missing(self):
        self.client.get("/missing")

    @task(2)
    def odd(self):
        for name in NAMES:
            self.client.get("/", name=name)
        with self.client.get("/", name="/odd", catch_response=True) as response:
            response.failure({IMAGE!r})

    @task
    def broken(self):
        logging.getLogger("shop").warning({SCRIPT!r})
        raise RuntimeError({IMAGE!r})
"""
