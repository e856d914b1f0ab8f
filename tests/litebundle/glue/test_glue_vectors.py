"""The vectors on disk are what the reference gives, and the product gives the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from litebundle.errors import LitebundleError
from litebundle.glue import OPERATIONS
from litebundle.glue.autoregressive_decode import decode
from litebundle.glue.boundary import Quantization, dequantize, pixels_as, quantize
from tests.litebundle.glue.make_vectors import OUTPUT_NAMES, all_vectors
from tests.litebundle.glue.vector_files import FOLDER, Vector, read_vector

# The product never sees a camera; what holds these is test_camera_frames.py.
PATHS = sorted(path for path in FOLDER.glob("*/*.json") if path.parent.name != "yuv_to_rgb")


def test_vectors_on_disk_are_those_of_the_reference() -> None:
    expected = {name: content for vector in all_vectors() for name, content in vector.files().items()}
    found = {path.relative_to(FOLDER).as_posix(): path for path in FOLDER.rglob("*") if path.is_file()}
    assert found.keys() == expected.keys()
    assert [name for name, content in expected.items() if found[name].read_bytes() != content] == []
    assert sum(len(content) for content in expected.values()) < 1.5e6


def test_every_operation_has_vectors_with_its_ports() -> None:
    assert OPERATIONS.keys() <= {path.parent.name for path in PATHS}
    for name, operation in OPERATIONS.items():
        assert tuple(port.name for port in operation.outputs) == OUTPUT_NAMES[name]
        for path in (FOLDER / name).glob("*.json"):
            assert list(read_vector(path).inputs) == [port.name for port in operation.inputs], path


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_product_gives_the_vector(path: Any) -> None:
    vector = read_vector(path)
    if vector.outputs is None:
        with pytest.raises(LitebundleError):
            _run(vector)
        return
    before = {name: np.copy(value) for name, value in vector.inputs.items()}
    outputs = _run(vector)
    for (name, expected), value in zip(vector.outputs.items(), outputs, strict=True):
        _assert_equal(value, expected, vector.tolerance.get(name, 0.0), name)
    for name, value in vector.inputs.items():
        np.testing.assert_array_equal(value, before[name], f"input {name} was changed")


def _run(vector: Vector) -> tuple[Any, ...]:
    values = list(vector.inputs.values())
    if vector.op == "autoregressive_decode":
        return _decode(vector.attributes, values[0])
    if vector.op in ("quantize", "dequantize"):
        function = {"quantize": quantize, "dequantize": dequantize}[vector.op]
        return (function(values[0], Quantization(**vector.attributes)),)
    if vector.op == "pixels_as":
        return (pixels_as(values[0], **vector.attributes),)
    operation = OPERATIONS[vector.op]
    return operation.run(operation.attributes.model_validate(vector.attributes), *values)


def _decode(attributes: Any, table: np.ndarray) -> tuple[Any, ...]:
    def step(token: int, number: int) -> tuple[np.ndarray, int]:
        return table[number % len(table), token], number + 1

    decoded = decode(step, 0, **attributes)
    return decoded.tokens, decoded.score


def _assert_equal(value: Any, expected: Any, tolerance: float, name: str) -> None:
    if isinstance(expected, list):
        assert isinstance(value, list)
        assert len(value) == len(expected)
        for item, expected_item in zip(value, expected, strict=True):
            _assert_equal(item, expected_item, tolerance, name)
    elif isinstance(expected, np.ndarray):
        assert value.dtype == expected.dtype, name
        assert value.flags.c_contiguous, name
        np.testing.assert_array_equal(value, expected, name, strict=True)
    elif isinstance(expected, float):
        assert value == pytest.approx(expected, rel=0, abs=tolerance), name
    else:
        assert value == expected, name
