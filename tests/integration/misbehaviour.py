"""What a hostile server does with a request, and what is said of it: the table of test_hostile_server."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from typing import Any

from servers import steps
from servers.steps import (
    Step,
    chunked_response,
    flood,
    head_bytes,
    repeat,
    reply,
    request,
    send,
    stall,
    wait_eof,
)

TIMEOUT_S = 0.1
# What a test machine may need on top of a time-out before it is a hang.
PATIENCE_S = 5.0
LARGE = b"x" * 20_000_000


@dataclass(frozen=True)
class Case:
    """What the first connection does, and what is said of it.

    `http`: words of what the statistics show for HttpUser, with * for anything; `fast`: for FastHttpUser
    where they differ. No words: a success. `status`: what the task sees, with either. `https`: the URL's
    scheme, without TLS on the other side.
    """

    script: list[Step]
    http: str = ""
    fast: str | None = None
    status: tuple[int, int] = (0, 0)
    tls: str | None = None
    https: bool = False
    verify: bool = False
    body: bytes = b""
    options: dict[str, object] = field(default_factory=dict)

    def words(self, flavour: str) -> str:
        return self.http if flavour == "http" or self.fast is None else self.fast

    @property
    def is_late(self) -> bool:
        return "TimeoutError" in self.http


def answer(data: bytes, http: str, fast: str | None = None, **more: Any) -> Case:
    """One request is read, these bytes are sent, and the connection is closed."""
    return Case([request(), send(data)], http, fast, **more)


def kept(data: bytes, http: str, fast: str | None = None, **more: Any) -> Case:
    """The same, but it is the client that must close."""
    return Case([request(), send(data), wait_eof()], http, fast, **more)


def silent(data: bytes, http: str, fast: str, **more: Any) -> Case:
    """The same, and then nothing for longer than the time-out."""
    return Case([request(), send(data), stall("never")], http, fast, **more)


def endless(start: bytes, piece: bytes, words: str) -> Case:
    """A start, and then these bytes again and again until the client closes."""
    return Case([request(), send(start), flood(piece)], words)


def in_chunks(data: bytes, http: str, fast: str) -> Case:
    return kept(CHUNKED + data, http, fast)


def with_length(value: str, http: str, fast: str | None = None) -> Case:
    return kept(head_bytes(headers=[("Content-Length", value)]) + b"abcd", http, fast)


def coded(coding: str, data: bytes, http: str, fast: str) -> Case:
    reply_coded = send(steps.response(data, headers=[("Content-Encoding", coding)]))
    # The connection is fine: the next request comes on it.
    return Case([request(), reply_coded, repeat(request(), reply(b"next"))], http, fast)


def alert(number: int, words: str) -> Case:
    """A fatal alert (RFC 8446, 6) instead of a ServerHello."""
    return Case([send(b"\x15\x03\x03\x00\x02\x02%c" % number), wait_eof()], words, https=True)


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = head_bytes(headers=[("Transfer-Encoding", "chunked")])
PACKED = gzip.compress(b"x" * 1000)
CLOSED = "HTTPConnectionClosed('connection closed.')"
CUT = "HTTPParseError('the peer closed the connection in the middle of a response')"
TOO_LONG = "the response head is longer than the limit"
BAD_CHUNK = "HTTPParseError('a chunk size is not hexadecimal')"
BAD_STATUS = "HTTPParseError('the status is not a number"
LONG_LINE = "a chunk's size line is longer than the limit"
LATE_BODY = "TimeoutError('timed out')"
NO_HTTP = "HTTPParseError('this is not an HTTP/1 response')"
SEVERAL = "there are several Content-Length values that differ"
TOO_LARGE = "ResponseTooLarge('The response body is larger than max_body_size (268435456 bytes)')"
LATE = "ReadTimeoutError(*Read timed out."
LATE_FAST = "RetriesExceeded('*/broken', 0, original=timed out)"
H2_SETTINGS = bytes.fromhex("000012040000000000 000300000080 000400010000 000500ffffff")

CASES: dict[str, Case] = {
    # What comes is no response, or only a part of one.
    "half a status line": answer(b"HTTP/1.1 20", "BadStatusLine('HTTP/1.1 20')", CUT),
    "half a head": answer(OK + b"X-Half: a", "HTTPException(*the middle of a response", CUT),
    "nothing": answer(b"", "RemoteDisconnected(", CLOSED),
    "only line ends": answer(b"\r\n\r\n", "RemoteDisconnected(", CLOSED),
    "HTTP/0.9": kept(b"<html>hello</html>\r\n", "BadStatusLine('<html>hello</html>", NO_HTTP),
    "the preface of HTTP/2": kept(H2_SETTINGS, "BadStatusLine(", NO_HTTP),
    "a status line of HTTP/2": kept(b"HTTP/2 200 OK\r\n\r\n", "BadStatusLine('HTTP/2 200 OK", NO_HTTP),
    "a status of four digits": kept(
        b"HTTP/1.1 1000 OK\r\n\r\n",
        "BadStatusLine('HTTP/1.1 1000",
        BAD_STATUS,
    ),
    "a status below 100": kept(
        b"HTTP/1.1 099 OK\r\n\r\n",
        "BadStatusLine('HTTP/1.1 099",
        BAD_STATUS,
    ),
    "a line without colon": kept(OK + b"no colon\r\n\r\n", "a header line has no colon"),
    "a NUL in the head": kept(OK + b"X-A: a\0b\r\n\r\n", "the head has a NUL byte"),
    "a folded first header": kept(OK + b" X-A: a\r\n\r\n", "white space precedes the first header"),
    # What has no end.
    "an endless status line": endless(b"HTTP/1.1 200 ", b"OK", TOO_LONG),
    "endless headers": endless(OK, b"X-More: and more\r\n", TOO_LONG),
    "an endless header": endless(OK + b"X-Long: ", b"x" * 1000, TOO_LONG),
    "a header of a megabyte": kept(OK + b"X-Long: " + b"x" * (1 << 20) + b"\r\n\r\n", TOO_LONG),
    "100,000 headers": kept(OK + b"X-Some: header\r\n" * 100_000 + b"\r\n", TOO_LONG),
    "endless interim responses": endless(
        b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500, "the interim responses are longer than the limit"
    ),
    "endless empty lines": endless(b"", b"\r\n" * 500, "too many blank lines precede the response"),
    "an endless chunk extension": endless(CHUNKED + b"5;", b"x" * 1000, LONG_LINE),
    "endless white space behind a chunk size": endless(CHUNKED + b"5", b" " * 1000, LONG_LINE),
    "endless zeros before a chunk size": endless(CHUNKED, b"0" * 1000, LONG_LINE),
    "endless trailers": endless(
        CHUNKED + b"0\r\n", b"X-T: 1\r\n" * 500, "the trailers are longer than the limit"
    ),
    # The body is not as long as announced, or that cannot be known.
    "a body that is too short": answer(
        head_bytes(headers=[("Content-Length", "10")]) + b"abc",
        "IncompleteRead(3 bytes read, 7 more expected)",
        "HTTPParseError('Incomplete response.')",
        status=(0, 200),
    ),
    "a body that is too long": kept(steps.response(b"ok") + b"more", "", status=(200, 200)),
    "a Content-Length of words": with_length("four", "Content-Length is not a number"),
    "a Content-Length with a sign": with_length("+4", "Content-Length is not a number"),
    "a negative Content-Length": with_length("-4", "Content-Length is not a number"),
    "a Content-Length beyond 64 bits": with_length("9" * 40, "Content-Length is not a number"),
    "a Content-Length of petabytes": with_length("9" * 17, TOO_LARGE),
    "an empty Content-Length": with_length("", "Content-Length is empty"),
    "a list of lengths": with_length("3, 4", SEVERAL),
    "several Content-Lengths": kept(
        head_bytes(headers=[("Content-Length", "3"), ("Content-Length", "4")]) + b"abcd", SEVERAL
    ),
    "a length and chunks": kept(
        chunked_response([b"ok"], headers=[("Content-Length", "3")]), "", status=(200, 200)
    ),
    "an unknown transfer coding": kept(
        head_bytes(headers=[("Transfer-Encoding", "gzip")]) + b"abc",
        "Transfer-Encoding is not chunked",
    ),
    "a chunk size of words": in_chunks(b"zz\r\n", "InvalidChunkLength(got length b'zz", BAD_CHUNK),
    "a chunk size with a sign": in_chunks(b"-1\r\n", "InvalidChunkLength(got length b'-1", BAD_CHUNK),
    "a chunk size with a prefix": in_chunks(b"0x3\r\n", "InvalidChunkLength(got length b'0x3", BAD_CHUNK),
    "a chunk size of two numbers": in_chunks(b"3 3\r\n", "InvalidChunkLength(got length b'3 3", BAD_CHUNK),
    "an empty chunk size": in_chunks(b"\r\nabc", "InvalidChunkLength(got length b'", BAD_CHUNK),
    "a chunk size beyond 64 bits": in_chunks(
        b"f" * 18 + b"\r\n",
        "a chunk size is too large",
        "HTTPParseError('a chunk size is",
    ),
    "a chunk size of 63 bits": in_chunks(b"7" + b"f" * 15 + b"\r\n", TOO_LARGE, TOO_LARGE),
    "a chunk that is longer": in_chunks(
        b"2\r\nabc\r\n0\r\n\r\n",
        "HTTPException('a chunk is not followed by a line end')",
        "HTTPParseError('a chunk is not followed by a line end')",
    ),
    "chunks without an end": answer(
        CHUNKED + b"3\r\nabc\r\n",
        "ChunkedEncodingError(*Response ended prematurely",
        "HTTPParseError('Incomplete response.')",
        status=(0, 200),
    ),
    # Responses that have no body, and bytes that look like one.
    "switching protocols": kept(
        head_bytes(101, "Switching Protocols", [("Upgrade", "x")]) + b"\0\1",
        "",
        "code=101",
        status=(101, 101),
    ),
    "204 with a body": kept(steps.response(b"hello", 204, "No Content"), "", status=(204, 204)),
    "304 with a body": kept(steps.response(b"hello", 304, "Not Modified"), "", status=(304, 304)),
    # Codings.
    "gzip cut short": coded("gzip", PACKED[:-12], "failed to decode", "Error -5 while decompressing data"),
    "gzip of another sum": coded(
        "gzip", PACKED[:-8] + bytes(8), "incorrect data check", "Error -3 *incorrect data check"
    ),
    "gzip that is none": coded("gzip", b"plain", "incorrect header check", "Error -3 *header check"),
    "br that is none": coded("br", b"\xff" * 9, "brotli: decoder failed", "error('brotli: decoder failed')"),
    "zstd that is none": coded("zstd", b"plain text", "ZstdError(", "ZstdError("),
    "20 codings": coded(", ".join(["gzip"] * 20), b"x", "Too many content encodings*20 > 5", "20 > 5"),
    # Connections that break.
    "a reset before the response": Case([steps.head(), steps.reset()], "ConnectionResetError(", CLOSED),
    "a reset in the head": Case(
        [request(), send(OK + b"Conte"), steps.reset()], "ConnectionResetError(", CLOSED
    ),
    "a reset in the body": Case(
        [request(), send(head_bytes(headers=[("Content-Length", "9")]) + b"abc"), steps.reset()],
        "ConnectionResetError(",
        status=(0, 200),
    ),
    # Silence.
    "silence instead of accepting": Case([], "ConnectTimeoutError(", LATE_FAST, options={"accept": False}),
    "silence instead of TLS": Case([stall("never")], "ConnectTimeoutError(", LATE_FAST, https=True),
    "silence instead of a response": silent(b"", LATE, LATE_FAST),
    "silence in the status line": silent(b"HTTP/1.", LATE, LATE_FAST),
    "silence in the head": silent(OK + b"X-", LATE, LATE_FAST),
    "silence behind an interim response": silent(b"HTTP/1.1 100 Continue\r\n\r\n", LATE, LATE_FAST),
    "silence in the body": silent(
        head_bytes(headers=[("Content-Length", "9")]) + b"abc",
        LATE,
        LATE_BODY,
        status=(0, 200),
    ),
    "silence in a chunk": silent(CHUNKED + b"9\r\nabc", LATE, LATE_BODY, status=(0, 200)),
    "silence before the last chunk": silent(CHUNKED + b"3\r\nabc\r\n", LATE, LATE_BODY, status=(0, 200)),
    "a server that never reads": Case([stall("never")], LATE, LATE_FAST, body=LARGE),
    "a server that stops reading": Case([steps.head(), stall("never")], LATE, LATE_FAST, body=LARGE),
    # TLS.
    "no TLS where it was expected": Case(
        [send(steps.response(b"", 400, "Bad Request")), wait_eof()], "WRONG_VERSION_NUMBER", https=True
    ),
    "TLS where it was not expected": Case(
        [send(b"\x15\x03\x01\x00\x02\x02\x16"), wait_eof()], "BadStatusLine(", NO_HTTP
    ),
    "closed in the handshake": Case([steps.half_close(), wait_eof()], "UNEXPECTED_EOF", https=True),
    "half a record of TLS": Case(
        [send(b"\x16\x03\x03\x40\x00\x02"), steps.half_close(), wait_eof()], "UNEXPECTED_EOF", https=True
    ),
    "a message beyond the limits of TLS": Case(
        [send(b"\x16\x03\x03\x40\x00" + b"\x02" * 0x4000), wait_eof()], "EXCESSIVE_MESSAGE_SIZE", https=True
    ),
    "a certificate of another host": Case(
        [wait_eof()], "CERTIFICATE_VERIFY_FAILED*Hostname mismatch", tls="wrong_host", verify=True
    ),
    "an expired certificate": Case(
        [wait_eof()], "CERTIFICATE_VERIFY_FAILED*certificate has expired", tls="expired", verify=True
    ),
    "a self-signed certificate": Case(
        [wait_eof()], "CERTIFICATE_VERIFY_FAILED*self-signed", tls="self_signed", verify=True
    ),
    "an unknown authority": Case(
        [wait_eof()], "CERTIFICATE_VERIFY_FAILED*unable to get local issuer", tls="unknown_ca", verify=True
    ),
    "no client certificate, TLS 1.2": Case(
        [wait_eof()], "HANDSHAKE_FAILURE", tls="good", options={"client_ca": True, "max_version": "1.2"}
    ),
    "no client certificate, TLS 1.3": Case(
        [wait_eof()], "TLSV13_ALERT_CERTIFICATE_REQUIRED", tls="good", options={"client_ca": True}
    ),
    **{
        f"TLS alert {number}": alert(number, words)
        for number, words in {
            0: "unknown error",
            10: "UNEXPECTED_MESSAGE",
            20: "BAD_RECORD_MAC",
            22: "RECORD_OVERFLOW",
            40: "HANDSHAKE_FAILURE",
            42: "BAD_CERTIFICATE",
            43: "UNSUPPORTED_CERTIFICATE",
            44: "CERTIFICATE_REVOKED",
            45: "CERTIFICATE_EXPIRED",
            46: "CERTIFICATE_UNKNOWN",
            47: "ILLEGAL_PARAMETER",
            48: "UNKNOWN_CA",
            49: "ACCESS_DENIED",
            50: "DECODE_ERROR",
            51: "DECRYPT_ERROR",
            70: "PROTOCOL_VERSION",
            71: "INSUFFICIENT_SECURITY",
            80: "INTERNAL_ERROR",
            86: "INAPPROPRIATE_FALLBACK",
            90: "USER_CANCELLED",
            109: "MISSING_EXTENSION",
            110: "UNSUPPORTED_EXTENSION",
            112: "UNRECOGNIZED_NAME",
            113: "BAD_CERTIFICATE_STATUS_RESPONSE",
            115: "UNKNOWN_PSK_IDENTITY",
            116: "CERTIFICATE_REQUIRED",
            120: "NO_APPLICATION_PROTOCOL",
            255: "unknown error",
        }.items()
    },
}
