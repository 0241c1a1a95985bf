"""TLS as a user class wants it: connection options, contexts of `ssl_context_factory`, failures in words."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import pytest
from reported import Reports
from servers import steps
from servers.certificates import Certificates
from servers.control import OpenScripted, Scripted

from locust_c import ConnectionOptions
from locust_c.contrib.fasthttp import FastHttpSession
from locust_c.event import EventHook

ANSWER = [steps.request(), steps.reply(b"fine")]


@pytest.fixture
def reports() -> Reports:
    return Reports()


def tls_of(server: Scripted) -> dict[str, Any]:
    """How TLS went on the server's only connection."""
    (connection,) = server.connections()
    return connection.tls


# --- connection options ---


@pytest.mark.parametrize("kind", ["http", "fast"])
@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ({"tls_max": "1.2"}, "TLSv1.2"),
        ({"tls_min": "1.3"}, "TLSv1.3"),
        ({"tls_max": "1.2", "tls_ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256"}, "ECDHE-ECDSA-AES128-GCM-SHA256"),
        ({"tls_ciphers": "TLS_CHACHA20_POLY1305_SHA256"}, "TLS_CHACHA20_POLY1305_SHA256"),
    ],
)
def test_versions_and_ciphers_are_those_of_the_options(
    reports: Reports,
    scripted: OpenScripted,
    certificates: Certificates,
    kind: str,
    options: dict[str, str],
    seen: str,
) -> None:
    server = scripted(ANSWER, tls="good")
    client = getattr(reports, kind)(server.url, connection_options=ConnectionOptions(**options))
    client.verify = str(certificates.ca)
    assert client.get("/x").text == "fine"
    tls = tls_of(server)
    assert seen in (tls["version"], tls["cipher"][0])


def test_versions_that_do_not_meet_are_a_failure_in_words(reports: Reports, scripted: OpenScripted) -> None:
    old = scripted(ANSWER, tls="good", max_version="1.2")
    reports.fast(old.url, connection_options=ConnectionOptions(tls_min="1.3")).get("/x")
    new = scripted(ANSWER, tls="good", min_version="1.3")
    reports.fast(new.url, connection_options=ConnectionOptions(tls_max="1.2")).get("/x")
    words = "[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version"
    assert reports.exceptions == [f"SSLError(1, {words!r})"] * 2


def test_ciphers_that_nobody_knows_are_told(reports: Reports) -> None:
    options = ConnectionOptions(tls_ciphers="TLS_MORSE")
    client = reports.fast("https://127.0.0.1:1", connection_options=options)
    with pytest.raises(OSError, match="TLS cannot be set up: the ciphers cannot be used: no cipher match"):
        client.get("/x")


# --- contexts of a factory ---


def fast_with(
    server: Scripted, factory: Callable[..., ssl.SSLContext], insecure: bool = True
) -> FastHttpSession:
    return FastHttpSession(server.url, EventHook(), None, insecure=insecure, ssl_context_factory=factory)


def trusting(certificates: Certificates, **attributes: Any) -> Callable[[], ssl.SSLContext]:
    """Makes contexts that trust the tests' authority, and that with these attributes."""

    def factory() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(certificates.ca)
        for name, value in attributes.items():
            setattr(context, name, value)
        return context

    return factory


def test_authorities_and_the_host_check_are_those_of_the_context(
    scripted: OpenScripted, certificates: Certificates
) -> None:
    factory = trusting(certificates)
    for kind, insecure, fine in [
        ("good", False, True),
        ("wrong_host", False, False),
        ("wrong_host", True, True),  # the context still checks who signed it
        ("unknown_ca", True, False),
        ("expired", True, False),
    ]:
        response = fast_with(scripted(ANSWER, tls=kind), factory, insecure).get("/x")
        assert (response.status_code == 200) == fine, (kind, insecure)
        assert fine or isinstance(response.error, ssl.SSLCertVerificationError)
    trusts_all = trusting(certificates, check_hostname=False, verify_mode=ssl.CERT_NONE)
    assert fast_with(scripted(ANSWER, tls="unknown_ca"), trusts_all).get("/x").text == "fine"


def test_versions_and_ciphers_are_those_of_the_context(
    scripted: OpenScripted, certificates: Certificates
) -> None:
    def narrow() -> ssl.SSLContext:
        context = trusting(certificates, maximum_version=ssl.TLSVersion.TLSv1_2)()
        context.set_ciphers("ECDHE-ECDSA-CHACHA20-POLY1305")
        return context

    server = scripted(ANSWER, tls="good")
    assert fast_with(server, narrow).get("/x").text == "fine"
    assert (tls_of(server)["version"], tls_of(server)["cipher"][0]) == (
        "TLSv1.2",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
    )
    server = scripted(ANSWER, tls="good", max_version="1.2")
    newest = trusting(certificates, minimum_version=ssl.TLSVersion.TLSv1_3)
    assert "protocol version" in str(fast_with(server, newest).get("/x").error)


def test_a_client_certificate_of_a_context_is_an_error_that_names_cert(
    scripted: OpenScripted, certificates: Certificates
) -> None:
    files = str(certificates.chain("client")), str(certificates.key("client"))

    def with_certificate() -> ssl.SSLContext:
        context = trusting(certificates)()
        context.load_cert_chain(*files)
        return context

    server = scripted(ANSWER, tls="good", client_ca=True)
    client = fast_with(server, with_certificate)
    with pytest.raises(ValueError, match=r"cert=\(certificate file, key file\)"):
        client.get("/x")
    assert server.connections() == []
    client.cert = files
    assert client.get("/x").text == "fine"
    assert tls_of(server)["client"]


# --- failures ---


@pytest.mark.parametrize("kind", ["http", "fast"])
def test_a_client_certificate_that_is_missing_is_named_by_its_alert(
    reports: Reports, scripted: OpenScripted, kind: str
) -> None:
    server = scripted([steps.wait_eof()], tls="good", client_ca=True)
    client = getattr(reports, kind)(server.url)
    client.verify = False
    client.get("/x")
    assert reports.exceptions[0].startswith("SSLError(")
    assert (
        "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required" in reports.exceptions[0]
    )


@pytest.mark.parametrize("kind", ["http", "fast"])
def test_a_handshake_that_is_cut_is_named_and_the_next_request_works(
    reports: Reports, scripted: OpenScripted, kind: str
) -> None:
    server = scripted([steps.half_close(), steps.wait_eof()], [steps.start_tls(), *ANSWER])
    client = getattr(reports, kind)(server.url.replace("http:", "https:"))
    client.verify = False
    assert client.get("/x").status_code == 0
    assert client.get("/x").text == "fine"
    assert "SSLEOFError(8, '[SSL: UNEXPECTED_EOF_WHILE_READING]" in reports.exceptions[0]
