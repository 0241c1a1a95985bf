"""One user that asks for several things at the same time, as browsers do."""

import gevent
from gevent.pool import Pool

from locust import FastHttpUser, HttpUser, constant, task


class Browser(HttpUser):
    wait_time = constant(0.05)

    @task
    def page_with_pictures(self):
        self.client.get("/anything/page")
        pool = Pool(3)
        for number in range(5):
            pool.spawn(self.client.get, f"/anything/picture/{number}", name="/anything/picture/[number]")
        pool.join()


class FastBrowser(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def two_at_once(self):
        tasks = [gevent.spawn(self.client.get, f"/delay/20?{number}", name="at once") for number in (1, 2)]
        statuses = [one.get().status_code for one in gevent.joinall(tasks)]
        print("at once", statuses)
