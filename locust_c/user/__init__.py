"""Users and their tasks. ``task`` here is the function; its module is ``locust_c.user.task``."""

from locust_c.user.task import TaskSet, tag, task
from locust_c.user.users import HttpUser, User

__all__ = ["HttpUser", "TaskSet", "User", "tag", "task"]
