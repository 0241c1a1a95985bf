"""Import one locustfile and find in it the user classes and load shapes."""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
from importlib.machinery import SourceFileLoader
from types import ModuleType
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from ..shape import LoadTestShape
    from ..user.users import PytestUser, User


def is_user_class(item: object) -> TypeGuard[type[User]]:
    """Whether ``item`` is a user class that can be spawned: a subclass of ``User`` that is not abstract."""
    from ..user.users import User

    return inspect.isclass(item) and issubclass(item, User) and item.abstract is False


def is_shape_class(item: object) -> TypeGuard[type[LoadTestShape]]:
    """Whether ``item`` is a load shape to use: a subclass of ``LoadTestShape`` that is not abstract."""
    from ..shape import LoadTestShape

    return inspect.isclass(item) and issubclass(item, LoadTestShape) and not item.abstract


def import_file(path: str) -> ModuleType:
    """Run the Python file ``path`` as a module named after it.

    Its own folder, then the current one, come first on ``sys.path`` (Locust's documented behaviour).

    The module stays in ``sys.modules`` (dataclasses and pickle look it up there), unless it would hide
    a module that is already imported. Whatever the file raises passes through.
    """
    path = os.path.abspath(path)
    name = os.path.splitext(os.path.basename(path))[0]
    folders = list(dict.fromkeys([os.path.dirname(path), os.getcwd()]))
    sys.path[:] = folders + [entry for entry in sys.path if entry not in folders]
    spec = importlib.util.spec_from_file_location(name, path, loader=SourceFileLoader(name, path))
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    owns_name = name not in sys.modules
    if owns_name:
        sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        if owns_name:
            sys.modules.pop(name, None)
        raise
    return module


def load_locustfile(path: str) -> tuple[dict[str, type[User]], list[LoadTestShape]]:
    """Import the locustfile ``path``.

    :returns: its user classes by name, and one instance of each of its load shapes.
    :raises BaseException: whatever the locustfile raises when it runs.
    """
    module = import_file(path)
    names = vars(module)
    user_classes = {name: value for name, value in names.items() if is_user_class(value)}
    shape_classes = {id(value): value for value in names.values() if is_shape_class(value)}
    return user_classes, [shape_class() for shape_class in shape_classes.values()]


class PytestFileError(Exception):
    """pytest cannot collect the tests of a locustfile; the text says why."""


def load_locustfile_pytest(path: str) -> dict[str, type[PytestUser]]:
    """Return a user class for each test function of ``path``, a locustfile in pytest style.

    :raises PytestFileError: pytest cannot collect its tests.
    :raises BaseException: whatever the locustfile raises when it runs.
    """
    from .pytest_collection import collect_user_classes

    return collect_user_classes(path)
