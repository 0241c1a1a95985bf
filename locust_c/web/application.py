"""Making Flask applications, and giving a new one what a locustfile registered on the first."""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider
from werkzeug.routing import Rule

#: Attributes of an application in which Flask keeps what its decorators register.
_REGISTRIES = (
    "view_functions",
    "error_handler_spec",
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "teardown_appcontext_funcs",
    "template_context_processors",
    "url_value_preprocessors",
    "url_default_functions",
    "url_build_error_handlers",
    "shell_context_processors",
    "blueprints",
    "extensions",
)


def make_app() -> Flask:
    """Return an application without any route of ours."""
    app = Flask("locust_c.web")
    app.logger = logging.getLogger("locust.web")
    if isinstance(app.json, DefaultJSONProvider):
        # As Locust answers: readable, keys sorted.
        app.json.compact = False
    return app


@dataclass(frozen=True)
class Registrations:
    """What had been registered on an application at one moment."""

    rules: list[Rule]
    registries: dict[str, Any]
    config: dict[str, Any]
    jinja: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, app: Flask) -> Registrations:
        """Take down what is registered on ``app`` now."""
        return cls(
            rules=[rule.empty() for rule in app.url_map.iter_rules() if rule.endpoint != "static"],
            registries={name: _copy_registry(getattr(app, name)) for name in _REGISTRIES},
            config=dict(app.config),
            jinja={
                "filters": dict(app.jinja_env.filters),
                "tests": dict(app.jinja_env.tests),
            },
        )

    def apply(self, app: Flask) -> None:
        """Register the same on ``app``, which has served no request yet."""
        for rule in self.rules:
            app.url_map.add(rule.empty())
        for name, registry in self.registries.items():
            _merge_registry(getattr(app, name), _copy_registry(registry))
        app.config.update(self.config)
        app.jinja_env.filters.update(self.jinja["filters"])
        app.jinja_env.tests.update(self.jinja["tests"])


def _copy_registry(registry: Any) -> Any:
    """Copy nested dicts and lists, but not the functions and classes in them."""
    if isinstance(registry, dict):
        duplicate = copy.copy(registry)
        for key, value in registry.items():
            duplicate[key] = _copy_registry(value)
        return duplicate
    return list(registry) if isinstance(registry, list) else registry


def _merge_registry(target: Any, source: Any) -> None:
    if isinstance(source, list):
        target.extend(item for item in source if item not in target)
        return
    for key, value in source.items():
        if isinstance(value, (dict, list)) and key in target:
            _merge_registry(target[key], value)
        elif key not in target:
            target[key] = value
