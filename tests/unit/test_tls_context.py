"""What is taken over of an ssl.SSLContext, and what requests' `verify` and `cert` mean."""

from __future__ import annotations

import ssl
import warnings
from pathlib import Path
from typing import Any

import certifi
import pytest
from servers.certificates import Certificates

from locust_c import _core
from locust_c.connections import ConnectionOptions
from locust_c.contrib.fasthttp import FastHttpSession
from locust_c.event import EventHook
from locust_c.tls_context import (
    TlsSettings,
    settings_of_context,
    settings_of_factory,
    settings_of_requests,
)


def make(**attributes: Any) -> ssl.SSLContext:
    """A client's context with these attributes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old versions
        for name, value in attributes.items():
            setattr(context, name, value)
    return context


# --- requests ---


def test_verify_and_cert_of_requests(certificates: Certificates) -> None:
    ca, chain, key = (
        str(path) for path in (certificates.ca, certificates.chain("client"), certificates.key("client"))
    )
    assert settings_of_requests(None, None) == TlsSettings(ca_file=certifi.where())
    assert settings_of_requests(True, chain) == TlsSettings(ca_file=certifi.where(), cert_file=chain)
    assert settings_of_requests(ca, None) == TlsSettings(ca_file=ca)
    assert settings_of_requests(str(certificates.directory), None).ca_path == str(certificates.directory)
    assert settings_of_requests(False, (chain, key)) == TlsSettings(
        verify=False, cert_file=chain, key_file=key
    )


@pytest.mark.parametrize(
    ("verify", "cert", "words"),
    [
        ("/nowhere", None, "Could not find a suitable TLS CA certificate bundle, invalid path: /nowhere"),
        (True, "/nowhere", "Could not find the TLS certificate file, invalid path: /nowhere"),
        (True, (certifi.where(), "/nowhere"), "Could not find the TLS key file, invalid path: /nowhere"),
    ],
)
def test_files_that_are_missing_are_told_as_requests_does(verify: Any, cert: Any, words: str) -> None:
    with pytest.raises(OSError, match=words):
        settings_of_requests(verify, cert)


# --- contexts ---


def test_verification_is_taken_over() -> None:
    settings = settings_of_context(make())
    assert (settings.verify, settings.check_host) == (True, True)
    settings = settings_of_context(make(check_hostname=False))
    assert (settings.verify, settings.check_host) == (True, False)
    settings = settings_of_context(make(check_hostname=False, verify_mode=ssl.CERT_NONE))
    assert (settings.verify, settings.check_host) == (False, False)
    settings = settings_of_context(make(verify_flags=ssl.VERIFY_X509_STRICT))
    assert settings.verify_flags == ssl.VERIFY_X509_STRICT


@pytest.mark.parametrize(
    ("attributes", "range_"),
    [
        ({"minimum_version": ssl.TLSVersion.TLSv1_3}, (0x0304, 0x0304)),
        ({"maximum_version": ssl.TLSVersion.TLSv1_2}, (0x0303, 0x0303)),
        ({"minimum_version": ssl.TLSVersion.TLSv1}, (0x0301, 0x0304)),
        ({"minimum_version": ssl.TLSVersion.MINIMUM_SUPPORTED}, (0x0301, 0x0304)),
        ({"options": ssl.OP_NO_TLSv1_3 | ssl.OP_NO_SSLv3}, (0x0303, 0x0303)),
        ({"minimum_version": ssl.TLSVersion.TLSv1, "options": ssl.OP_NO_TLSv1}, (0x0302, 0x0304)),
    ],
)
def test_versions_are_taken_over(attributes: dict[str, Any], range_: tuple[int, int]) -> None:
    attributes = {"minimum_version": ssl.TLSVersion.TLSv1_2, **attributes}
    settings = settings_of_context(make(**attributes))
    assert (settings.min_version, settings.max_version) == range_


@pytest.mark.parametrize(
    "attributes",
    [
        {"minimum_version": ssl.TLSVersion.TLSv1_3, "options": ssl.OP_NO_TLSv1_3},
        {"minimum_version": ssl.TLSVersion.TLSv1_1, "options": ssl.OP_NO_TLSv1_2},
    ],
)
def test_versions_that_are_no_range_are_refused(attributes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be a range, not (none|0x0302, 0x0304)"):
        settings_of_context(make(**attributes))


def test_ciphers_are_taken_over() -> None:
    context = make()
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:@SECLEVEL=1")
    settings = settings_of_context(context)
    assert settings.ciphers == "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:@SECLEVEL=1"
    assert settings.ciphersuites is not None
    assert set(settings.ciphersuites.split(":")) >= {"TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"}


def test_authorities_are_taken_over(certificates: Certificates) -> None:
    assert settings_of_context(make()).ca_pem is None
    context = make()
    context.load_verify_locations(certificates.ca)
    assert settings_of_context(context).ca_pem == ssl.DER_cert_to_PEM_cert(
        ssl.PEM_cert_to_DER_cert(certificates.ca.read_text())
    )
    context.load_verify_locations(certifi.where())
    seen = settings_of_context(ssl.create_default_context(cafile=certifi.where())).ca_pem
    assert seen is not None and seen.count("BEGIN CERTIFICATE") > 50


def test_trusted_certificates_that_are_no_authorities_are_an_error(certificates: Certificates) -> None:
    context = make()
    context.load_verify_locations(certificates.chain("good"))
    with pytest.raises(ValueError, match="verify=file"):
        settings_of_context(context)


def test_revocation_lists_are_an_error() -> None:
    with pytest.raises(ValueError, match="revocation"):
        settings_of_context(make(verify_flags=ssl.VERIFY_CRL_CHECK_LEAF))


# --- client certificates ---


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"maximum_version": ssl.TLSVersion.TLSv1_2},
        {"minimum_version": ssl.TLSVersion.TLSv1_3},
        {"check_hostname": False, "verify_mode": ssl.CERT_NONE},
    ],
)
@pytest.mark.parametrize("ciphers", ["DEFAULT", "aRSA", "ECDHE-ECDSA-AES128-GCM-SHA256"])
def test_a_client_certificate_is_found_and_named(
    certificates: Certificates, attributes: dict[str, Any], ciphers: str
) -> None:
    without, context = make(**attributes), make(**attributes)
    for each in (without, context):
        each.set_ciphers(ciphers)
    context.load_cert_chain(certificates.chain("client"), certificates.key("client"))
    before = context.check_hostname, context.verify_mode
    assert settings_of_context(without).cert_file is None
    with pytest.raises(ValueError, match=r"give it as cert=\(certificate file, key file\)"):
        settings_of_context(context)
    assert (context.check_hostname, context.verify_mode) == before
    files = str(certificates.chain("client")), str(certificates.key("client"))
    settings = settings_of_context(context, files)
    assert (settings.cert_file, settings.key_file) == files


def test_contexts_that_are_shared_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counted(ssl.SSLContext):
        looked_at = 0

        def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
            self.looked_at += 1
            return super().wrap_bio(*args, **kwargs)

    context = Counted(ssl.PROTOCOL_TLS_CLIENT)
    for _ in range(3):
        assert settings_of_context(context) == settings_of_context(context)
    assert context.looked_at == 1


# --- factories ---


def test_a_factory_is_used_as_geventhttpclient_does(certificates: Certificates) -> None:
    def of_defaults(cafile: str) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=cafile)

    def without_arguments() -> ssl.SSLContext:
        return make(check_hostname=False, verify_mode=ssl.CERT_NONE)

    for factory in (of_defaults, without_arguments, ssl.create_default_context):
        settings = settings_of_factory(factory, verify=True)
        assert (settings.verify, settings.check_host) == (True, True)
        assert settings.ca_pem is not None and settings.ca_pem.count("BEGIN") > 50
        own = settings_of_factory(factory, verify=str(certificates.ca)).ca_pem
        assert own is not None and own.count("BEGIN") == 1
    assert settings_of_factory(of_defaults, verify=False).verify
    assert not settings_of_factory(of_defaults, verify=False).check_host
    assert not settings_of_factory(without_arguments, verify=False).verify


def test_what_is_no_context_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"must return an ssl\.SSLContext, not PosixPath"):
        settings_of_factory(lambda cafile: Path(cafile), verify=False)  # type: ignore[arg-type,return-value]


# --- connection options ---


def test_connection_options_restrict_the_settings() -> None:
    options = ConnectionOptions(
        tls_min="1.2", tls_max="1.3", tls_ciphers="TLS_AES_128_GCM_SHA256:ECDHE+AESGCM", tls_resumption=True
    )
    session = FastHttpSession("https://x", EventHook(), None, connection_options=options)
    assert session._tls_files(False, None) == TlsSettings(
        verify=False,
        min_version=0x0303,
        max_version=0x0304,
        ciphers="ECDHE+AESGCM",
        ciphersuites="TLS_AES_128_GCM_SHA256",
        resume=True,
    )
    only_old = TlsSettings(max_version=0x0303).restricted("1.2", None, "AES128-SHA", False)
    assert only_old == TlsSettings(min_version=0x0303, max_version=0x0303, ciphers="AES128-SHA")


def test_certificates_are_made_on_the_spot(tmp_path: Path) -> None:
    file = tmp_path / "made.pem"
    for is_rsa in (False, True):
        file.write_bytes(_core._make_certificate(is_rsa))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        context.load_verify_locations(file)
        assert context.cert_store_stats()["x509"] == 1
