"""Bodies decoded while they come."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
from servers import steps

from locust_c import _core

BODY = bytes(range(256)) * 40
ENCODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": steps.zstandard,
}


@pytest.mark.parametrize("coding", ENCODERS)
@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_pieces_of_any_length_are_decoded(coding: str, step: int) -> None:
    decoder, packed = _core.Decoder(coding, len(BODY)), ENCODERS[coding](BODY)
    pieces = [decoder.feed(packed[start : start + step]) for start in range(0, len(packed), step)]
    assert b"".join(pieces) + decoder.finish() == BODY


def test_what_is_known_already_is_given() -> None:
    packer = zlib.compressobj(wbits=31)
    first = packer.compress(b"first, ") + packer.flush(zlib.Z_SYNC_FLUSH)
    second = packer.compress(b"second") + packer.flush()
    decoder = _core.Decoder("gzip", 100)
    assert [decoder.feed(first), decoder.feed(memoryview(second)), decoder.finish()] == [
        b"first, ",
        b"second",
        b"",
    ]


def test_codings_of_a_header_are_undone_from_the_last() -> None:
    decoder = _core.Decoder("deflate , identity, BR,gzip", 100)
    assert decoder.feed(gzip.compress(brotli.compress(zlib.compress(b"text")))) == b"text"
    assert _core.Decoder(content_encoding="", limit=100).feed(b"text") == b"text"


def test_a_body_of_no_bytes_is_empty() -> None:
    assert _core.Decoder("gzip", 0).finish() == b""


@pytest.mark.parametrize(
    ("coding", "data", "words"),
    [
        ("gzip", b"plain text", "incorrect header check"),
        ("gzip", gzip.compress(BODY)[:-1], "incomplete or truncated stream"),
        ("br", b"\xff" * 10, "brotli: decoder failed"),
        ("zstd", b"plain text", "Unable to decompress Zstandard data: Unknown frame descriptor"),
        ("zstd", steps.zstandard(BODY)[:-1], "Zstandard data is incomplete"),
    ],
)
def test_what_cannot_be_decoded_is_told_in_the_words_of_its_library(
    coding: str, data: bytes, words: str
) -> None:
    decoder = _core.Decoder(coding, 100_000)
    with pytest.raises(ValueError) as failed:
        decoder.feed(data)
        decoder.finish()
    assert str(failed.value) == words
    with pytest.raises(ValueError):
        decoder.feed(data)


def test_the_limit_counts_all_pieces() -> None:
    decoder, packed = _core.Decoder("gzip, gzip", len(BODY) - 1), gzip.compress(gzip.compress(BODY))
    with pytest.raises(OverflowError, match=r"longer than 10239 bytes"):
        for byte in packed:
            decoder.feed(bytes([byte]))
    with pytest.raises(OverflowError):
        decoder.finish()


def test_nothing_follows_the_end() -> None:
    decoder = _core.Decoder("gzip", 100)
    decoder.feed(gzip.compress(b"text"))
    decoder.finish()
    with pytest.raises(ValueError, match="finished"):
        decoder.feed(b"more")


@pytest.mark.parametrize(
    ("encoding", "limit", "words"),
    [
        ("morse", 1, "'morse' has a content encoding that is not known"),
        ("gzip, morse", 1, "not known"),
        ("gzip, gzip, br, gzip, gzip, gzip", 1, "Too many content encodings in the chain: 6 > 5"),
        ("gzip", -1, "limit must not be negative"),
    ],
)
def test_what_no_decoder_can_be_made_for_is_refused(encoding: str, limit: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        _core.Decoder(encoding, limit)


def test_what_is_no_bytes_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        _core.Decoder("gzip", 1).feed("text")  # type: ignore[arg-type]
