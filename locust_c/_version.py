"""The version under the names of stock Locust's module."""

from __future__ import annotations

from ._core import __version__

__all__ = ["__version__", "version", "version_tuple"]

version = __version__
version_tuple = tuple(int(part) if part.isdigit() else part for part in version.split("."))
