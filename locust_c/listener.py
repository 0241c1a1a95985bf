"""Reads the signature of an event's listener, once, and says which value goes to which parameter.

A listener is passed what it names, and everything if it has ``**kwargs``. Locust's events had other
names in older versions, and until 0.6 no names at all: parameters that are named freely, or are
positional only, get the values in the order in which some version documented them.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

from ._core import Listener

# One value, two names: the older and the newer one.
OTHER_NAME = {
    "method": "request_type",
    "request_type": "method",
    "path": "name",
    "name": "path",
    "locust_instance": "user_instance",
    "user_instance": "locust_instance",
    "traceback": "tb",
    "tb": "traceback",
}

Handler = Callable[..., Any]
Order = tuple[str, ...]
Binding = tuple[str | None, tuple[str, ...], Callable[[], Any] | None]


@dataclass(frozen=True)
class Documentation:
    """What Locust's documentation says about the values of an event.

    ``names`` are those it carries, in documented order; ``older_orders`` those in which the versions
    passed them that had no names, the likeliest first. ``extras`` are (older name, name) pairs that a
    listener with ``**kwargs`` gets as well.
    """

    event: str
    names: Order
    older_orders: tuple[Order, ...] = ()
    extras: tuple[tuple[str, str], ...] = ()

    @property
    def orders(self) -> tuple[Order, ...]:
        """The orders of values that listeners may rely on, the likeliest first."""
        return self.older_orders or (self.names,)

    def knows(self, name: str) -> bool:
        """Whether the event carries a value of that name, today's or an older one."""
        return name in self.names or OTHER_NAME.get(name) in self.names


def bind_listener(handler: Handler, documentation: Documentation | None) -> Listener:
    """The Listener of ``handler`` for an event; ``documentation`` None: an event of the user's own.

    A required parameter that can get no value is announced by a WARNING; the listener is called all
    the same, so that it fails the way Locust documents it.
    """
    try:
        # A wrapper is what gets called: what it wraps may take other arguments.
        signature = inspect.signature(handler, follow_wrapped=False)
    except (TypeError, ValueError):
        return Listener(handler)
    reader = _SignatureReader(list(signature.parameters.values()), documentation)
    bindings = reader.read()
    for name in reader.unbound:
        logging.getLogger().warning(
            "The listener %s of the event %s requires the parameter '%s', which the event does not carry",
            describe_handler(handler),
            documentation.event if documentation else "",
            name,
        )
    extras = documentation.extras if documentation else ()
    return Listener(handler, tuple(bindings), tuple(reader.own_names()), reader.takes_rest, extras)


def describe_handler(handler: Handler) -> str:
    """The handler as a user would look for it in the code."""
    name = getattr(handler, "__qualname__", None)
    return f"{getattr(handler, '__module__', '?')}.{name}" if name else repr(handler)


def _is_required(parameter: Parameter) -> bool:
    return parameter.default is Parameter.empty


def _sources(name: str) -> tuple[str, ...]:
    other = OTHER_NAME.get(name)
    return (name, other) if other else (name,)


def _absent(name: str) -> Callable[[], Any]:
    """Makes the value of a documented name that was not fired: no context is an empty dict."""
    return dict if name == "context" else type(None)


class _SignatureReader:
    """Turns the parameters of one listener into bindings."""

    def __init__(self, parameters: list[Parameter], documentation: Documentation | None) -> None:
        kinds = {parameter.kind for parameter in parameters}
        self.documentation = documentation
        self.takes_rest = Parameter.VAR_KEYWORD in kinds
        self.takes_more = Parameter.VAR_POSITIONAL in kinds and not self.takes_rest
        self.positional = [
            p for p in parameters if p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        ]
        self.keyword_only = [p for p in parameters if p.kind is Parameter.KEYWORD_ONLY]
        self.unbound: list[str] = []

    def own_names(self) -> list[str]:
        """The names under which a value would reach a parameter, not the ``**kwargs``."""
        by_name = [p for p in self.positional if p.kind is not Parameter.POSITIONAL_ONLY]
        return [parameter.name for parameter in by_name + self.keyword_only]

    def read(self) -> list[Binding]:
        order = self._choose_order()
        bindings: list[Binding] = []
        if order is not None:
            count = len(self.positional) if self.takes_more else self._count_by_position()
            bindings += [
                self._bind_position(*pair) for pair in zip(self.positional[:count], order, strict=False)
            ]
            if self.takes_more:
                bindings += [(None, _sources(name), _absent(name)) for name in order[count:]]
        by_position = min(len(bindings), len(self.positional))
        for parameter in self.positional[by_position:] + self.keyword_only:
            binding = self._bind_name(parameter)
            if binding is not None:
                bindings.append(binding)
        return bindings

    def _knows(self, parameter: Parameter) -> bool:
        """Whether the parameter's name decides what it gets."""
        if parameter.kind is Parameter.POSITIONAL_ONLY:
            return False
        return self.documentation is None or self.documentation.knows(parameter.name)

    def _count_by_position(self) -> int:
        """How many parameters are passed by position: up to the last one that no name decides."""
        free = [
            count
            for count, parameter in enumerate(self.positional, start=1)
            if parameter.kind is Parameter.POSITIONAL_ONLY
            or (_is_required(parameter) and not self._knows(parameter))
        ]
        return max(free, default=0)

    def _choose_order(self) -> Order | None:
        """The documented order that the parameters fit best; None if they contradict all of them."""
        if self.documentation is None:
            return None
        required = [p for p in self.positional if _is_required(p)]
        fitting = [order for order in self.documentation.orders if self._fits(required, order)]
        return min(fitting, key=lambda order: self._distance(required, order), default=None)

    def _fits(self, required: list[Parameter], order: Order) -> bool:
        return len(required) <= len(order) and all(
            parameter.name in _sources(name)
            for parameter, name in zip(required, order, strict=False)
            if self._knows(parameter)
        )

    def _distance(self, required: list[Parameter], order: Order) -> tuple[bool, int]:
        """An order of just that many values is nearest; then the one that shares most words."""
        shared = sum(
            bool(set(parameter.name.split("_")) & set(name.split("_")))
            for parameter, name in zip(required, order, strict=False)
        )
        return len(order) != len(required), -shared

    def _bind_position(self, parameter: Parameter, name: str) -> Binding:
        sources = _sources(name)
        of_today = self.documentation is not None and not self.documentation.older_orders
        if of_today and parameter.kind is not Parameter.POSITIONAL_ONLY:
            # Who fires an event of today may add values of their own, by name.
            sources = (parameter.name, *sources)
        if _is_required(parameter):
            return None, sources, _absent(name)
        default = parameter.default
        return None, sources, lambda: default

    def _bind_name(self, parameter: Parameter) -> Binding | None:
        documentation = self.documentation
        known = documentation is not None and documentation.knows(parameter.name)
        required = _is_required(parameter)
        if parameter.kind is Parameter.POSITIONAL_ONLY:
            if required and documentation is not None:
                self.unbound.append(parameter.name)
            return None
        if not known:
            if required and documentation is not None:
                self.unbound.append(parameter.name)
            return parameter.name, (parameter.name,), None
        return parameter.name, _sources(parameter.name), _absent(parameter.name) if required else None
