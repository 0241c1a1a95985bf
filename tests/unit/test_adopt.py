"""`locust-c adopt` and `release`, on folders that stand for an environment."""

import site
import sys
from pathlib import Path

import pytest

from locust_c import adopt

OURS = b"#!/bin/python\nfrom locust_c.main import main\n"
STOCK = b"#!/bin/python\nfrom locust.main import main\n"


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> adopt._Environment:
    environment = adopt._Environment(packages=tmp_path / "packages", scripts=tmp_path / "bin")
    environment.packages.mkdir()
    environment.scripts.mkdir()
    environment.our_command.write_bytes(OURS)
    monkeypatch.setattr(adopt, "_environment", lambda: environment)
    return environment


def files(environment: adopt._Environment) -> dict[str, bytes]:
    folders = (environment.packages, environment.scripts)
    return {path.name: path.read_bytes() for folder in folders for path in folder.iterdir()}


@pytest.mark.parametrize("command", [STOCK, OURS, None], ids=["stock", "ours", "none"])
def test_release_restores_what_adopt_changed(
    environment: adopt._Environment, command: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if command is not None:
        environment.command.write_bytes(command)
        environment.command.chmod(0o755)
    before = files(environment)

    assert adopt.main(["adopt"]) == 0
    assert environment.command.read_bytes() == OURS
    assert environment.command.stat().st_mode & 0o111
    assert adopt.adopted_by() == environment.pth
    assert str(environment.pth) in capsys.readouterr().out

    assert adopt.main(["release"]) == 0
    assert files(environment) == before
    assert adopt.adopted_by() is None
    assert str(environment.pth) in capsys.readouterr().out


def test_the_pth_file_puts_our_module_in_front(
    environment: adopt._Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopt.main(["adopt"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    site.addpackage(str(environment.packages), environment.pth.name, set())
    folder = Path(sys.path[0])
    assert {path.name for path in folder.glob("*.py")} == {"locust.py", "pytest_locust.py"}


def test_adopting_twice_keeps_the_first_former_command(environment: adopt._Environment) -> None:
    environment.command.write_bytes(STOCK)
    assert adopt.main(["adopt"]) == 0
    assert adopt.main(["adopt"]) == 0
    assert adopt.main(["release"]) == 0
    assert environment.command.read_bytes() == STOCK


def test_release_leaves_a_command_that_was_installed_since(environment: adopt._Environment) -> None:
    environment.command.write_bytes(STOCK)
    adopt.main(["adopt"])
    newer = STOCK + b"# a newer one\n"
    environment.command.write_bytes(newer)
    assert adopt.main(["release"]) == 0
    assert environment.command.read_bytes() == newer
    assert not environment.kept_command.exists()


def test_release_without_adopt_says_so(
    environment: adopt._Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(environment)
    assert adopt.main(["release"]) == 0
    assert "nothing to take back" in capsys.readouterr().out
    assert files(environment) == before


@pytest.mark.parametrize("command", ["adopt", "release"])
def test_an_environment_that_cannot_be_written_is_refused_in_one_line(
    command: str,
    environment: adopt._Environment,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = files(environment)
    monkeypatch.setattr(adopt.os, "access", lambda folder, mode: folder != environment.packages)
    assert adopt.main([command]) == 1
    assert capsys.readouterr() == ("", f"locust-c {command}: {environment.packages} cannot be written\n")
    assert files(environment) == before


def test_a_failing_write_is_one_line(
    environment: adopt._Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.pth.mkdir()
    assert adopt.main(["adopt"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_without_our_command_there_is_nothing_to_adopt_with(
    environment: adopt._Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.our_command.unlink()
    assert adopt.main(["adopt"]) == 1
    assert "install locust-c with pip" in capsys.readouterr().err
