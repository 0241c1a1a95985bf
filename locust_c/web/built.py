"""The files of the web page, as the build of the package left them (``frontend/`` has their sources)."""

from __future__ import annotations

from pathlib import Path

__all__ = ["DIST", "MISSING", "is_built"]

#: ``index.html`` and ``auth.html``, which are templates, and ``assets/`` with all that they load.
DIST = Path(__file__).parent / "dist"

MISSING = (
    "Error: the web page was not built with this installation, because Node.js was missing."
    " Install Node.js 18 or newer with npm, and locust-c again; everything but the page works without."
)


def is_built() -> bool:
    """Whether there is a page."""
    return (DIST / "index.html").is_file()
