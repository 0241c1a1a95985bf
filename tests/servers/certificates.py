"""A certificate authority of the test session, and certificates that are good or wrong in one way each."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import trustme

PAST = datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC)
KINDS = ("good", "wrong_host", "expired", "self_signed", "unknown_ca")


@dataclass(frozen=True)
class Certificates:
    """PEM files in one directory; `ca` is what a client trusts."""

    directory: Path

    @property
    def ca(self) -> Path:
        return self.directory / "ca.pem"

    def chain(self, kind: str) -> Path:
        """The certificate chain of one of KINDS, or of "client"."""
        return self.directory / f"{kind}.pem"

    def key(self, kind: str) -> Path:
        """The private key that belongs to `chain(kind)`."""
        return self.directory / f"{kind}.key"


def make_certificates(directory: Path) -> Certificates:
    """Writes all certificates into `directory`."""
    made = Certificates(directory)
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(str(made.ca))
    names = ("localhost", "127.0.0.1", "::1")
    _write(made, "good", authority.issue_cert(*names))
    _write(made, "wrong_host", authority.issue_cert("elsewhere.example"))
    _write(made, "expired", authority.issue_cert(*names, not_before=PAST, not_after=PAST.replace(year=2022)))
    _write(made, "unknown_ca", stranger.issue_cert(*names))
    _write(made, "client", authority.issue_cert("client@example.org"))
    # An authority's own certificate is signed by itself, and that is all a self-signed one is.
    stranger.cert_pem.write_to_path(str(made.chain("self_signed")))
    stranger.private_key_pem.write_to_path(str(made.key("self_signed")))
    return made


def _write(made: Certificates, kind: str, certificate: trustme.LeafCert) -> None:
    made.chain(kind).write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(str(made.key(kind)))
