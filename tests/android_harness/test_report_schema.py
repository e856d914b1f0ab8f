"""The published schema of a run's report: sound itself, every field explained, and its example fits it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs/harness-report.schema.json").read_text(encoding="utf-8"))
EXAMPLE: dict[str, Any] = json.loads((ROOT / "tests/vectors/harness/report.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def _fields(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in schema.get("properties", {}).items():
        yield f"{path}/{name}", field
        yield from _fields(field, f"{path}/{name}")
    if "items" in schema:
        yield from _fields(schema["items"], f"{path}[]")
    for branch in schema.get("anyOf", []):
        yield from _fields(branch, path)
    for name, definition in schema.get("$defs", {}).items():
        yield from _fields(definition, f"{path}#{name}")


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_field_is_described_and_one_with_a_unit_names_it() -> None:
    for path, field in _fields(SCHEMA, ""):
        assert field.get("description"), path
        for suffix, unit in (("_ms", "ms"), ("_ns", "ns"), ("_hz", "Hz"), ("_mj", "mJ")):
            if path.endswith(suffix):
                assert unit in field["description"], path


def test_the_example_fits_the_schema() -> None:
    VALIDATOR.validate(EXAMPLE)


def test_the_example_shows_every_field_of_what_it_has() -> None:
    shown = {path for path, _ in _fields(SCHEMA, "") if "#" not in path and "[]" not in path}
    for path in shown:
        value: Any = EXAMPLE
        for key in path.split("/")[1:]:
            assert value is None or key in value, path
            value = value and value[key]


@pytest.mark.parametrize("key", sorted(EXAMPLE))
def test_a_report_without_one_of_its_parts_is_refused(key: str) -> None:
    assert not VALIDATOR.is_valid({name: part for name, part in EXAMPLE.items() if name != key})
