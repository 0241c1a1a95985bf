"""`locust-c adopt` and `locust-c release`: whose `locust` an environment has.

In an environment that also holds stock Locust, `import locust` gives stock Locust, and the command `locust`
belongs to whichever was installed last. `adopt` makes both ours with two files: one `.pth` file that puts a
folder with our `locust.py` in front of `sys.path`, and the command. `release` takes exactly that back.
The `.pth` file does no harm when locust-c is uninstalled first: a folder that is gone is skipped.
"""

import argparse
import os
import site
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_PTH_NAME = "locust-c-adopted.pth"
_KEPT_NAME = "locust-c-adopted.former-command"
_ADOPTED_FOLDER = Path(__file__).parent / "adopted"


@dataclass(frozen=True)
class _Environment:
    """The folders of the environment this interpreter runs in."""

    packages: Path
    scripts: Path

    @property
    def pth(self) -> Path:
        return self.packages / _PTH_NAME

    @property
    def kept_command(self) -> Path:
        return self.packages / _KEPT_NAME

    @property
    def command(self) -> Path:
        return self.scripts / "locust"

    @property
    def our_command(self) -> Path:
        return self.scripts / "locust-c"

    def has_stock(self) -> bool:
        return any((Path(folder) / "locust" / "__init__.py").is_file() for folder in sys.path if folder)


def _environment() -> _Environment:
    scheme = sysconfig.get_default_scheme()
    user_packages = site.getusersitepackages()
    if site.ENABLE_USER_SITE and Path(__file__).is_relative_to(user_packages):
        scheme = sysconfig.get_preferred_scheme("user")
    return _Environment(
        Path(sysconfig.get_path("purelib", scheme)), Path(sysconfig.get_path("scripts", scheme))
    )


def adopted_by() -> Path | None:
    """The `.pth` file that makes this environment's `locust` ours, or None if `adopt` was not run here."""
    pth = _environment().pth
    return pth if pth.is_file() else None


def _is_ours(command: Path) -> bool:
    return command.is_file() and b"locust_c" in command.read_bytes()


def _write_command(path: Path, content: bytes) -> None:
    # Replaced in one step: the command that is running may be the very one.
    new = path.with_name(path.name + ".new")
    new.write_bytes(content)
    new.chmod(0o755)
    new.replace(path)


def _adopt(environment: _Environment) -> Iterator[str]:
    if not _is_ours(environment.command):
        # An empty file stands for no command.
        former = environment.command.read_bytes() if environment.command.exists() else b""
        environment.kept_command.write_bytes(former)
        yield f"kept the former command as {environment.kept_command}"
        _write_command(environment.command, environment.our_command.read_bytes())
        yield f"wrote the command {environment.command}"
    environment.pth.write_text(
        "# Written by `locust-c adopt`, removed by `locust-c release`: makes `import locust` locust-c here.\n"
        f"import sys; sys.path.insert(0, {str(_ADOPTED_FOLDER)!r})\n"
    )
    yield f"wrote {environment.pth}"
    yield f"`import locust` and `locust` are locust-c now in {sys.prefix}; `locust-c release` takes this back"


def _restore_command(environment: _Environment) -> str:
    former = environment.kept_command.read_bytes()
    if not former:
        environment.command.unlink()
        return f"removed the command {environment.command}"
    _write_command(environment.command, former)
    return f"put the former command back as {environment.command}"


def _release(environment: _Environment) -> Iterator[str]:
    if not environment.pth.exists():
        yield f"nothing to take back: `locust-c adopt` was not run in {sys.prefix}"
        return
    environment.pth.unlink()
    yield f"removed {environment.pth}"
    if environment.kept_command.exists():
        # A command that is not ours any more was installed since, and stays.
        if _is_ours(environment.command):
            yield _restore_command(environment)
        environment.kept_command.unlink()
    if environment.has_stock():
        yield f"`import locust` is stock Locust again in {sys.prefix}"
        if _is_ours(environment.command):
            yield (
                "the command `locust` was locust-c's before `adopt` and still is; "
                "for stock's: pip install --force-reinstall --no-deps locust"
            )
    else:
        yield "stock Locust is not installed here, so `import locust` still gives locust-c"


def _refusal(environment: _Environment) -> str | None:
    for folder in (environment.packages, environment.scripts):
        if not os.access(folder, os.W_OK):
            return f"{folder} cannot be written"
    if not environment.our_command.is_file():
        return f"there is no {environment.our_command}: install locust-c with pip in this environment first"
    return None


def main(argv: Sequence[str]) -> int:
    """Run `adopt` or `release`.

    `argv` holds the arguments without the name of the program: `["adopt"]` or `["release"]`. What was
    done is printed line by line. Returns the exit code: 1, with one line on stderr and nothing changed,
    if the environment cannot be written.
    """
    parser = argparse.ArgumentParser(prog="locust-c", description="Whose `locust` this environment has.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("adopt", help="make `import locust` and the `locust` command locust-c's")
    commands.add_parser("release", help="take back what `adopt` did")
    options = parser.parse_args(argv)
    environment = _environment()
    refusal = _refusal(environment)
    if refusal is None:
        try:
            for line in (_adopt if options.command == "adopt" else _release)(environment):
                print(f"locust-c {options.command}: {line}")
            return 0
        except OSError as error:
            refusal = str(error)
    print(f"locust-c {options.command}: {refusal}", file=sys.stderr)
    return 1
