"""`locust` and every `locust.x` are the modules of locust_c."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import locust_c
from locust_c import alias

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def restored_imports() -> Iterator[None]:
    modules, finders = dict(sys.modules), list(sys.meta_path)
    yield
    sys.meta_path[:] = finders
    for name in [name for name in sys.modules if name not in modules]:
        del sys.modules[name]
    sys.modules.update(modules)


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_every_loaded_module_has_both_names() -> None:
    alias.install()
    ours = [name for name in sys.modules if name == "locust_c" or name.startswith("locust_c.")]
    assert len(ours) > 10
    for name in ours:
        assert sys.modules["locust" + name.removeprefix("locust_c")] is sys.modules[name]


def test_importing_the_module_of_a_function_does_not_replace_the_function() -> None:
    alias.install()
    import locust.user.task
    from locust.user import task

    assert callable(task)
    assert locust.user.task is task is locust_c.task
    assert sys.modules["locust.user.task"] is sys.modules["locust_c.user.task"]


def test_a_module_that_is_not_loaded_yet_becomes_the_same_object() -> None:
    done = run_python(
        "-c",
        "import sys, locust\n"
        "assert 'flask' not in sys.modules\n"
        "import locust.web, locust_c.web\n"
        "assert locust.web is locust_c.web is sys.modules['locust.web']\n"
        "assert locust.web.__spec__.name == 'locust_c.web'\n",
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_modules_that_stock_locust_loads_at_import_are_attributes() -> None:
    done = run_python("-c", "import locust; print(locust.runners.__name__, locust.web.__name__)")
    assert done.stdout.split() == ["locust_c.runners", "locust_c.web"], done.stderr


def test_an_unknown_module_is_reported_under_the_name_that_was_asked_for() -> None:
    alias.install()
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'locust\.nonsense'"):
        __import__("locust.nonsense")
    with pytest.raises(AttributeError, match="nonsense"):
        _ = locust_c.nonsense  # type: ignore[attr-defined]


def test_a_stock_locust_that_was_imported_before_is_replaced() -> None:
    sys.modules["locust"] = ModuleType("locust")
    sys.modules["locust.opentelemetry"] = ModuleType("locust.opentelemetry")
    assert not alias.is_installed()
    alias.install()
    assert alias.is_installed()
    assert sys.modules["locust"] is locust_c
    assert "locust.opentelemetry" not in sys.modules


def test_installing_twice_adds_one_finder() -> None:
    alias.install()
    finders = list(sys.meta_path)
    alias.install()
    assert sys.meta_path == finders


@pytest.mark.parametrize("name", ["locust", "locust.main", "locust_c", "locust_c.main"])
def test_every_name_runs_as_a_program(name: str) -> None:
    done = run_python("-m", name, "--version")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"locust {locust_c.__version__} from ")
