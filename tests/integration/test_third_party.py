"""Libraries that locustfiles use together with requests, given `HttpUser.client` in place of a Session."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gevent.server
import pytest
import requests_mock
import responses
import spnego
import zeep
from oauthlib import oauth1
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from reported import Reports
from requests_aws4auth import AWS4Auth
from requests_ntlm import HttpNtlmAuth
from requests_oauthlib import OAuth1
from requests_toolbelt import MultipartEncoder, MultipartEncoderMonitor
from servers import steps
from servers.control import Echo, OpenScripted

from locust_c.clients import HttpSession, ResponseContextManager


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def client(reports: Reports, echo: Echo) -> HttpSession:
    return reports.http(echo.url)


# --- mocks ---


def test_responses_answers_in_place_of_the_server(client: HttpSession, reports: Reports, echo: Echo) -> None:
    client.get("/anything")
    with responses.RequestsMock() as mocked:
        mocked.get(f"{echo.url}/mocked", json={"a": 1}, headers={"Set-Cookie": "c=1"})
        mocked.post(f"{echo.url}/mocked", status=503)
        answer = client.get("/mocked")
        assert (type(answer), answer.json()) == (ResponseContextManager, {"a": 1})
        assert client.post("/mocked", data={"x": "y"}).status_code == 503
        assert client.get("/nowhere").status_code == 0
        assert [call.request.method for call in mocked.calls] == ["GET", "POST", "GET"]
    assert client.get("/anything").json()["path"] == "/anything"
    assert client.cookies.get_dict() == {"c": "1"}
    assert reports.names == [
        *[("GET", "/anything"), ("GET", "/mocked"), ("POST", "/mocked")],
        *[("GET", "/nowhere"), ("GET", "/anything")],
    ]
    assert [bool(text) for text in reports.exceptions] == [False, False, True, True, False]


def test_responses_lets_through_what_it_was_told_to(
    client: HttpSession, reports: Reports, echo: Echo
) -> None:
    with responses.RequestsMock() as mocked:
        mocked.add_passthru(echo.url)
        answer = client.get("/anything", params={"a": "1"})
    assert (type(answer), answer.json()["target"]) == (ResponseContextManager, "/anything?a=1")
    assert reports.names == [("GET", "/anything?a=1")]


def test_requests_mock_answers_in_place_of_the_server(
    client: HttpSession, reports: Reports, echo: Echo
) -> None:
    with requests_mock.Mocker() as mocked:
        mocked.get(f"{echo.url}/mocked", text="mocked")
        assert client.get("/mocked").text == "mocked"
    assert client.get("/anything").json()["path"] == "/anything"
    assert reports.names == [("GET", "/mocked"), ("GET", "/anything")]
    assert not client._long_way_only


# --- authentication ---


NTLM_USER = "DOMAIN:user:pass\n"


def ntlm_answer(authorization: str, peer: Any) -> tuple[int, str]:
    """Status and challenge for a request of a connection, whose side of the handshake is `peer`."""
    if not authorization.startswith("NTLM "):
        return 401, "NTLM"
    token = peer.step(base64.b64decode(authorization.removeprefix("NTLM ")))
    return (200, "") if peer.complete else (401, f"NTLM {base64.b64encode(token).decode()}")


def serve_ntlm(sock: Any, address: object) -> None:
    """One connection: NTLM authenticates it, not the requests in it (MS-NTHT)."""
    peer = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
    with sock, sock.makefile("rb") as lines:
        while line := lines.readline():
            headers = dict(iter(lambda: lines.readline().decode().strip().partition(": ")[::2], ("", "")))
            status, challenge = 200, ""
            if not peer.complete:
                status, challenge = ntlm_answer(headers.get("Authorization", ""), peer)
            body = line.split()[1] if status == 200 else b""
            sock.sendall(
                f"HTTP/1.1 {status} Some Reason\r\nContent-Length: {len(body)}\r\n"
                f"{f'WWW-Authenticate: {challenge}' if challenge else 'X-None: 1'}\r\n\r\n".encode()
                + body
            )


@pytest.fixture
def ntlm_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that asks for NTLM."""
    users = tmp_path / "users"
    users.write_text(NTLM_USER)
    monkeypatch.setenv("NTLM_USER_FILE", str(users))
    server = gevent.server.StreamServer(("127.0.0.1", 0), serve_ntlm)
    server.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.stop()


def test_ntlm_authenticates_a_connection(reports: Reports, ntlm_url: str) -> None:
    client = reports.http(ntlm_url)
    client.auth = HttpNtlmAuth("DOMAIN\\user", "pass")
    assert client.get("/a").text == "/a"
    assert client.get("/b").text == "/b"
    client.auth = HttpNtlmAuth("DOMAIN\\user", "wrong")
    assert reports.names == [("GET", "/a"), ("GET", "/b")]
    assert reports.exceptions == ["", ""]


class Validator(oauth1.RequestValidator):
    """A provider with one client."""

    enforce_ssl = False
    client_key_length = (3, 30)
    nonce_length = (3, 60)

    def get_client_secret(self, client_key: str, request: Any) -> str:
        return "secret"

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        return client_key == "client"

    def validate_timestamp_and_nonce(self, *args: Any, **kwargs: Any) -> bool:
        return True


@pytest.mark.parametrize("signature_type", ["AUTH_HEADER", "QUERY", "BODY"])
def test_oauth1_signs_requests(client: HttpSession, echo: Echo, signature_type: str) -> None:
    client.auth = OAuth1("client", client_secret="secret", signature_type=signature_type)
    seen = client.post("/anything?q=1", data={"a": "x y", "b": "ü"}).json()
    valid, _ = oauth1.SignatureOnlyEndpoint(Validator()).validate_request(
        f"{echo.url}{seen['target']}", "POST", seen["body"], dict(seen["headers"])
    )
    assert valid


def aws4_signature(seen: dict[str, Any], secret: str) -> str:
    """The signature of a received request by AWS's documented steps (Signature Version 4)."""
    headers = {name.lower(): value for name, value in seen["headers"]}
    parts = [part.rpartition("=")[2] for part in headers["authorization"].split(",")]
    scope, signed = parts[0], parts[1]
    names = signed.split(";")
    canonical = "\n".join(
        [
            *[seen["method"], quote(seen["path"]), seen["query"]],
            *[f"{name}:{headers[name]}" for name in names],
            *["", signed, hashlib.sha256(seen["body"].encode("latin-1")).hexdigest()],
        ]
    )
    day, region, service, ending = scope.split("/")[1:]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(
        ["AWS4-HMAC-SHA256", headers["x-amz-date"], f"{day}/{region}/{service}/{ending}", digest]
    )
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, ending, text):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


def test_aws4auth_signs_requests(client: HttpSession) -> None:
    auth = AWS4Auth("id", "secret", "eu-west-1", "execute-api")
    seen = client.post("/anything", params={"a": "1"}, json={"k": [1]}, auth=auth).json()
    sent = dict(seen["headers"])["Authorization"].rpartition("Signature=")[2]
    assert sent == aws4_signature(seen, "secret")


# --- SOAP ---


WSDL = """<?xml version="1.0"?>
<definitions name="Adder" targetNamespace="urn:adder" xmlns:tns="urn:adder"
    xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <message name="AddRequest"><part name="a" type="xsd:int"/><part name="b" type="xsd:int"/></message>
  <message name="AddResponse"><part name="sum" type="xsd:int"/></message>
  <portType name="AdderPort">
    <operation name="Add"><input message="tns:AddRequest"/><output message="tns:AddResponse"/></operation>
  </portType>
  <binding name="AdderBinding" type="tns:AdderPort">
    <soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="Add"><soap:operation soapAction="urn:add"/>
      <input><soap:body use="literal" namespace="urn:adder"/></input>
      <output><soap:body use="literal" namespace="urn:adder"/></output>
    </operation>
  </binding>
  <service name="AdderService">
    <port name="Adder" binding="tns:AdderBinding"><soap:address location="{address}"/></port>
  </service>
</definitions>"""
SOAP = """<?xml version="1.0"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>
<a:AddResponse xmlns:a="urn:adder"><sum>3</sum></a:AddResponse></soap:Body></soap:Envelope>"""


def xml(text: str) -> steps.Step:
    return steps.reply(text.encode(), headers=[("Content-Type", "text/xml")])


def test_zeep_calls_a_soap_service(reports: Reports, scripted: OpenScripted) -> None:
    service = scripted([steps.request(), xml(SOAP), steps.wait_eof()])
    description = scripted(
        [steps.request(), xml(WSDL.format(address=f"{service.url}/soap")), steps.wait_eof()]
    )
    client = reports.http(service.url)
    adder = zeep.Client(f"{description.url}/adder.wsdl", transport=zeep.Transport(session=client))
    assert adder.service.Add(a=1, b=2) == 3
    assert b"<a>1</a><b>2</b>" in service.requests()[0]
    assert b'SOAPAction: "urn:add"' in service.requests()[0]
    assert reports.names == [("GET", "/adder.wsdl"), ("POST", "/soap")]


# --- bodies ---


def test_the_toolbelts_multipart_encoder_is_sent(client: HttpSession) -> None:
    read: list[int] = []
    encoder = MultipartEncoder(
        {"field": "value", "file": ("a.txt", io.BytesIO(b"x" * 100_000), "text/plain")}
    )
    monitor = MultipartEncoderMonitor(encoder, lambda monitor: read.append(monitor.bytes_read))
    seen = client.post("/anything", data=monitor, headers={"Content-Type": monitor.content_type}).json()
    assert dict(seen["headers"])["Content-Length"] == str(len(seen["body"]))
    assert "x" * 100_000 in seen["body"] and 'filename="a.txt"' in seen["body"]
    assert len(read) > 2 and max(read) == encoder.len


# --- tracing ---


@contextmanager
def traced(instrumentor: Any) -> Iterator[InMemorySpanExporter]:
    """The spans that are made in the block."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor.instrument(tracer_provider=provider)
    try:
        yield exporter
    finally:
        instrumentor.uninstrument()


@pytest.mark.parametrize("instrumentor", [RequestsInstrumentor, URLLib3Instrumentor])
def test_opentelemetry_makes_a_span_of_each_request(
    client: HttpSession, reports: Reports, instrumentor: Any
) -> None:
    client.get("/anything")
    with traced(instrumentor()) as exporter:
        seen = client.get("/anything").json()
        client.post("/status/500", json={"a": 1})
        spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["GET", "POST"]
    assert [span.attributes["http.status_code"] for span in spans if span.attributes] == [200, 500]
    assert f"{spans[0].context.trace_id:032x}" in dict(seen["headers"])["traceparent"]
    assert "traceparent" not in dict(client.get("/anything").json()["headers"])
    assert reports.names == [*[("GET", "/anything")] * 2, ("POST", "/status/500"), ("GET", "/anything")]
