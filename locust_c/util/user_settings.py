"""Settings of user classes, as ``--config-users`` takes them."""

from __future__ import annotations

import json
from typing import Any


def read_user_settings(text: str) -> list[dict[str, Any]]:
    """Return the objects that ``text`` holds: JSON, one object or a list, or the name of a file with that.

    Each names its class as ``user_class_name``; its other keys are attributes of that.

    :raises ValueError: the file cannot be read, or there is something else in it.
    """
    source = text.strip()
    if not source.startswith(("{", "[")):
        source = _file_content(source)
    try:
        value = json.loads(source)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{_shown(text)} is not valid JSON: {error}") from None
    items = value if isinstance(value, list) else [value]
    for item in items:
        if not isinstance(item, dict):
            raise ValueError(f"{_shown(text)} must hold objects, not {json.dumps(item)}")
        if not isinstance(item.get("user_class_name"), str):
            raise ValueError(f"{_shown(text)}: each object must name its class as user_class_name")
    return items


def _file_content(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise ValueError(f"cannot read '{path}': {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"cannot read '{path}': {error}") from None


def _shown(text: str) -> str:
    return f"'{text if len(text) <= 80 else text[:77] + '...'}'"
