"""Finds the test functions of a locustfile in pytest style."""

from __future__ import annotations

import inspect
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ..alias import load_pytest_plugin
from ..user.pytest_user import PytestUser, user_class_for
from .load_locustfile import PytestFileError, import_file
from .pytest_functions import CollectedFunction, SharedFixtures

__all__ = ["collect_user_classes"]

# Collecting is no test run: it leaves no cache in the user's folder and does not touch the process's hooks.
_OPTIONS = ("--collect-only", "--capture=no", "--assert=plain")
_NOT_WANTED = ("cacheprovider", "threadexception", "unraisableexception")
# What pytest's fixtures of these names are about is the one test that runs.
_OF_A_TEST_RUN = re.compile(
    "(cache|cap(fd|fdbinary|log|sys|sysbinary|teesys)|pytester|testdir|recwarn|subtests|"
    "record_(property|testsuite_property|xml_attribute)|(tmp_path|tmpdir)(_factory)?)"
)


class _Collector:
    """A plug-in that keeps what pytest found."""

    def __init__(self, path: Path, module: ModuleType) -> None:
        self._path = path
        self._module = module
        self.items: list[pytest.Item] = []
        self.errors: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.pluginmanager.unregister(name="terminalreporter")

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makemodule(self, module_path: Path, parent: Any) -> pytest.Module | None:
        if module_path != self._path:
            return None
        node: _ImportedModule = _ImportedModule.from_parent(parent, path=module_path)
        node.imported = self._module
        return node

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.errors.append(report.longreprtext)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = list(session.items)


class _ImportedModule(pytest.Module):
    """A locustfile, which was imported already: a second time would register its listeners twice."""

    imported: ModuleType

    def _getobj(self) -> ModuleType:
        return self.imported


def collect_user_classes(path: str) -> dict[str, type[PytestUser]]:
    """Return a user class for each test function of the locustfile ``path``, by name.

    :raises PytestFileError: pytest cannot collect it, or users cannot run one of its test functions.
    """
    full = Path(os.path.abspath(path)).resolve()
    collector = _Collector(full, _imported(full))
    disabled = [argument for name in _NOT_WANTED for argument in ("-p", f"no:{name}")]
    # Our own fixtures, by their module's name, whatever entry points there are.
    load_pytest_plugin()
    plugins = [collector, "pytest_locust.plugin"]
    disabled += ["-p", "no:locust", "-p", "no:locust-c"]
    code = pytest.main([*_OPTIONS, *disabled, str(full)], plugins=plugins)
    if collector.errors:
        raise PytestFileError(collector.errors[0])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise PytestFileError(f"pytest cannot collect its tests (exit code {int(code)})")
    shared = SharedFixtures()
    by_name: dict[str, list[CollectedFunction]] = {}
    for item in collector.items:
        # Not doctests or the tests of unittest, whose functions need a runner of their own.
        if type(item) is pytest.Function:
            _check(item)
            by_name.setdefault(item.originalname, []).append(CollectedFunction(item, shared))
    return {name: user_class_for(name, functions) for name, functions in by_name.items()}


def _imported(path: Path) -> ModuleType:
    """The module of a locustfile that was imported, or that is imported now."""
    module = sys.modules.get(path.stem)
    if module is not None and Path(getattr(module, "__file__", None) or "").resolve() == path:
        return module
    return import_file(str(path))


def _check(item: pytest.Function) -> None:
    if inspect.iscoroutinefunction(item.function):
        raise PytestFileError(f"{item.name} is a coroutine function: users run ordinary ones")
    for name in item.fixturenames:
        if _OF_A_TEST_RUN.fullmatch(name):
            raise PytestFileError(
                f"{item.name} asks for the fixture {name}, which only pytest itself can give"
            )
        if name != "request" and name not in item._fixtureinfo.name2fixturedefs:
            raise PytestFileError(f"{item.name} asks for the fixture {name}, which does not exist")
