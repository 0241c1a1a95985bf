"""Ctrl-C in the moment in which the modules of the command are still being imported."""

import os
import signal
import sys

_COMMANDS = ("locust", "locust-c")
_PACKAGES = ("locust", "locust_c")


def _is_our_command() -> bool:
    name = os.path.basename(sys.argv[0]) if sys.argv else ""
    if name != "-m":
        return name in _COMMANDS
    # That is what the name is while `python -m` looks for the module, which may be any program.
    arguments = sys.orig_argv
    module = arguments[arguments.index("-m") + 1] if "-m" in arguments[:-1] else ""
    return module.split(".")[0] in _PACKAGES


def end_quietly_on_ctrl_c() -> None:
    """In a process that our commands started, let Ctrl-C end the import without a traceback.

    `main()` takes the signals over when there is something to end in good order. Every other program keeps
    the handlers that it has.
    """
    if _is_our_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
