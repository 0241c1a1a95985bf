"""decode_json gives what json.loads gives, value and type, or raises as it does."""

from __future__ import annotations

import json
import random

import pytest

from locust_c.body_json import decode_json

BODIES = [
    b'{"a": [1, 2.5, "x", null, true, false, {}], "b": {"c": "\\u00e9\\ud83d\\ude00"}}',
    b"-0",
    b"-0.0",
    b"123456789012345678901234567890",
    b"18446744073709551616",
    b"-9223372036854775809",
    b"1e400",
    b"5e-324",
    b"0.1",
    b"9007199254740993.0",
    b"NaN",
    b"-Infinity",
    b'{"a": 1, "a": 2}',
    b'"\\ud800"',
    b"\xef\xbb\xbf1",
    "é".encode("utf-16"),
    '"é"'.encode("utf-16"),
    b" [ ] ",
]


def exact(value: object) -> str:
    return repr(value)


@pytest.mark.parametrize("body", BODIES, ids=repr)
def test_a_body_is_decoded_as_by_the_standard_library(body: bytes) -> None:
    try:
        expected = exact(json.loads(body))
    except ValueError as error:
        with pytest.raises(type(error)):
            decode_json(body)
    else:
        assert exact(decode_json(body)) == expected


@pytest.mark.parametrize(
    "body", [b"", b"nul", b"[1,]", b"01", b'"\xff"', b'"a\nb"', b"1 2", b"{'a': 1}"], ids=repr
)
def test_what_is_no_json_raises_as_the_standard_library_does(body: bytes) -> None:
    with pytest.raises(ValueError) as expected:
        json.loads(body)
    with pytest.raises(type(expected.value)) as raised:
        decode_json(body)
    assert str(raised.value) == str(expected.value)


def test_numbers_are_the_same_to_the_last_bit() -> None:
    numbers = random.Random(7)
    for _ in range(20_000):
        number = numbers.random() * 10 ** numbers.randint(-300, 300)
        for text in (repr(number), f"{number:.17g}", str(numbers.getrandbits(numbers.randint(1, 200)))):
            assert exact(decode_json(text.encode())) == exact(json.loads(text))
