"""Messages between runners."""

from locust_c.rpc.protocol import Message

__all__ = ["Message"]
