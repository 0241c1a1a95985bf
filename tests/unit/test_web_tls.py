"""Certificate and key of the page: found, loaded, and every mistake told in one line."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
import trustme

from locust_c.web import tls


class Files(NamedTuple):
    certificate: str
    key: str


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(tls.PASS_PHRASE_VARIABLE, raising=False)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))


@pytest.fixture
def plain(tmp_path: Path) -> Files:
    issued = trustme.CA().issue_cert("localhost")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    return Files(str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    """Made with the very line of the documentation, its questions answered by options."""
    folder = tmp_path_factory.mktemp("openssl")
    line = "openssl req -x509 -newkey rsa:2048 -keyout key.pem -out cert.pem -days 365"
    subprocess.run(
        [*line.split(), "-passout", "pass:open sesame", "-subj", "/CN=localhost"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    assert "ENCRYPTED" in (folder / "key.pem").read_text()
    yield Files(str(folder / "cert.pem"), str(folder / "key.pem"))


def refusal(files: Files) -> str:
    with pytest.raises(tls.TlsError) as error:
        tls.server_context(*files)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_options_go_before_variables() -> None:
    variables = {"SSL_CERT": "c", "SSL_KEY": "k"}
    assert tls.find_files("", "", variables) == tls.TlsFiles("c", "k")
    assert tls.find_files("oc", "ok", variables) == tls.TlsFiles("oc", "ok")
    assert tls.find_files("oc", "", variables) == tls.TlsFiles("oc", "k")
    assert tls.find_files("", "", {}) == tls.TlsFiles(None, None)


@pytest.mark.parametrize(
    ("certificate", "key", "variables", "words"),
    [
        ("c", "", {}, ("only the certificate is given", "--tls-key or SSL_KEY")),
        ("", "k", {}, ("only the key is given", "--tls-cert or SSL_CERT")),
        ("", "", {"SSL_KEY": "k"}, ("only the key is given", "--tls-cert or SSL_CERT")),
        ("", "", {"SSL_CERT": "c", "SSL_KEY": ""}, ("only the certificate is given",)),
    ],
)
def test_one_of_the_two_is_not_enough(
    certificate: str, key: str, variables: dict[str, str], words: tuple[str, ...]
) -> None:
    with pytest.raises(tls.TlsError) as error:
        tls.find_files(certificate, key, variables)
    for word in words:
        assert word in str(error.value)


def test_a_certificate_and_its_key_are_loaded(plain: Files) -> None:
    context = tls.server_context(*plain)
    assert context.minimum_version.name == "TLSv1_2"


def test_a_missing_file_is_named(plain: Files) -> None:
    assert refusal(Files("/no/cert.pem", plain.key)) == (
        "The TLS certificate '/no/cert.pem' cannot be read: No such file or directory."
    )
    assert refusal(Files(plain.certificate, "/no/key.pem")).startswith(
        "The TLS key '/no/key.pem' cannot be read"
    )


def test_a_key_of_another_certificate_is_refused(plain: Files, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(other)
    assert refusal(Files(plain.certificate, str(other))) == (
        f"The TLS key '{other}' does not belong to the certificate '{plain.certificate}'."
    )


def test_files_that_hold_something_else_are_refused(plain: Files, tmp_path: Path) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("hello\n")
    assert refusal(Files(str(junk), plain.key)).startswith(
        f"The TLS certificate '{junk}' holds no certificate"
    )
    assert refusal(Files(plain.certificate, str(junk))).startswith(f"The TLS key '{junk}' holds no usable")


def test_the_pass_phrase_comes_from_the_environment(
    encrypted: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(tls.PASS_PHRASE_VARIABLE, "open sesame")
    assert tls.server_context(*encrypted) is not None


@pytest.mark.parametrize("wrong", ["open says me", "", "x" * 2000])
def test_a_wrong_pass_phrase_is_refused(
    encrypted: Files, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv(tls.PASS_PHRASE_VARIABLE, wrong)
    assert "pass phrase" in refusal(encrypted)


def test_without_a_terminal_the_variable_is_named(encrypted: Files) -> None:
    text = refusal(encrypted)
    assert "there is no terminal to ask for its pass phrase: set SSL_KEY_PASSWORD." in text


ON_A_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from locust_c.web import tls
tls.server_context(sys.argv[1], sys.argv[2])
print("loaded")
"""


def test_the_pass_phrase_is_asked_for_on_the_terminal(encrypted: Files) -> None:
    """In a process of its own: getpass opens the terminal that the process belongs to."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", ON_A_TERMINAL, *encrypted]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        seen = b""
        while b"Pass phrase of the TLS key" not in seen:
            seen += os.read(ours, 1024)
        os.write(ours, b"open sesame\n")
        while b"loaded" not in seen:
            seen += os.read(ours, 1024)
        assert process.wait(timeout=10) == 0
    os.close(ours)
    assert b"open sesame" not in seen
