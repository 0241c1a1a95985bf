"""Files below a folder."""

from __future__ import annotations

import os


def get_abspaths_in(path: str, extension: str) -> list[str]:
    """Return the absolute paths of the files below ``path`` whose names end in ``extension``, sorted.

    Files whose names start with ``_`` are left out (Locust's documented behaviour).
    """
    return sorted(
        os.path.abspath(os.path.join(folder, name))
        for folder, _, names in os.walk(path)
        for name in names
        if name.endswith(extension) and not name.startswith("_")
    )
