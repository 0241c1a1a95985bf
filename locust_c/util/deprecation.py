"""Classes and attributes of Locust before 1.0: to use one of them says what it is called today."""

from typing import Any, NoReturn


class _Renamed:
    """A class that may be imported but not subclassed (Locust's documented behaviour since 1.0)."""

    _old_name = ""
    _new_name = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "_old_name" not in cls.__dict__:
            raise ImportError(
                f"The {cls._old_name} class has been renamed to {cls._new_name} in version 1.0. "
                "For more info see: https://docs.locust.io/en/latest/changelog.html#changelog-1-0"
            )


class DeprecatedLocustClass(_Renamed):
    """`locust.Locust`."""

    _old_name = "Locust"
    _new_name = "User"


class DeprecatedHttpLocustClass(_Renamed):
    """`locust.HttpLocust`."""

    _old_name = "HttpLocust"
    _new_name = "HttpUser"


class DeprecatedFastHttpLocustClass(_Renamed):
    """`locust.contrib.fasthttp.FastHttpLocust`."""

    _old_name = "FastHttpLocust"
    _new_name = "FastHttpUser"


class RemovedAttribute:
    """An attribute of before 1.0: to read it raises ``AttributeError`` with ``hint``; it may be set."""

    def __init__(self, hint: str) -> None:
        self._hint = hint

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(f"{owner.__name__} {self._hint}")
