"""In a pipeline: the exit code depends on the statistics when the test quits."""

import logging

from locust import HttpUser, constant, events, task


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
        if self.environment.stats.get("/status/500", "GET").num_failures >= 3:
            self.environment.runner.quit()
