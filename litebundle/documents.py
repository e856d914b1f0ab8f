"""Anything the rooms hand out, in JSON's own types."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any


def plain(value: Any, digits: int | None = None) -> Any:
    """The value as dicts, lists, strings, numbers, booleans and None.

    Infinities and NaN have no JSON form and become the strings "inf", "-inf" and "nan". With `digits`, floats are
    rounded to so many significant digits.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name), digits) for field in fields(value)}
    if hasattr(value, "model_dump"):
        return plain(value.model_dump(mode="json"), digits)
    if isinstance(value, Mapping):
        return {str(key): plain(item, digits) for key, item in value.items()}
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist(), digits)
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [plain(item, digits) for item in value]
    if isinstance(value, float):
        return _number(value, digits)
    return value


def _number(value: float, digits: int | None) -> float | str:
    if not math.isfinite(value):
        return str(value)
    return value if digits is None else float(f"{value:.{digits}g}")
