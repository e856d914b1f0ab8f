"""The rules of docs/bundle.md, "JSON", at their edges; tests/vectors/bundle has more."""

from __future__ import annotations

import pytest

from litebundle.bundle.json_text import MAX_BYTES, parse_json


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100 + b"]" * 100,
        b"1" * 64,
        b"-0",
        b'"\\ud83d\\ude00"',
        b'{"a": 1, "A": 1}',
        b'"' + b"x" * (MAX_BYTES - 2) + b'"',
    ],
)
def test_read(text):
    parse_json(text)


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 101 + b"]" * 101,
        b'{"a":' * 101 + b"0" + b"}" * 101,
        b"[" * 10**6,
        b"1" * 65,
        b"1e309",
        b"NaN",
        b'"\\ud83d"',
        b'{"a": {"\\ude00": 1}}',
        b'{"a": 1, "\\u0061": 1}',
        b"\xef\xbb\xbf1",
        "1".encode("utf-16"),
        b'"\xff"',
        b'"' + b"x" * (MAX_BYTES - 1) + b'"',
    ],
)
def test_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)
