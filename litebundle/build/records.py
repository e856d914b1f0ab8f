"""Frozen dataclasses as JSON bytes and back, for artefacts in the cache."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, TypeVar, cast

T = TypeVar("T")


def to_bytes(record: Any) -> bytes:
    """Canonical JSON of a dataclass; infinities are written as Python's json does."""
    return json.dumps(asdict(record), sort_keys=True, ensure_ascii=False).encode()


def from_bytes(kind: type[T], data: bytes) -> T:
    """What `to_bytes` wrote, as a `kind` again."""
    from pydantic import TypeAdapter

    return cast(T, TypeAdapter(kind).validate_python(json.loads(data)))
