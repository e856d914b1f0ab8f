"""JSON as a bundle holds it: what every reader, in every language, reads as the same or refuses."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

MAX_BYTES = 2 * 2**20
"""So that the worst of documents takes no more than some 80 MB of a phone, once read."""
MAX_DEPTH = 100
MAX_NUMBER_CHARACTERS = 64


def parse_json(data: bytes | memoryview) -> Any:
    """The document in `data`; docs/bundle.md, "JSON", has the rules.

    Raises:
        ValueError: It is no JSON, or breaks a rule.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES} bytes")
    try:
        document = json.loads(
            bytes(data).decode(),
            object_pairs_hook=_unique_keys,
            parse_constant=_no_constant,
            parse_int=_whole,
            parse_float=_real,
        )
    except RecursionError as error:
        raise ValueError(f"it is more than {MAX_DEPTH} lists and objects deep") from error
    _check(document)
    return document


def _check(document: Any) -> None:
    """Depth, and strings that UTF-8 cannot hold."""
    level: list[Any] = [document]
    depth = 0
    while level:
        inner: list[Any] = []
        for value in level:
            if isinstance(value, str):
                value.encode()
            elif isinstance(value, dict | list) and depth == MAX_DEPTH:
                raise ValueError(f"it is more than {MAX_DEPTH} lists and objects deep")
            elif isinstance(value, dict):
                inner += [*value, *value.values()]
            elif isinstance(value, list):
                inner += value
        level, depth = inner, depth + 1


def _unique_keys(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} is given twice")
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _whole(text: str) -> int:
    _real(text)
    return int(text)


def _real(text: str) -> float:
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise ValueError(f"a number has more than {MAX_NUMBER_CHARACTERS} characters")
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"number {text} is not finite")
    return value
