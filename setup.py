"""Build entry for tools that call setup.py; all metadata is in pyproject.toml."""

from setuptools import setup

try:
    import scikit_build_core.setuptools.build_cmake  # noqa: F401
except ImportError:
    # `python setup.py --version` and friends need the metadata only, not the C build.
    setup()
else:
    setup(cmake_source_dir=".")
