"""A client for a protocol of one's own over TCP: a line is sent, a line is received."""

import os
import socket

from locust import User, constant, task


class LineUser(User):
    wait_time = constant(0.05)
    port = int(os.environ.get("LINE_PORT", "1"))

    def on_start(self):
        with self.environment.events.request.measure("line", "connect"):
            self.connection = socket.create_connection(("127.0.0.1", self.port))
            self.lines = self.connection.makefile("rw")

    def on_stop(self):
        self.lines.close()
        self.connection.close()

    @task
    def echo(self):
        with self.environment.events.request.measure("line", "shout") as meta:
            self.lines.write("hello\n")
            self.lines.flush()
            answer = self.lines.readline()
            meta["response_length"] = len(answer)
            if answer != "HELLO\n":
                raise ValueError(f"{answer!r} is not loud")
