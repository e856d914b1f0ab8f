"""The written file: names, shapes, alignment, and the same bytes every time."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from onnx import helper

from converter.onnx_convert import lower
from tests.converter.against_onnxruntime import assert_same, assert_tensor_map, floats, model_of, operators

CONSTANTS = {"w": floats(6, 3, 3, 3, seed=1), "v": floats(6, 3, 3, 3, seed=1), "b": floats(6, seed=2)}
X = floats(1, 3, 8, 8)


def two_convolutions():
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["left"], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["x", "v"], ["right"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["left"], ["left/relu"]),
        helper.make_node("Add", ["left/relu", "right"], ["sum"]),
        helper.make_node("Transpose", ["sum"], ["turned"], perm=[0, 2, 3, 1]),
        helper.make_node("Sigmoid", ["turned"], ["y"]),
    ]
    return model_of(nodes, {"x": X}, ["y", "sum"], CONSTANTS)


def test_the_file_has_its_identifier_and_signature():
    lowered = lower(two_convolutions())
    assert lowered.tflite[4:8] == b"TFL3"
    interpreter = Interpreter(model_content=lowered.tflite)
    assert interpreter.get_signature_list() == {"serving_default": {"inputs": ["x"], "outputs": ["sum", "y"]}}


def test_names_are_the_sources_and_distinct():
    model = schema.ModelT.InitFromPackedBuf(lower(two_convolutions()).tflite, 0)
    names = [tensor.name.decode() for tensor in model.subgraphs[0].tensors]
    assert max(Counter(names).values()) == 1
    assert {"x", "y", "sum", "left/relu", "right"} <= set(names)


def test_the_tensor_map_leads_to_the_values():
    lowered = lower(two_convolutions())
    assert set(lowered.tensor_map) == {"x", "right", "left/relu", "sum", "turned", "y"}
    assert_tensor_map(two_convolutions(), lowered, {"x": X})


def test_weights_are_aligned_and_shared():
    content = lower(two_convolutions()).tflite
    model = schema.Model.GetRootAs(content)
    starts, contents = [], []
    for number in range(model.BuffersLength()):
        buffer = model.Buffers(number)
        if buffer.DataLength():
            data = buffer.DataAsNumpy()
            starts.append(
                data.__array_interface__["data"][0] - np.frombuffer(content, np.uint8).__array_interface__["data"][0]
            )
            contents.append(data.tobytes())
    assert all(start % 16 == 0 for start in starts)
    assert len(set(contents)) == len(contents), "equal constants are stored once"


def test_stored_shapes_are_what_the_model_computes():
    lowered = lower(two_convolutions())
    interpreter = Interpreter(
        model_content=lowered.tflite,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    stored = {entry["name"]: tuple(entry["shape"]) for entry in interpreter.get_tensor_details()}
    interpreter.allocate_tensors()
    interpreter.invoke()
    computed = {
        entry["name"]: interpreter.get_tensor(entry["index"]).shape
        for entry in interpreter.get_tensor_details()
        if entry["name"] in stored
    }
    assert computed == stored


def test_the_same_model_gives_the_same_bytes_in_another_process(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(two_convolutions().SerializeToString())
    code = (
        "import sys; from converter.onnx_convert import lower; from converter.onnx_file import load_model;"
        "sys.stdout.buffer.write(lower(load_model(sys.argv[1])).tflite)"
    )
    for seed in ("0", "1"):
        result = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, check=True, env={"PYTHONHASHSEED": seed}
        )
        assert result.stdout == lower(two_convolutions()).tflite


def test_conversion_loads_no_runtime():
    code = "import sys, converter.onnx_convert; assert not {'onnxruntime', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("layouts", [{}, {"x": "NHWC"}, {"sum": "NHWC"}, {"x": "NHWC", "sum": "NHWC"}])
def test_inputs_and_outputs_come_in_the_layout_asked_for(layouts):
    lowered = assert_same(two_convolutions(), {"x": X}, layouts=layouts)
    shapes = {spec.onnx_name: spec.shape for spec in (*lowered.inputs, *lowered.outputs)}
    assert shapes["x"] == ((1, 8, 8, 3) if "x" in layouts else (1, 3, 8, 8))
    assert shapes["sum"] == ((1, 8, 8, 6) if "sum" in layouts else (1, 6, 8, 8))
    assert operators(lowered)["TRANSPOSE"] == 2 - len(layouts)


def test_outputs_that_are_inputs_constants_or_one_another():
    nodes = [
        helper.make_node("Identity", ["x"], ["same"]),
        helper.make_node("Relu", ["x"], ["first"]),
        helper.make_node("Identity", ["first"], ["second"]),
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Transpose", ["first"], ["turned"], perm=[0, 1, 3, 2]),
    ]
    model = model_of(nodes, {"x": X}, ["same", "first", "second", "shape", "turned"])
    assert_same(model, {"x": X})


@pytest.mark.parametrize("behind", ["Softmax", "Mul"])
def test_a_value_outlives_what_is_written_behind_its_reshape(behind):
    """The memory planner of LiteRT 2.3 lets the last operator write over `v`, which is an output."""
    x = floats(1, 4)
    nodes = [
        helper.make_node("Sin", ["x"], ["a"]),
        helper.make_node("Add", ["a", "k"], ["v"]),
        helper.make_node("Reshape", ["v", "square"], ["r"]),
        helper.make_node(behind, ["r"] if behind == "Softmax" else ["r", "m"], ["b"]),
        helper.make_node("Transpose", ["b"], ["t"]),
        helper.make_node("Cos", ["t"], ["y"]),
        helper.make_node("Pad", ["v", "pads"], ["z"]),
    ]
    constants = {
        "k": np.float32(2),
        "square": np.array([2, 2]),
        "m": floats(2, 2, seed=1),
        "pads": np.array([0, 0, 1, 0]),
    }
    assert_same(model_of(nodes, {"x": x}, ["y", "z"], constants), {"x": x})
