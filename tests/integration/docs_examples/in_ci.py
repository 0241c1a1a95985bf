"""In a pipeline: a watch that ends a hopeless test, an exit code of one's own, files with the statistics."""

import logging

import gevent

from locust import HttpUser, constant, events, stats, task
from locust.runners import STATE_STOPPED, STATE_STOPPING, WorkerRunner

stats.PERCENTILES_TO_REPORT = [0.5, 0.9]
stats.CSV_STATS_INTERVAL_SEC = 0.1


@events.init.add_listener
def watch_failures(environment, **kwargs):
    if not isinstance(environment.runner, WorkerRunner):
        gevent.spawn(quit_when_hopeless, environment)


def quit_when_hopeless(environment):
    while environment.runner.state not in (STATE_STOPPING, STATE_STOPPED):
        gevent.sleep(0.05)
        if environment.stats.total.num_failures >= 3 and environment.stats.total.fail_ratio > 0.5:
            logging.error("it makes no sense to go on")
            environment.runner.quit()
            return


@events.quitting.add_listener
def judge(environment, **kwargs):
    total = environment.stats.total
    if total.fail_ratio > 0.01:
        logging.error("too many failures: %.0f %%", total.fail_ratio * 100)
        environment.process_exit_code = 3
    elif total.get_response_time_percentile(0.95) > 10000:
        environment.process_exit_code = 4
    else:
        environment.process_exit_code = 0


class Failing(HttpUser):
    wait_time = constant(0.05)

    @task
    def fail(self):
        self.client.get("/status/500")
