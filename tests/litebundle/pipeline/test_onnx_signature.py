"""The wire-format reader against the onnx library."""

from __future__ import annotations

import os
from pathlib import Path

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from litebundle.errors import LitebundleError
from litebundle.pipeline.onnx_signature import OnnxSignature, OnnxTensor, read_signature

CASES = Path(os.environ.get("LITEBUNDLE_CASES", Path(__file__).parents[4] / "shared/cases"))
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason=f"no real models at {CASES}; set LITEBUNDLE_CASES")


def by_library(path: Path) -> OnnxSignature:
    graph = onnx.load(path, load_external_data=False).graph
    initializers = {tensor.name for tensor in graph.initializer}
    return OnnxSignature(
        tuple(tensor(info) for info in graph.input if info.name not in initializers),
        tuple(tensor(info) for info in graph.output),
    )


def tensor(info: onnx.ValueInfoProto) -> OnnxTensor:
    kind = info.type.tensor_type
    names = {1: "float32", 2: "uint8", 6: "int32", 7: "int64", 9: "bool"}
    shape = tuple(dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None for dim in kind.shape.dim)
    return OnnxTensor(
        info.name,
        names.get(kind.elem_type, f"ONNX type {kind.elem_type}") if kind.elem_type else "unknown",
        shape if kind.HasField("shape") else None,
    )


@needs_cases
def test_every_real_model() -> None:
    models = sorted(CASES.rglob("*.onnx"))
    assert len(models) > 20
    for path in models:
        assert read_signature(path) == by_library(path), path


def write_model(path: Path) -> bytes:
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["sum é"])],
        "g",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, -1, 4]),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, [3]),
            helper.make_tensor_value_info("scalar", TensorProto.INT64, []),
            helper.make_tensor_value_info("unknown", TensorProto.INT32, None),
        ],
        [helper.make_tensor_value_info("sum é", TensorProto.FLOAT, [1, 3, 2, 4])],
        [helper.make_tensor("w", TensorProto.FLOAT, [3], [1.0, 2.0, 3.0])],
    )
    onnx.save(helper.make_model(graph), path)
    return path.read_bytes()


def test_open_axes_initializers_scalars_and_missing_shapes(tmp_path: Path) -> None:
    path = tmp_path / "모델.onnx"
    write_model(path)
    assert read_signature(path) == by_library(path)
    assert read_signature(path).inputs == (
        OnnxTensor("x", "float32", (None, 3, None, 4)),
        OnnxTensor("scalar", "int64", ()),
        OnnxTensor("unknown", "int32", None),
    )


def test_cut_anywhere_it_is_refused_or_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    whole = write_model(path)
    signature = read_signature(path)
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        try:
            assert read_signature(path) == signature
        except LitebundleError as error:
            assert "not an ONNX model, or cut short" in str(error)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_read(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "m.onnx"
    path.write_bytes(content)
    try:
        read_signature(path)
    except LitebundleError as error:
        assert str(path) in str(error)
