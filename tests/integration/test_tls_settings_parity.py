"""`verify` and `cert` beside requests: what is accepted, and what the mistakes in them are called."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from parity import Call, neutral, observe, our_session, stock_session
from servers import steps
from servers.certificates import Certificates
from servers.control import OpenScripted

Settings = Callable[[Certificates, Path], Mapping[str, Any]]


def hashed_folder(certificates: Certificates, folder: Path) -> str:
    """A folder of certificates as OpenSSL looks them up."""
    target = folder / "hashed"
    target.mkdir(exist_ok=True)
    digest = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", certificates.ca],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    (target / f"{digest}.0").write_bytes(certificates.ca.read_bytes())
    return str(target)


def joined(certificates: Certificates, folder: Path) -> str:
    """Certificate and key of the client in one file."""
    target = folder / "joined.pem"
    target.write_bytes(certificates.chain("client").read_bytes() + certificates.key("client").read_bytes())
    return str(target)


def nonsense(folder: Path) -> str:
    target = folder / "nonsense.pem"
    target.write_text("no certificate")
    return str(target)


def of_client(certificates: Certificates) -> tuple[str, str]:
    return str(certificates.chain("client")), str(certificates.key("client"))


VERIFY: dict[str, Settings] = {
    "the default": lambda made, folder: {},
    "true": lambda made, folder: {"verify": True},
    "false": lambda made, folder: {"verify": False},
    "a file": lambda made, folder: {"verify": str(made.ca)},
    "a folder": lambda made, folder: {"verify": hashed_folder(made, folder)},
    "an empty folder": lambda made, folder: {"verify": str(folder)},
    "no file": lambda made, folder: {"verify": str(folder / "absent.pem")},
    "nonsense": lambda made, folder: {"verify": nonsense(folder)},
    "an empty text": lambda made, folder: {"verify": ""},
    "a path": lambda made, folder: {"verify": made.ca},
}
CERT: dict[str, Settings] = {
    "none": lambda made, folder: {"verify": str(made.ca)},
    "a pair": lambda made, folder: {"verify": str(made.ca), "cert": of_client(made)},
    "a list": lambda made, folder: {"verify": str(made.ca), "cert": list(of_client(made))},
    "one file": lambda made, folder: {"verify": str(made.ca), "cert": joined(made, folder)},
    "without the key": lambda made, folder: {"verify": str(made.ca), "cert": str(made.chain("client"))},
    "another key": lambda made, folder: {
        "verify": str(made.ca),
        "cert": (str(made.chain("client")), str(made.key("good"))),
    },
    "no certificate file": lambda made, folder: {"verify": str(made.ca), "cert": str(folder / "absent.pem")},
    "no key file": lambda made, folder: {
        "verify": str(made.ca),
        "cert": (str(made.chain("client")), str(folder / "absent.key")),
    },
    "nonsense": lambda made, folder: {"verify": str(made.ca), "cert": nonsense(folder)},
    "not verified": lambda made, folder: {"verify": False, "cert": of_client(made)},
}


def on_call(settings: Mapping[str, Any]) -> Call:
    return lambda session, base: session.get(base + "/x", **settings)


def on_session(settings: Mapping[str, Any]) -> Call:
    def call(session: requests.Session, base: str) -> requests.Response:
        for name, value in settings.items():
            setattr(session, name, value)
        return session.get(base + "/x")

    return call


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("set_on", [on_call, on_session])
@pytest.mark.parametrize(
    ("settings", "wants_client"),
    [
        *[pytest.param(settings, False, id=f"verify: {name}") for name, settings in VERIFY.items()],
        *[pytest.param(settings, True, id=f"cert: {name}") for name, settings in CERT.items()],
    ],
)
def test_tls_settings_have_the_outcome_of_requests(
    scripted: OpenScripted,
    certificates: Certificates,
    tmp_path: Path,
    settings: Settings,
    wants_client: bool,
    set_on: Callable[[Mapping[str, Any]], Call],
) -> None:
    options = {"client_ca": True, "max_version": "1.2"} if wants_client else {}
    seen = []
    for open_session in (stock_session, our_session):
        server = scripted([steps.repeat(steps.request(), steps.reply(b"ok"))], tls="good", **options)
        with open_session() as session:
            outcome = observe(session, set_on(settings(certificates, tmp_path)), server.url)
        seen.append(neutral(outcome, server.port))
    assert seen[1] == seen[0]
