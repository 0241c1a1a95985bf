"""The greenlets that users run in, and the group that knows how many of each class there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gevent.greenlet import Greenlet
from gevent.pool import Group

if TYPE_CHECKING:
    from locust_c.user.users import User

__all__ = ["UserGreenlet", "UserGroup"]


class UserGreenlet(Greenlet):  # type: ignore[misc]
    """The greenlet of one user, which is ``args[0]``."""

    # There are many users: gevent is not to keep for each where it was spawned, nor an own function.
    __slots__ = ("user",)
    spawning_stack_limit = 0

    def __init__(self, user: User) -> None:
        super().__init__(None, user)
        self.user = user  # gevent takes args away when the greenlet ends

    def _run(self, user: User) -> None:
        try:
            user.run()
        finally:
            # At once, not when the hub has its next turn: a user that runs before that may be the last one,
            # and plug-ins end the test when they are told so.
            if user._group is not None:
                user._group.discard(self)


class UserGroup(Group):  # type: ignore[misc]
    """The running users. Counts them when they come and go, so that nobody has to count them all."""

    def __init__(self) -> None:
        super().__init__()
        self._by_class: dict[str, dict[Greenlet, None]] = {}

    def add(self, greenlet: Any) -> None:
        """Adds the greenlet of a user."""
        self._by_class.setdefault(_class_name(greenlet), {})[greenlet] = None
        super().add(greenlet)

    def discard(self, greenlet: Any) -> None:
        """Forgets the greenlet of a user."""
        self._forget(greenlet)
        super().discard(greenlet)

    def disregard(self, greenlet: Any) -> None:
        """Counts the user no more among those of its class: it ends as soon as it lets others run."""
        self._forget(greenlet)

    def count(self, class_name: str) -> int:
        """How many users of a class there are."""
        return len(self._by_class.get(class_name, ()))

    def newest(self, class_name: str, count: int) -> list[Any]:
        """The greenlets of the ``count`` users of a class that were added last, newest first."""
        found: list[Any] = []
        for greenlet in reversed(self._by_class.get(class_name, {})):
            if len(found) == count:
                break
            found.append(greenlet)
        return found

    # gevent links this to each greenlet's end.
    def _discard(self, greenlet: Any) -> None:
        self._forget(greenlet)
        super()._discard(greenlet)

    def _forget(self, greenlet: Any) -> None:
        self._by_class.get(_class_name(greenlet), {}).pop(greenlet, None)


def _class_name(greenlet: Any) -> str:
    return type(greenlet.user).__name__
