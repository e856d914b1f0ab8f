"""What a JSON document breaks of its model, in words."""

from __future__ import annotations

from pydantic import ValidationError


def first_fault(error: ValidationError, whole: str = "the top") -> str:
    """The place (keys and indices, joined by dots; `whole` for the document itself) and what is wrong there."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or whole}: {first['msg']}"
