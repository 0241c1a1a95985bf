"""Says each kind of result once, when it is seen first: a listener to every request."""

from locust import events

known = set()


@events.request.add_listener
def say(request_type, name, exception, **kwargs):
    key = (request_type, name, str(exception or "ok"))
    if key not in known:
        known.add(key)
        print("seen", *key)
