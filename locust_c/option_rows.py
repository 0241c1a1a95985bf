"""A row of the table of options, and the kinds of rows that there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Availability = Literal["yes", "later", "renamed"]


@dataclass(frozen=True)
class Option:
    """One option of the command.

    ``available`` is ``"later"`` for options of Locust that this version refuses when they are used, and
    ``"renamed"`` for those that Locust itself refuses; ``help`` is then what the refusal says.
    """

    flags: tuple[str, ...]
    help: str | None
    env_var: str | None = None
    available: Availability = "yes"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    hidden: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether the help lists it."""
        return self.help is not None and self.available != "renamed" and not self.hidden


@dataclass(frozen=True)
class OptionGroup:
    """Options that the help shows under one title."""

    title: str
    options: tuple[Option, ...]


def value(*flags: str, help: str | None, env: str | None = None, **arguments: Any) -> Option:
    """Return an option that takes a value; ``arguments`` are those of ``add_argument``."""
    return Option(flags, help, env, "yes", arguments)


def flag(*flags: str, help: str | None, env: str | None = None, **arguments: Any) -> Option:
    """Return an option that is given or not."""
    return Option(flags, help, env, "yes", {"action": "store_true", "default": False, **arguments})


def passive(*flags: str, env: str | None = None, **arguments: Any) -> Option:
    """Return an option that only a master or worker heeds; taken and ignored, as without --master."""
    return Option(flags, None, env, "yes", arguments)


def later(*flags: str, env: str | None = None, **arguments: Any) -> Option:
    """Return an option of Locust that this version refuses."""
    return Option(flags, "is not supported by this version of locust-c", env, "later", arguments)


def later_flag(*flags: str, env: str | None = None, **arguments: Any) -> Option:
    """Return the like, without a value."""
    return later(*flags, env=env, action="store_true", default=False, **arguments)


def renamed(name: str, refusal: str, env: str | None = None, **arguments: Any) -> Option:
    """Return an option of older Locusts; ``refusal`` says what to write instead."""
    return Option((name,), refusal, env, "renamed", {"nargs": "?", "const": True, **arguments})
