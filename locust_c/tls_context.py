"""What TLS connections are made with: settings of requests, of an `ssl.SSLContext`, of connection options.

The engine has TLS contexts of its own. An SSLContext is read as far as it can be read: verification, host
name check, versions, ciphers and CA certificates. It does not show its client certificate, so a handshake in
memory finds out whether there is one.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import certifi

from locust_c import _core

__all__ = [
    "TLS_VERSIONS",
    "Certificate",
    "TlsSettings",
    "check_ciphers",
    "settings_of_context",
    "settings_of_factory",
    "settings_of_requests",
]

Certificate = str | tuple[str, str] | None
"""requests' `cert`: a file with certificate and key, or a file for each."""

TLS_VERSIONS = {"1.0": 0x0301, "1.1": 0x0302, "1.2": 0x0303, "1.3": 0x0304}
_REFUSALS = (
    (0x0301, ssl.OP_NO_TLSv1),
    (0x0302, ssl.OP_NO_TLSv1_1),
    (0x0303, ssl.OP_NO_TLSv1_2),
    (0x0304, ssl.OP_NO_TLSv1_3),
)
_CRL_FLAGS = ssl.VERIFY_CRL_CHECK_LEAF | ssl.VERIFY_CRL_CHECK_CHAIN


class TlsSettings(NamedTuple):
    """How the engine speaks TLS; read from C in this order. Equal settings share one context.

    `verify`: check the certificate chain, with `verify_flags` (ssl.VERIFY_*) beside OpenSSL's own;
    `check_host`: and that it is for the host. Authorities come from `ca_file`, `ca_path` (a folder of hashed
    certificates) and `ca_pem` (a text); all None: OpenSSL's default store. Versions are numbers of
    the protocol (0x0303: TLS 1.2), 0 for the default. `ciphers` are OpenSSL's names for TLS 1.2 and older,
    `ciphersuites` those of TLS 1.3. `resume`: sessions are resumed on new connections.
    """

    verify: bool = True
    ca_file: str | None = None
    ca_path: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    check_host: bool = True
    ca_pem: str | None = None
    min_version: int = 0
    max_version: int = 0
    ciphers: str | None = None
    ciphersuites: str | None = None
    verify_flags: int = 0
    resume: bool = False

    def restricted(
        self, oldest: str | None, newest: str | None, ciphers: str | None, resume: bool
    ) -> TlsSettings:
        """The same with these versions (of TLS_VERSIONS) and ciphers where they are given.

        `ciphers` has OpenSSL's names, separated by colons; those of TLS 1.3 (`TLS_…`) may be among them.
        """
        older, suites = _split_ciphers(ciphers.split(":")) if ciphers else (None, None)
        return self._replace(
            min_version=TLS_VERSIONS[oldest] if oldest else self.min_version,
            max_version=TLS_VERSIONS[newest] if newest else self.max_version,
            ciphers=older or self.ciphers,
            ciphersuites=suites or self.ciphersuites,
            resume=resume or self.resume,
        )


def settings_of_requests(verify: bool | str | None, cert: Certificate) -> TlsSettings:
    """What `verify` and `cert` of requests mean; OSError for a file that does not exist."""
    cert_file, key_file = _client_files(cert)
    settings = TlsSettings(cert_file=cert_file, key_file=key_file)
    if verify is False:
        return settings._replace(verify=False)
    if isinstance(verify, str):
        if not os.path.exists(verify):
            raise OSError(f"Could not find a suitable TLS CA certificate bundle, invalid path: {verify}")
        folder = os.path.isdir(verify)
        return settings._replace(ca_file=None if folder else verify, ca_path=verify if folder else None)
    return settings._replace(ca_file=certifi.where())


def _client_files(cert: Certificate) -> tuple[str | None, str | None]:
    cert_file, key_file = cert if isinstance(cert, tuple) else (cert, None)
    for path, what in ((cert_file, "TLS certificate file"), (key_file, "TLS key file")):
        if path and not os.path.exists(path):
            raise OSError(f"Could not find the {what}, invalid path: {path}")
    return cert_file, key_file


# --- settings of an ssl.SSLContext ---


def settings_of_factory(
    factory: Callable[..., ssl.SSLContext], verify: bool | str, cert: Certificate = None
) -> TlsSettings:
    """What a context of `ssl_context_factory` says, made and changed as geventhttpclient does it.

    The factory is passed `cafile`, which is `verify` if that names a file, else certifi's; if it takes none,
    the context loads that file. `verify` False: host names are not checked; otherwise they are, and
    certificates must be good, whatever the context says.
    """
    authorities = verify if isinstance(verify, str) else certifi.where()
    try:
        context = factory(cafile=authorities)
    except TypeError:
        context = factory()
        context.load_verify_locations(cafile=authorities)
    settings = settings_of_context(context, cert)
    return settings._replace(check_host=bool(verify), verify=settings.verify or bool(verify))


def settings_of_context(context: ssl.SSLContext, cert: Certificate = None) -> TlsSettings:
    """What can be read of an SSLContext, as it is when it is first seen.

    ValueError: it has what cannot be read or taken over, such as a client certificate where `cert` (files,
    as with requests) gives none. Certificates of a folder (`capath`) are not among what can be read.
    """
    parts = _parts_of(context)
    if parts.shows_certificate and cert is None:
        raise ValueError(
            "The client certificate of an SSLContext cannot be read: "
            "give it as cert=(certificate file, key file)"
        )
    if context.verify_flags & _CRL_FLAGS:
        raise ValueError("An SSLContext with certificate revocation lists cannot be taken over")
    oldest, newest = _versions_of(context)
    ciphers, suites = _split_ciphers([cipher["name"] for cipher in context.get_ciphers()])
    cert_file, key_file = _client_files(cert)
    return TlsSettings(
        verify=context.verify_mode != ssl.CERT_NONE,
        cert_file=cert_file,
        key_file=key_file,
        check_host=context.check_hostname,
        ca_pem=parts.authorities,
        min_version=oldest,
        max_version=newest,
        ciphers=f"{ciphers}:@SECLEVEL={context.security_level}" if ciphers else None,
        ciphersuites=suites,
        verify_flags=int(context.verify_flags),
    )


def check_ciphers(argument: str, ciphers: str) -> None:
    """Raises ValueError, naming the argument, if OpenSSL knows none of the ciphers for TLS 1.2 and older."""
    older, _suites = _split_ciphers(ciphers.split(":"))
    try:
        if older:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).set_ciphers(older)
    except ssl.SSLError:
        raise ValueError(f"{argument} has no cipher that OpenSSL knows: {ciphers!r}") from None


def _split_ciphers(names: Sequence[str]) -> tuple[str | None, str | None]:
    """Names for TLS 1.2 and older, and names of TLS 1.3, each separated by colons."""
    suites = [name for name in names if name.startswith("TLS_")]
    older = [name for name in names if not name.startswith("TLS_")]
    return ":".join(older) or None, ":".join(suites) or None


def _versions_of(context: ssl.SSLContext) -> tuple[int, int]:
    oldest, newest = context.minimum_version, context.maximum_version
    allowed = [
        number
        for number, refusal in _REFUSALS
        if not context.options & refusal
        and (oldest == ssl.TLSVersion.MINIMUM_SUPPORTED or number >= oldest)
        and (newest == ssl.TLSVersion.MAXIMUM_SUPPORTED or number <= newest)
    ]
    if not allowed or allowed != list(range(allowed[0], allowed[-1] + 1)):
        shown = ", ".join(f"{number:#06x}" for number in allowed) or "none"
        raise ValueError(f"The TLS versions of an SSLContext must be a range, not {shown}")
    return allowed[0], allowed[-1]


class _Parts(NamedTuple):
    """What takes time to find out about a context."""

    authorities: str | None
    shows_certificate: bool


# Contexts that many sessions share are looked at once.
_known: WeakKeyDictionary[ssl.SSLContext, _Parts] = WeakKeyDictionary()


def _parts_of(context: ssl.SSLContext) -> _Parts:
    if not isinstance(context, ssl.SSLContext):
        raise TypeError(f"ssl_context_factory must return an ssl.SSLContext, not {type(context).__name__}")
    parts = _known.get(context)
    if parts is None:
        parts = _known[context] = _Parts(_authorities_of(context), _shows_certificate(context))
    return parts


def _authorities_of(context: ssl.SSLContext) -> str | None:
    """The CA certificates; None if it shows none, which is how the system's folder looks."""
    authorities = tuple(context.get_ca_certs(binary_form=True))
    if context.cert_store_stats()["x509"] > len(authorities):
        raise ValueError(
            "An SSLContext trusts certificates that are no authorities and cannot be read: "
            "give them as verify=file"
        )
    return _pem_of(authorities) if authorities else None


@lru_cache(maxsize=8)
def _pem_of(certificates: tuple[bytes, ...]) -> str:
    return "".join(map(ssl.DER_cert_to_PEM_cert, certificates))


@lru_cache(maxsize=1)
def _asking_server() -> ssl.SSLContext:
    """A server that wants a client certificate, and accepts none."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    server.set_ciphers("ALL:@SECLEVEL=0")
    server.verify_mode = ssl.CERT_REQUIRED
    for is_rsa in (False, True):
        with tempfile.NamedTemporaryFile() as file:
            file.write(_core._make_certificate(is_rsa))
            file.flush()
            server.load_cert_chain(file.name)
    return server


def _shows_certificate(context: ssl.SSLContext) -> bool:
    """Whether a server that asks for a client certificate gets one, in a handshake in memory."""
    check_hostname, verify_mode = context.check_hostname, context.verify_mode
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        sides: list[Any] = [
            context.wrap_bio(to_client, to_server, server_hostname="nobody.invalid"),
            _asking_server().wrap_bio(to_server, to_client, server_side=True),
        ]
        for side in sides * 3:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return True  # the server did not like what it was shown
            except ssl.SSLError:
                return False
    finally:
        context.verify_mode = verify_mode
        context.check_hostname = check_hostname
    return False
