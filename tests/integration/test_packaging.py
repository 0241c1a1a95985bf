"""Wheel and editable install, with and without stock Locust, in both orders; `adopt` and `release`.

Wheels are built once: the one of `pip install .`, and the one that `pip install -e .` makes for itself. (The
environment of the tests is made by that very command, see `.ci/setup`.) Each case has an environment of its
own in a temporary folder, and every command runs outside of the checkout, whose `locust.py` would be first.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OUR_VERSION = PROJECT["version"]
STOCK_VERSION = OUR_VERSION.rpartition(".")[0]

SAME_MODULES = """
import sys, locust, locust_c, locust.runners, locust_c.runners, locust.user.task
print(locust.__version__, locust is locust_c, locust.runners is locust_c.runners, callable(locust.user.task))
print("flask" not in sys.modules)
"""

TELL_PLUGIN = """
import sys

def pytest_configure(config):
    loaded = [plugin for plugin in config.pluginmanager.get_plugins() if hasattr(plugin, "fastsession")]
    print("plug-ins", *(plugin.__file__ for plugin in loaded), "locust_c" in sys.modules)
"""

VERSION_AND_FILE = "import locust.runners; print(locust.__version__, locust.runners.__file__)"

BUILD_EDITABLE = """
import sys
from scikit_build_core.setuptools import build_meta
build_meta.build_editable(sys.argv[1])
"""

# Nothing of the environment of this process may decide what the others import. What pip needs (a proxy, a
# trust store) stays: this is read before a fixture takes it away from the tests.
CLEAN_VARIABLES = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("LOCUST_", "PYTHON")) and name not in ("VIRTUAL_ENV", "COVERAGE_PROCESS_START")
} | {"PYTHONDONTWRITEBYTECODE": "1"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=CLEAN_VARIABLES,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def pip(*arguments: str | Path, cwd: Path) -> None:
    run(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, cwd=cwd)


@dataclass(frozen=True)
class Distributions:
    """What the environments are made of, built or fetched once."""

    source: Path
    sdist: Path
    wheel: Path
    editable_wheel: Path
    stock_wheel: Path
    dependencies: Path


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and what is asked of it."""

    folder: Path

    @property
    def packages(self) -> Path:
        return next((self.folder / "lib").glob("python*")) / "site-packages"

    @property
    def stock_folders(self) -> list[str]:
        """Where stock Locust has its modules."""
        return [os.path.relpath(self.packages / name, self.folder) for name in ("locust", "pytest_locust")]

    def command(self, name: str, *arguments: str) -> str:
        return run(self.folder / "bin" / name, *arguments, cwd=self.folder)

    def install(self, *arguments: str | Path) -> None:
        pip("--python", self.folder / "bin" / "python", "install", "--no-deps", *arguments, cwd=self.folder)

    def fingerprint(self, *folders: str) -> dict[str, str]:
        """The digest of every file in these folders of the environment."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for folder in folders
            for path in sorted((self.folder / folder).rglob("*"))
            if path.is_file()
        }


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    work = tmp_path_factory.mktemp("distributions")
    # An editable install builds into its tree: not into the one from which this process has its extension.
    source = work / "source"
    ignored = shutil.ignore_patterns(
        "*.so", "*.egg-info", "__pycache__", ".*", "build", "dist", "tests", "benchmarks"
    )
    shutil.copytree(ROOT, source, ignore=ignored)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", work, source, cwd=work)
    editable = work / "editable"
    editable.mkdir()
    run(sys.executable, "-c", BUILD_EDITABLE, editable, cwd=source)
    pip("download", "--quiet", "--no-deps", "--dest", work, f"locust=={STOCK_VERSION}", cwd=work)
    stock_wheel = next(work.glob(f"locust-{STOCK_VERSION}-*.whl"))
    # What both of them need, and neither of them.
    dependencies = work / "dependencies"
    needed = [stock_wheel, *PROJECT["dependencies"]]
    pip("install", "--quiet", "--target", dependencies, *needed, cwd=work)
    for folder in ("locust", "pytest_locust", f"locust-{STOCK_VERSION}.dist-info"):
        shutil.rmtree(dependencies / folder)
    return Distributions(
        source=source,
        sdist=next(work.glob("*.tar.gz")),
        wheel=next(work.glob("locust_c-*.whl")),
        editable_wheel=next(editable.glob("*.whl")),
        stock_wheel=stock_wheel,
        dependencies=dependencies,
    )


@pytest.fixture
def make_environment(tmp_path: Path, distributions: Distributions) -> Callable[[], Environment]:
    def make() -> Environment:
        environment = Environment(tmp_path / "environment")
        run(sys.executable, "-m", "venv", "--without-pip", environment.folder, cwd=tmp_path)
        (environment.packages / "dependencies.pth").write_text(f"{distributions.dependencies}\n")
        (environment.folder / "locustfile.py").write_text(
            "import locust, locust_c, locust.runners, locust_c.runners\n"
            "class Nobody(locust.User):\n"
            "    tasks = [lambda user: None]\n"
            "print('same package', locust is locust_c)\n"
            "print('same module', locust.runners is locust_c.runners)\n"
        )
        return environment

    return make


def plugin_of(environment: Environment) -> str:
    """The file of the one plug-in with Locust's fixtures that pytest loads; it does not load the package."""
    (environment.folder / "conftest.py").write_text(TELL_PLUGIN)
    told = environment.command("python", "-m", "pytest", "-p", "no:cacheprovider", "--help")
    line = next(line for line in told.splitlines() if line.startswith("plug-ins"))
    _, file, package_is_loaded = line.split()
    assert package_is_loaded == "False"
    return Path(file).name


def assert_our_commands_are_ours(environment: Environment) -> None:
    assert OUR_VERSION in environment.command("locust-c", "--version")
    assert OUR_VERSION in environment.command("python", "-m", "locust_c", "--version")
    listed = environment.command("locust-c", "-f", "locustfile.py", "--list")
    assert "same package True" in listed
    assert "same module True" in listed
    assert "Nobody" in listed


def assert_locust_is_ours(environment: Environment) -> None:
    assert environment.command("python", "-c", SAME_MODULES).split() == [OUR_VERSION, *["True"] * 4]
    assert OUR_VERSION in environment.command("python", "-m", "locust", "--version")
    assert OUR_VERSION in environment.command("python", "-m", "locust.main", "--version")
    assert plugin_of(environment) == "locust_c_pytest.py"


def assert_locust_is_stock(environment: Environment) -> None:
    stock = f"{STOCK_VERSION} {environment.packages / 'locust' / 'runners.py'}"
    assert environment.command("python", "-c", VERSION_AND_FILE).strip() == stock
    assert f"locust {STOCK_VERSION} from" in environment.command("python", "-m", "locust", "--version")
    assert plugin_of(environment) == "plugin.py"


@pytest.mark.parametrize("stock", ["without-stock", "stock-first", "stock-last"])
@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_names_adopt_and_release(
    kind: str,
    stock: str,
    distributions: Distributions,
    make_environment: Callable[[], Environment],
) -> None:
    environment = make_environment()
    ours = distributions.wheel if kind == "wheel" else distributions.editable_wheel
    stock_folders = environment.stock_folders
    if stock == "stock-first":
        environment.install(distributions.stock_wheel)
    before_ours = environment.fingerprint(*stock_folders)
    environment.install(ours)
    if stock == "stock-last":
        environment.install(distributions.stock_wheel)
        before_ours = environment.fingerprint(*stock_folders)
    assert bool(before_ours) == (stock != "without-stock")

    assert_locust_is = assert_locust_is_ours if stock == "without-stock" else assert_locust_is_stock
    command_version = STOCK_VERSION if stock == "stock-last" else OUR_VERSION
    assert_our_commands_are_ours(environment)
    assert_locust_is(environment)
    assert f"{command_version} " in environment.command("locust", "--version")

    packages = os.path.relpath(environment.packages, environment.folder)
    before_adopt = environment.fingerprint("bin", packages)
    printed = environment.command("locust-c", "adopt")
    assert "locust-c-adopted.pth" in printed
    assert_locust_is_ours(environment)
    assert f"{OUR_VERSION} " in environment.command("locust", "--version")
    assert "adopted" in environment.command("locust-c", "--version")

    assert "locust-c-adopted.pth" in environment.command("locust-c", "release")
    assert environment.fingerprint("bin", packages) == before_adopt
    assert_locust_is(environment)
    assert f"{command_version} " in environment.command("locust", "--version")
    assert "adopted" not in environment.command("locust-c", "--version")
    assert environment.fingerprint(*stock_folders) == before_ours


def test_uninstalling_leaves_stock_untouched(
    distributions: Distributions, make_environment: Callable[[], Environment]
) -> None:
    environment = make_environment()
    environment.install(distributions.stock_wheel)
    before = environment.fingerprint(*environment.stock_folders)
    environment.install(distributions.wheel)
    environment.command("locust-c", "adopt")
    python = environment.folder / "bin" / "python"
    pip("--python", python, "uninstall", "--yes", "locust-c", cwd=environment.folder)
    assert environment.fingerprint(*environment.stock_folders) == before
    assert_locust_is_stock(environment)


def test_the_sdist_builds_and_the_wheel_holds_only_ours(distributions: Distributions) -> None:
    with tarfile.open(distributions.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"csrc/lc.h", "csrc/py/module.c", "cmake/SystemLibraries.cmake", "locust.py", "setup.py"} <= names
    assert not [name for name in names if name.endswith((".so", ".pyc"))]

    listed = run(
        sys.executable, "-m", "zipfile", "--list", distributions.wheel, cwd=distributions.wheel.parent
    )
    top_level = {line.split("/")[0].split()[0] for line in listed.splitlines()[1:]}
    assert top_level == {"locust.py", "locust_c_pytest.py", "locust_c", f"locust_c-{OUR_VERSION}.dist-info"}
    assert listed.count("_core.cpython") == 1
    for name in (
        "locust_c/py.typed",
        "locust_c/adopted/locust.py",
        "locust_c/web/templates/",
        "locust_c/report/page.html",
    ):
        assert name in listed


def test_setup_py_tells_the_version_without_building(distributions: Distributions) -> None:
    printed = run(sys.executable, "setup.py", "--version", cwd=distributions.source)
    assert printed.splitlines()[-1] == OUR_VERSION
