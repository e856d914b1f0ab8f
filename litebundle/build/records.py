"""Frozen dataclasses as JSON bytes and back, for artefacts in the cache."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any, TypeVar

T = TypeVar("T")


def to_bytes(record: Any) -> bytes:
    """Canonical JSON of a dataclass or of plain JSON values; infinities are written as Python's json does."""
    plain = record if isinstance(record, dict) else asdict(record)
    return json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()


def without(record: Any, name: str) -> dict[str, Any]:
    """The dataclass as a dict, less one field (a model's bytes, stored in a file of their own)."""
    rest = {field.name: getattr(record, field.name) for field in fields(record) if field.name != name}
    return {key: _plain(value) for key, value in rest.items()}


def from_bytes(kind: type[T], data: bytes, **more: Any) -> T:
    """What `to_bytes` wrote, as a `kind` again; `more` are the fields stored elsewhere."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind).validate_python(json.loads(data) | more)


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return asdict(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "items"):
        return {key: _plain(item) for key, item in value.items()}
    return value
