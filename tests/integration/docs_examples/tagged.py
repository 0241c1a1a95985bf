"""Tags choose tasks: run with `--tags read --exclude-tags slow`."""

from locust import HttpUser, TaskSet, constant, tag, task


class Tagged(HttpUser):
    wait_time = constant(0.01)

    @tag("read")
    @task
    def read(self):
        self.client.get("/anything/tagged/read")

    @tag("read", "slow")
    @task
    def read_all(self):
        self.client.get("/anything/tagged/slow")

    @task
    def untagged(self):
        self.client.get("/anything/tagged/none")

    @tag("read")
    @task
    class Reading(TaskSet):
        @task
        def turn_the_page(self):
            self.client.get("/anything/tagged/nested")
            self.interrupt()
