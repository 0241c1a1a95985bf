"""Build entry for tools that call setup.py; all metadata and all build settings are in pyproject.toml."""

import sys

from setuptools import setup
from setuptools.command.build_py import build_py

CMAKE_HINT = """
CMake and Ninja are installed with one of these:
  any system:       pip install cmake ninja
  Debian, Ubuntu:   apt-get install cmake ninja-build
  Fedora, RHEL:     dnf install cmake ninja-build
  Alpine:           apk add cmake ninja
  macOS, Homebrew:  brew install cmake ninja"""


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
        setup()
    except errors.NotFoundError as error:
        sys.exit(f"locust-c cannot be built: {error}.{CMAKE_HINT}")
    except (errors.ScikitBuildError, errors.FailedProcessError, errors.FailedLiveProcessError) as error:
        # CMake has said what is missing: a traceback of fifty lines would hide it in pip's output.
        sys.exit(f"locust-c: {error}")
