"""Mistakes of the user that end the command."""

from __future__ import annotations


class CommandError(Exception):
    """A mistake that is told in one line (no traceback), with the exit code it leads to."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
