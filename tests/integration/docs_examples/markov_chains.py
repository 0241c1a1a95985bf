"""What comes next depends on what was done last: a Markov chain of tasks."""

from locust import HttpUser, MarkovTaskSet, constant, transition, transitions


class Journey(MarkovTaskSet):
    @transition("search")
    def home(self):
        self.client.get("/anything/journey/home")

    @transitions({"search": 1, "book": 3})
    def search(self):
        self.client.get("/anything/journey/search")

    @transitions([("home", 2), "search"])
    def book(self):
        self.client.get("/anything/journey/book")


class Traveller(HttpUser):
    wait_time = constant(0.01)
    tasks = [Journey]
