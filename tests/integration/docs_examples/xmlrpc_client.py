"""A client for another protocol, XML-RPC: whatever is called on it becomes a request of the statistics."""

import os
import time
from xmlrpc.client import Fault, ServerProxy

from locust import User, constant, task


class MeasuredProxy(ServerProxy):
    def __init__(self, url, request_event):
        super().__init__(url)
        self._request_event = request_event

    def __getattr__(self, name):
        method = super().__getattr__(name)

        def call(*args):
            meta = {
                "request_type": "xmlrpc",
                "name": name,
                "response_length": 0,
                "response": None,
                "context": {},
                "exception": None,
                "start_time": time.time(),
            }
            begin = time.perf_counter()
            try:
                meta["response"] = method(*args)
            except Fault as fault:
                meta["exception"] = fault
            meta["response_time"] = (time.perf_counter() - begin) * 1000
            self._request_event.fire(**meta)
            return meta["response"]

        return call


class XmlRpcUser(User):
    """Can be subclassed for any XML-RPC server."""

    abstract = True

    def __init__(self, environment):
        super().__init__(environment)
        self.client = MeasuredProxy(self.address, environment.events.request)


class Calculator(XmlRpcUser):
    wait_time = constant(0.05)
    address = os.environ.get("XMLRPC_ADDRESS", "http://127.0.0.1:1/")

    @task
    def add(self):
        print("xmlrpc says", self.client.add(40, 2))

    @task
    def divide(self):
        self.client.divide(1, 0)
