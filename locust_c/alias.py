"""Makes `locust`, and every `locust.x`, the modules of this package: the same objects.

A module that is loaded is mapped at once. That is not only speed: the import system sets an imported
module as an attribute of its parent, which would put the module `locust.user.task` in the place of the
function of that name. A module that is not loaded yet (`locust.web`, for Flask is not wanted in a run
without it) is found by a finder in front of all others and mapped when it is imported.
`pytest_locust`, pytest's plug-in, is ours where `locust` is.
"""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from .util.old_names import hint_for
from .util.stock_names import add_names

_ALIAS = "locust"
_PACKAGE = __name__.rpartition(".")[0]
_PYTEST_PLUGIN = "pytest_locust"
_PYTEST_PLUGIN_FILE = Path(__file__).parents[1] / "locust_c_pytest.py"


def _belongs_to(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


class _AliasLoader:
    """Puts the real module into `sys.modules` where the import system has put an empty one."""

    def __init__(self, real_name: str) -> None:
        self._real_name = real_name

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        # Not the real module: the import system would overwrite its __spec__.
        return None

    def exec_module(self, module: ModuleType) -> None:
        importlib.import_module(self._real_name)
        _map_loaded_modules()

    def get_code(self, name: str) -> CodeType | None:
        """The code of the real module, which `python -m locust.main` runs as `__main__`."""
        spec = importlib.util.find_spec(self._real_name)
        loader: Any = spec.loader if spec else None
        code: CodeType | None = loader.get_code(self._real_name) if loader else None
        return code


class _AliasFinder:
    """Finds `locust.x` where `locust_c.x` is, and pytest's plug-in next to this package."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == _PYTEST_PLUGIN:
            return importlib.util.spec_from_file_location(name, _PYTEST_PLUGIN_FILE)
        if not _belongs_to(name, _ALIAS):
            return None
        real_name = _PACKAGE + name[len(_ALIAS) :]
        real = importlib.util.find_spec(real_name)
        if real is None:
            hint = hint_for(_ALIAS, name[len(_ALIAS) + 1 :])
            if hint is not None:
                raise ImportError(hint)
            return None
        is_package = real.submodule_search_locations is not None
        loader: Any = _AliasLoader(real_name)
        spec = ModuleSpec(name, loader, origin=real.origin, is_package=is_package)
        if real.submodule_search_locations is not None:
            spec.submodule_search_locations = list(real.submodule_search_locations)
        return spec


def _map_loaded_modules() -> None:
    for name, module in list(sys.modules.items()):
        if _belongs_to(name, _PACKAGE) and module is not None:
            sys.modules[_ALIAS + name[len(_PACKAGE) :]] = module
            add_names(module)


def install() -> None:
    """Make `locust` ours in this process, also where stock Locust is installed. Calling it again is harmless.

    Modules of stock Locust that the process has imported before are forgotten: who holds them keeps them,
    the next `import locust` gives ours.
    """
    _forget(_ALIAS)
    _forget_foreign_pytest_plugin()
    if not any(isinstance(finder, _AliasFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AliasFinder())
    _map_loaded_modules()


def load_pytest_plugin() -> None:
    """Make `pytest_locust.plugin` ours in this process, whatever else is, and load it."""
    _forget_foreign_pytest_plugin()
    if _PYTEST_PLUGIN not in sys.modules:
        spec = importlib.util.spec_from_file_location(_PYTEST_PLUGIN, _PYTEST_PLUGIN_FILE)
        assert spec is not None and spec.loader is not None
        module = sys.modules[_PYTEST_PLUGIN] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


def _forget_foreign_pytest_plugin() -> None:
    if getattr(sys.modules.get(_PYTEST_PLUGIN), "__file__", None) != str(_PYTEST_PLUGIN_FILE):
        _forget(_PYTEST_PLUGIN)


def _forget(package: str) -> None:
    for name in [name for name in sys.modules if _belongs_to(name, package)]:
        del sys.modules[name]


def is_installed() -> bool:
    """Whether `import locust` gives this package in this process."""
    return sys.modules.get(_ALIAS) is sys.modules[_PACKAGE]
