"""Build entry for tools that call setup.py; all metadata and all build settings are in pyproject.toml.

Builds the web page (locust_c/web/frontend) as well, where Node.js is installed.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

CMAKE_HINT = """
CMake and Ninja are installed with one of these:
  any system:       pip install cmake ninja
  Debian, Ubuntu:   apt-get install cmake ninja-build
  Fedora, RHEL:     dnf install cmake ninja-build
  Alpine:           apk add cmake ninja
  macOS, Homebrew:  brew install cmake ninja"""

FRONTEND = Path(__file__).resolve().parent / "locust_c" / "web" / "frontend"
PAGE = FRONTEND.parent / "dist" / "index.html"
#: Set to build without the web page although Node.js is there.
WITHOUT_PAGE = "LOCUST_C_WITHOUT_PAGE"


def page_is_up_to_date() -> bool:
    """True if no source of the page is newer than what was built of it."""
    if not PAGE.exists():
        return False
    sources = [path for path in FRONTEND.rglob("*") if "node_modules" not in path.parts and path.is_file()]
    return all(path.stat().st_mtime <= PAGE.stat().st_mtime for path in sources)


def packages_are_there() -> bool:
    """True if npm has installed what the lock file names, perhaps with the tools of the tests: they stay."""
    installed, wanted = FRONTEND / "node_modules" / ".package-lock.json", FRONTEND / "package-lock.json"
    return installed.exists() and installed.stat().st_mtime >= wanted.stat().st_mtime


def build_page() -> None:
    """Build the web page; without Node.js, or if the user wants none, only say that it is missing."""
    if page_is_up_to_date() or os.environ.get(WITHOUT_PAGE):
        return
    npm = shutil.which("npm")
    if npm is None:
        print(
            "locust-c: npm (Node.js 18 or newer) is not installed: building without the web page",
            file=sys.stderr,
        )
        return
    try:
        if not packages_are_there():
            subprocess.run([npm, "ci", "--omit=dev", "--no-audit", "--no-fund"], cwd=FRONTEND, check=True)
        subprocess.run([npm, "run", "build"], cwd=FRONTEND, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"locust-c: the web page cannot be built: {error}. {WITHOUT_PAGE}=1 builds without it.")


class BuildWithPage(build_py):
    """Builds the page before the files of the package are collected."""

    def run(self) -> None:
        build_page()
        # What was just built is a file of the package, but was none when this command was made.
        self.__dict__.pop("data_files", None)
        super().run()


class SourcesWithPage(sdist):
    """Puts the built page into the archive, for machines without Node.js."""

    def run(self) -> None:
        build_page()
        super().run()


class BuildWithoutBackend(build_py):
    """Refuses to build a package that would lack the extension."""

    def run(self) -> None:
        sys.exit("locust-c: scikit-build-core is needed to build; run `pip install .` instead, which gets it")


try:
    from scikit_build_core import errors
except ImportError:
    # `python setup.py --version` needs the metadata only, not the C build.
    setup(cmdclass={"build_py": BuildWithoutBackend})
else:
    try:
        setup(cmdclass={"build_py": BuildWithPage, "sdist": SourcesWithPage})
    except errors.NotFoundError as error:
        sys.exit(f"locust-c cannot be built: {error}.{CMAKE_HINT}")
    except (errors.ScikitBuildError, errors.FailedProcessError, errors.FailedLiveProcessError) as error:
        # CMake has said what is missing: a traceback of fifty lines would hide it in pip's output.
        sys.exit(f"locust-c: {error}")
