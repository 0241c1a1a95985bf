"""Task sets: a part of a site that a user enters, stays in for a while and leaves."""

from locust import HttpUser, TaskSet, constant, task


class Forum(TaskSet):
    def on_start(self):
        self.client.get("/anything/forum/enter")

    def on_stop(self):
        self.client.get("/anything/forum/leave")

    @task(2)
    def read(self):
        self.user.posts_read += 1

    @task
    class Discussion(TaskSet):
        @task
        def answer(self):
            self.client.post("/anything/forum/answer", json={"by": self.parent.user.nick})
            self.interrupt()

    @task
    def leave(self):
        if self.user.posts_read:
            self.interrupt(reschedule=False)


class ForumMember(HttpUser):
    wait_time = constant(0.01)
    nick = "bob"
    posts_read = 0
    tasks = {Forum: 2}

    @task
    def front_page(self):
        self.client.get("/anything/forum")
