"""The files of the web page, as the build of the package left them (``frontend/`` has their sources)."""

from __future__ import annotations

from pathlib import Path

__all__ = ["DIST", "MISSING", "BuildPathError", "check_build_path", "is_built"]

#: ``index.html`` and ``auth.html``, which are templates, and ``assets/`` with all that they load.
DIST = Path(__file__).parent / "dist"

MISSING = (
    "Error: the web page was not built with this installation, because Node.js was missing."
    " Install Node.js 18 or newer with npm, and locust-c again; everything but the page works without."
)


class BuildPathError(ValueError):
    """A folder holds no page; the text says so, in one line."""


def check_build_path(folder: str) -> Path:
    """Return the absolute path of ``folder``, which holds a page of the user's own in the form of ours.

    :raises BuildPathError: there is no ``index.html`` in it.
    """
    path = Path(folder).resolve()
    if not (path / "index.html").is_file():
        raise BuildPathError(f"'{folder}' is no folder with an index.html")
    return path


def is_built() -> bool:
    """Whether there is a page."""
    return (DIST / "index.html").is_file()
