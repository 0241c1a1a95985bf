"""Each user takes the next row of a CSV file, and a user without a row stops."""

import csv
import io
import itertools

from locust import HttpUser, constant, task
from locust.exception import StopUser

FILE = io.StringIO("name,city\nann,Oslo\nbob,Rome\n")
rows = itertools.chain(csv.DictReader(FILE))


class Customer(HttpUser):
    fixed_count = 3
    wait_time = constant(0.05)

    def on_start(self):
        try:
            self.row = next(rows)
        except StopIteration:
            print("no row is left")
            raise StopUser from None

    @task
    def travel(self):
        self.client.get(
            f"/anything/from/{self.row['city']}", params={"name": self.row["name"]}, name=self.row["city"]
        )
