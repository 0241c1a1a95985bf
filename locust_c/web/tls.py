"""Certificate and private key of the web page: found, checked and loaded before anything starts."""

from __future__ import annotations

import getpass
import os
import ssl
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gevent import ssl as gevent_ssl

PASS_PHRASE_VARIABLE = "SSL_KEY_PASSWORD"


class TlsError(ValueError):
    """The web page cannot be served over https as asked for; the text says why, in one line."""


@dataclass(frozen=True)
class TlsFiles:
    """Paths of certificate and key, both or none."""

    certificate: str | None
    key: str | None


def find_files(certificate: str | None, key: str | None, variables: Mapping[str, str]) -> TlsFiles:
    """Return the files that the options name, or else ``SSL_CERT`` and ``SSL_KEY`` in ``variables``.

    :raises TlsError: only one of the two is given.
    """
    certificate = certificate or variables.get("SSL_CERT") or None
    key = key or variables.get("SSL_KEY") or None
    if (certificate is None) != (key is None):
        given, missing = ("certificate", "key") if key is None else ("key", "certificate")
        option, variable = ("--tls-key", "SSL_KEY") if key is None else ("--tls-cert", "SSL_CERT")
        raise TlsError(
            f"https needs a certificate and its key, but only the {given} is given:"
            f" name the {missing} with {option} or {variable}."
        )
    return TlsFiles(certificate, key)


def context_of(files: TlsFiles) -> ssl.SSLContext | None:
    """Return :func:`server_context` of the files; None without them."""
    if files.certificate is None or files.key is None:
        return None
    return server_context(files.certificate, files.key)


def server_context(certificate: str, key: str) -> ssl.SSLContext:
    """Return a context for a server with this certificate (PEM, may hold the chain) and this key (PEM).

    The pass phrase of an encrypted key comes from ``SSL_KEY_PASSWORD`` in the environment, or from the
    terminal. TLS 1.2 is the oldest version spoken.

    :raises TlsError: a file cannot be read or used, the two do not belong together, or the pass phrase is
        wrong or cannot be had.
    """
    for path, what in ((certificate, "certificate"), (key, "key")):
        try:
            with open(path, "rb"):
                pass
        except OSError as error:
            raise TlsError(f"The TLS {what} '{path}' cannot be read: {error.strerror}.") from error
    asked: list[str] = []

    def pass_phrase() -> str:
        asked.append(key)
        return _pass_phrase(key)

    context: ssl.SSLContext = gevent_ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        _load(context, certificate, key, pass_phrase)
    except ssl.SSLError as error:
        raise TlsError(_explain(error, certificate, key, bool(asked))) from error
    return context


def _load(context: ssl.SSLContext, certificate: str, key: str, pass_phrase: Callable[[], str]) -> None:
    try:
        context.load_cert_chain(certificate, key, password=pass_phrase)
    except ValueError as error:
        if isinstance(error, (TlsError, ssl.SSLError)):
            raise
        # OpenSSL takes no more than 1,024 bytes.
        raise TlsError(f"The pass phrase of the TLS key '{key}' cannot be used: {error}.") from error


def _pass_phrase(key: str) -> str:
    from_environment = os.environ.get(PASS_PHRASE_VARIABLE)
    if from_environment is not None:
        return from_environment
    if sys.stdin is None or not sys.stdin.isatty():
        raise TlsError(
            f"The TLS key '{key}' is encrypted, and there is no terminal to ask for its pass phrase:"
            f" set {PASS_PHRASE_VARIABLE}."
        )
    try:
        return getpass.getpass(f"Pass phrase of the TLS key {key}: ")
    except EOFError:
        raise TlsError(f"No pass phrase was given for the TLS key '{key}'.") from None


def _explain(error: ssl.SSLError, certificate: str, key: str, encrypted: bool) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"The TLS key '{key}' does not belong to the certificate '{certificate}'."
    if encrypted:
        return f"The pass phrase of the TLS key '{key}' is wrong."
    if _has_certificate(certificate):
        return f"The TLS key '{key}' holds no usable private key in PEM form ({error.reason or error})."
    return f"The TLS certificate '{certificate}' holds no certificate in PEM form ({error.reason or error})."


def _has_certificate(path: str) -> bool:
    try:
        gevent_ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except (ssl.SSLError, OSError):
        return False
    return True
