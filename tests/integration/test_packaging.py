"""Wheel and editable install, with and without stock Locust, in both orders; `adopt` and `release`.

Wheels are built once: the one of `pip install .`, from the sdist, and the one that `pip install -e .` makes
for itself. (The environment of the tests is made by that very command, see `.ci/setup`.) Only the sdist is
made where Node.js is: so the wheel has the page of the sdist, and the editable install, from sources, none.
Each case has an environment of its own in a temporary folder, and every command runs outside of the checkout,
whose `locust.py` would be first.
"""

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from command_process import command

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

NODE = ("node", "nodejs", "npm", "npx")
DIST = "locust_c/web/dist"
FRONTEND = "locust_c/web/frontend"
#: What the page, its scripts and its styles may take in all, compressed.
LARGEST_PAGE = 250_000

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def run(*arguments: str | Path, cwd: Path, path: Path | None = None) -> str:
    """Run a command to its end; what it printed. ``path``: the only folder in which it finds programs."""
    done = subprocess.run(
        [str(part) for part in arguments],
        cwd=cwd,
        env=CLEAN_VARIABLES | ({} if path is None else {"PATH": str(path)}),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, f"{arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def programs_without_node(folder: Path) -> Path:
    """A folder of links to every program of this machine but Node.js."""
    folder.mkdir()
    for place in CLEAN_VARIABLES["PATH"].split(os.pathsep):
        for program in Path(place).glob("*"):
            link = folder / program.name
            # The first of a name counts, as in PATH.
            if program.name not in NODE and not link.is_symlink():
                link.symlink_to(program)
    return folder


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
    without_node: Path


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

    @contextmanager
    def web_page(self, programs: Path) -> Iterator[str]:
        """The address of the web page of a run that finds only these programs."""
        options = ("-P", "0", "--web-host", "127.0.0.1")
        python = self.folder / "bin" / "python"
        with command(*options, folder=self.folder, env={"PATH": str(programs)}, python=python) as subject:
            yield f"{subject.address}/"

    def fingerprint(self, *folders: str) -> dict[str, str]:
        """The digest of every file in these folders of the environment."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for folder in folders
            for path in sorted((self.folder / folder).rglob("*"))
            if path.is_file()
        }


def copy_sources(target: Path) -> Path:
    """Copy what is built from, and nothing that a build has left."""
    ignored = shutil.ignore_patterns(
        "*.so", "*.egg-info", "__pycache__", ".*", "build", "dist", "node_modules", "tests", "benchmarks"
    )
    shutil.copytree(ROOT, target, ignore=ignored)
    return target


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    work = tmp_path_factory.mktemp("distributions")
    without_node = programs_without_node(work / "bin")
    # A build works in its tree: not in the one from which this process has its extension.
    sources = copy_sources(work / "with-node"), copy_sources(work / "without-node")
    build = (sys.executable, "-m", "build", "--no-isolation", "--outdir", work)
    run(*build, "--sdist", sources[0], cwd=work)
    sdist = next(work.glob("*.tar.gz"))
    unpacked = work / "unpacked"
    unpacked.mkdir()
    # Not tarfile: which arguments its extracting takes, or warns of lacking, differs within Python 3.11.
    run("tar", "-xf", sdist, "-C", unpacked, cwd=work)
    run(*build, "--wheel", next(unpacked.iterdir()), cwd=work, path=without_node)
    editable = work / "editable"
    editable.mkdir()
    run(sys.executable, "-c", BUILD_EDITABLE, editable, cwd=sources[1], path=without_node)
    pip("download", "--quiet", "--no-deps", "--dest", work, f"locust=={STOCK_VERSION}", cwd=work)
    stock_wheel = next(work.glob(f"locust-{STOCK_VERSION}-*.whl"))
    # What both of them need, and neither of them.
    dependencies = work / "dependencies"
    needed = [stock_wheel, *PROJECT["dependencies"]]
    pip("install", "--quiet", "--target", dependencies, *needed, cwd=work)
    for folder in ("locust", "pytest_locust", f"locust-{STOCK_VERSION}.dist-info"):
        shutil.rmtree(dependencies / folder)
    return Distributions(
        source=sources[1],
        sdist=sdist,
        wheel=next(work.glob("locust_c-*.whl")),
        editable_wheel=next(editable.glob("*.whl")),
        stock_wheel=stock_wheel,
        dependencies=dependencies,
        without_node=without_node,
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
    assert {f"{FRONTEND}/{name}" for name in ("index.html", "package-lock.json", "src/main.tsx")} <= names
    assert not [name for name in names if name.endswith((".so", ".pyc")) or "node_modules" in name]
    page = {name for name in names if name.startswith(f"{DIST}/")}
    assert {f"{DIST}/index.html", f"{DIST}/auth.html"} <= page

    with zipfile.ZipFile(distributions.wheel) as wheel:
        listed = set(wheel.namelist())
    top_level = {name.split("/")[0] for name in listed}
    assert top_level == {"locust.py", "locust_c_pytest.py", "locust_c", f"locust_c-{OUR_VERSION}.dist-info"}
    assert len([name for name in listed if "_core.cpython" in name]) == 1
    assert {"locust_c/py.typed", "locust_c/adopted/locust.py", "locust_c/report/page.html"} <= listed
    assert {name for name in listed if name.startswith(f"{DIST}/")} == {
        n for n in page if "." in Path(n).name
    }
    assert not [name for name in listed if name.startswith(FRONTEND)]


def test_the_page_is_small(distributions: Distributions) -> None:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        files = [wheel.read(name) for name in wheel.namelist() if name.startswith(f"{DIST}/")]
    assert sum(len(gzip.compress(content)) for content in files) <= LARGEST_PAGE


def answer(url: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=30)


def test_an_installed_package_has_the_page_without_node(
    distributions: Distributions, make_environment: Callable[[], Environment]
) -> None:
    environment = make_environment()
    environment.install(distributions.wheel)
    with environment.web_page(distributions.without_node) as url:
        page = answer(url)
        assert page.status_code == 200
        assert "window.templateArgs = {" in page.text
        assets = re.findall(r'(?:src|href)="(?:\./)?(assets/[^"]+)"', page.text)
        assert {Path(name).suffix for name in assets} >= {".js", ".css", ".svg"}
        for name in assets:
            assert answer(url + name).status_code == 200


def test_a_build_from_sources_without_node_has_no_page_but_everything_else(
    distributions: Distributions, make_environment: Callable[[], Environment]
) -> None:
    assert not (distributions.source / DIST).exists()
    environment = make_environment()
    environment.install(distributions.editable_wheel)
    with environment.web_page(distributions.without_node) as url:
        page = answer(url)
        assert page.status_code == 500
        assert page.headers["Content-Type"].startswith("text/plain")
        assert len(page.text.splitlines()) == 1
        assert "Install Node.js" in page.text
        assert answer(url + "stats/requests").json()["state"] == "ready"
        assert "<table" in answer(url + "stats/report").text


def test_setup_py_tells_the_version_without_building(distributions: Distributions) -> None:
    printed = run(sys.executable, "setup.py", "--version", cwd=distributions.source)
    assert printed.splitlines()[-1] == OUR_VERSION
