"""Locustfiles from the web."""

from __future__ import annotations

import ast
import atexit
import os
import shutil
import tempfile
from urllib.parse import urlsplit

from ..credentials import without_userinfo

TIMEOUT_S = 30

_folders: list[str] = []


def download_locustfile_from_url(url: str) -> str:
    """Fetch a locustfile over http or https and return the path of its copy.

    The copy is in a temporary folder, which is removed when the process ends.

    :raises ValueError: it cannot be had, or what is there is not Python.
    """
    import requests

    shown = without_userinfo(url)
    try:
        response = requests.get(url, timeout=TIMEOUT_S)
        response.raise_for_status()
        source = response.content
    except requests.exceptions.HTTPError:
        status = f"{response.status_code} {response.reason}"
        raise ValueError(f"Could not get the locustfile '{shown}': the server answers {status}") from None
    except requests.exceptions.RequestException as error:
        raise ValueError(f"Could not get the locustfile '{shown}': {_reason(error)}") from None
    try:
        # The bytes, not the text: a Python file names its encoding itself.
        ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"What '{shown}' answers is not a Python file: {error}") from None
    name = os.path.basename(urlsplit(url).path)
    path = os.path.join(_new_folder(), name if name.endswith(".py") else "locustfile.py")
    with open(path, "wb") as file:
        file.write(source)
    return path


def remove_downloads() -> None:
    """Remove all copies; done at the end of the process, for who leaves in another way."""
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)
    _folders.clear()


def _new_folder() -> str:
    if not _folders:
        atexit.register(remove_downloads)
    folder = tempfile.mkdtemp(prefix="locustfile-")
    _folders.append(folder)
    return folder


def _reason(error: BaseException) -> str:
    """What the system said, without the layers of urllib3 and requests around it."""
    while (below := error.__cause__ or error.__context__) is not None:
        error = below
    return str(error)
