"""What is read, what is fixed and what is refused before anything is lowered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from converter import convert_onnx
from converter.errors import ConversionError
from converter.onnx_convert import lower
from converter.onnx_file import load_model
from tests.converter.against_onnxruntime import assert_same, floats, model_of, one_op, operators, run_tflite


def small_model() -> onnx.ModelProto:
    return one_op("MatMul", [floats(2, 300)], constants=[floats(300, 4, seed=1)])[0]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConversionError, match=r"nothing\.onnx: no such file"):
        load_model(tmp_path / "nothing.onnx")


@pytest.mark.parametrize("content", [b"", b"not an ONNX file", b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_a_file_that_is_no_onnx_model_is_named(tmp_path, content):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ConversionError, match=r"model\.onnx: not an ONNX model"):
        load_model(path)


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(small_model().SerializeToString()[:-200])
    with pytest.raises(ConversionError):
        lower(load_model(path))


def test_a_path_of_any_script(tmp_path):
    path = tmp_path / "모델 1.onnx"
    path.write_bytes(small_model().SerializeToString())
    assert lower(load_model(path)).tflite == lower(small_model()).tflite


def external_model(folder: Path, location: str) -> Path:
    model = small_model()
    external_data_helper.set_external_data(model.graph.initializer[0], location)
    path = folder / "model.onnx"
    onnx.save_model(model, path)
    return path


def test_weights_beside_the_model_are_read(tmp_path):
    path = external_model(tmp_path, "weights.bin")
    assert lower(load_model(path)).tflite == lower(small_model()).tflite


def test_weights_outside_the_folder_are_refused(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    path = external_model(inside, "weights.bin")
    (inside / "weights.bin").rename(tmp_path / "weights.bin")
    model = onnx.load_model(path, load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = "../weights.bin"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ConversionError, match=r"'c0': its external data '\.\./weights\.bin' lies outside"):
        load_model(path)
    (inside / "link.bin").symlink_to(tmp_path / "weights.bin")
    model.graph.initializer[0].external_data[0].value = "link.bin"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ConversionError, match="lies outside"):
        load_model(path)


def test_missing_and_short_external_weights_are_named(tmp_path):
    path = external_model(tmp_path, "weights.bin")
    weights = tmp_path / "weights.bin"
    weights.write_bytes(weights.read_bytes()[:-4])
    with pytest.raises(ConversionError, match="truncated"):
        lower(load_model(path))
    weights.unlink()
    with pytest.raises(ConversionError, match=r"'weights\.bin' is missing"):
        load_model(path)


@pytest.mark.parametrize("opset", [6, 99])
def test_opsets_out_of_range_are_refused(opset):
    model = small_model()
    model.opset_import[0].version = opset
    with pytest.raises(ConversionError, match=f"opset {opset}"):
        lower(model)


def test_an_unsupported_operator_is_named_with_its_node_and_its_fellows():
    x = floats(1, 2, 4, 4)
    nodes = [
        helper.make_node("GridSample", ["x", "grid"], ["a"], name="warp/grid"),
        helper.make_node("Det", ["a"], ["y"]),
    ]
    model = model_of(nodes, {"x": x, "grid": floats(1, 4, 4, 2)}, ["y"])
    with pytest.raises(ConversionError, match=r"op GridSample \(node 'warp/grid'\).*also uses Det.*; express it"):
        lower(model)


def test_an_operator_that_nothing_depends_on_is_no_reason_to_refuse():
    nodes = [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Det", ["x"], ["unused"])]
    assert_same(model_of(nodes, {"x": floats(3, 3)}, ["y"]), {"x": floats(3, 3)})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_named(value):
    model = small_model()
    weights = numpy_helper.to_array(model.graph.initializer[0]).copy()
    weights[5, 1] = value
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(weights, "layer.weight"))
    model.graph.node[0].input[1] = "layer.weight"
    with pytest.raises(ConversionError, match=r"initializer 'layer\.weight' holds NaN or infinite"):
        lower(model)


def dynamic_model() -> onnx.ModelProto:
    model = one_op("Relu", [floats(2, 3)])[0]
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    return model


def test_dynamic_axes_need_a_shape():
    with pytest.raises(ConversionError, match=r"'x0' has dynamic axes \(batchx3\).*--shape x0=1,3"):
        lower(dynamic_model())
    assert lower(dynamic_model(), {"x0": (5, 3)}).outputs[0].shape == (5, 3)


@pytest.mark.parametrize("shape", [(5, 4), (5,), (0, 3), (5, 3, 1)])
def test_shapes_that_do_not_fit_are_refused(shape):
    with pytest.raises(ConversionError, match="'x0' is declared batchx3"):
        lower(dynamic_model(), {"x0": shape})


def test_a_shape_for_an_unknown_input_is_refused():
    with pytest.raises(ConversionError, match="'image', which is no input; the inputs are 'x0'"):
        lower(dynamic_model(), {"image": (5, 3)})


def test_layouts_are_checked():
    model, _ = one_op("Relu", [floats(2, 3)])
    for layouts, message in (
        ({"x0": "NHWC"}, "rank 2"),
        ({"z": "NHWC"}, "no input or output"),
        ({"x0": "CHW"}, "unknown layout"),
    ):
        with pytest.raises(ConversionError, match=message):
            lower(model, None, layouts)


def test_declared_output_shapes_are_not_believed():
    model, _ = one_op("Relu", [floats(2, 3)])
    del model.graph.output[0]
    model.graph.output.append(helper.make_tensor_value_info("y0", TensorProto.FLOAT, [2, 25]))
    assert lower(model).outputs[0].shape == (2, 3)


def test_a_shape_computed_in_the_graph_is_folded():
    x = floats(2, 3, 4)
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "first"], ["batch"]),
        helper.make_node("Concat", ["batch", "rest"], ["target"], axis=0),
        helper.make_node("Reshape", ["x", "target"], ["y"]),
    ]
    model = model_of(nodes, {"x": x}, ["y"], {"first": np.array([0]), "rest": np.array([-1])})
    assert operators(assert_same(model, {"x": x})) == {"RESHAPE": 1}


def test_a_branch_that_the_shapes_decide_is_folded():
    x = floats(2, 3)
    branches = {
        name: helper.make_graph([helper.make_node(op, ["x"], [f"{name}_result"])], name, [],
                                [helper.make_empty_tensor_value_info(f"{name}_result")])
        for name, op in (("then_branch", "Relu"), ("else_branch", "Sigmoid"))
    }  # fmt: skip
    nodes = [
        helper.make_node("Size", ["x"], ["size"]),
        helper.make_node("Greater", ["size", "limit"], ["large"]),
        helper.make_node("If", ["large"], ["y"], **branches),
    ]
    model = model_of(nodes, {"x": x}, ["y"], {"limit": np.array(10)})
    lowered = lower(model)
    assert operators(lowered) == {"LOGISTIC": 1}
    np.testing.assert_allclose(run_tflite(lowered, {"x": x})[0], 1 / (1 + np.exp(-x)), atol=1e-6)


def test_a_branch_that_the_data_decide_is_refused():
    branch = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["r"])], "b", [], [helper.make_empty_tensor_value_info("r")]
    )
    node = helper.make_node("If", ["large"], ["y"], then_branch=branch, else_branch=branch, name="choose")
    model = model_of([node], {"x": floats(2), "large": np.array(True)}, ["y"])
    with pytest.raises(ConversionError, match=r"op If \(node 'choose'\) chooses its branch while running"):
        lower(model)


def test_shapes_that_depend_on_the_data_are_refused():
    model, _ = one_op("NonZero", [floats(3)])
    with pytest.raises(ConversionError, match=r"op NonZero \(node 'y0'\)"):
        lower(model)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_float_types_become_float32(dtype):
    x, weights = floats(2, 3), floats(3, 4, seed=1)
    model = model_of(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], {"x": x.astype(dtype)}, ["y"], {"w": weights.astype(dtype)}
    )
    lowered = lower(model)
    assert lowered.inputs[0].dtype == lowered.outputs[0].dtype == "float32"
    expected = x.astype(dtype).astype(np.float64) @ weights.astype(dtype).astype(np.float64)
    np.testing.assert_allclose(run_tflite(lowered, {"x": x.astype(dtype)})[0], expected, atol=1e-5)


def test_types_without_a_tflite_form_are_refused():
    model = one_op("Identity", [np.array([1, 2], np.uint64)])[0]
    with pytest.raises(ConversionError, match="uint64"):
        lower(model)
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING
    with pytest.raises(ConversionError, match="STRING"):
        lower(model)


def test_more_axes_than_operators_take_are_refused():
    model, _ = one_op("Relu", [floats(1, 2, 1, 2, 1, 2, 1)])
    with pytest.raises(ConversionError, match=r"op Relu \(node 'y0'\) makes 'y0'.*at most 6 axes"):
        lower(model)


def test_a_reshape_may_have_more_axes():
    model, feeds = one_op("Unsqueeze", [floats(1, 2, 1, 2, 1, 2)], constants=[np.array([0])])
    assert_same(model, feeds)


def test_functions_inside_the_model_are_inlined():
    function = helper.make_function(
        "local", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 18)]
    )
    model = model_of([helper.make_node("Twice", ["x"], ["y"], domain="local")], {"x": floats(2, 3)}, ["y"])
    model.functions.append(function)
    model.opset_import.append(helper.make_opsetid("local", 1))
    assert operators(assert_same(model, {"x": floats(2, 3)})) == {"ADD": 1}


def test_a_star_asks_a_layout_of_every_picture():
    nodes = [
        helper.make_node("Relu", ["x"], ["y"]),
        helper.make_node("ReduceMean", ["x", "axes"], ["z"], keepdims=0),
    ]
    x = floats(1, 3, 4, 5)
    model = model_of(nodes, {"x": x}, ["y", "z"], {"axes": np.array([2, 3])})
    lowered = assert_same(model, {"x": x}, layouts={"*": "NHWC"})
    assert [spec.shape for spec in (*lowered.inputs, *lowered.outputs)] == [(1, 4, 5, 3), (1, 4, 5, 3), (1, 3)]


def test_operators_that_onnx_composes_of_others_need_no_rule():
    model, feeds = one_op("MeanVarianceNormalization", [floats(2, 3, 4, 5)], axes=[0, 2, 3])
    assert_same(model, feeds, tolerance=1e-5)
    model, feeds = one_op("ThresholdedRelu", [floats(2, 3)], alpha=0.5)
    assert_same(model, feeds)
    model, feeds = one_op("Attention", [floats(1, 2, 4, 8, seed=seed) for seed in range(3)], opset=23)
    assert_same(model, feeds, tolerance=1e-5)


def test_constants_of_data_dependent_shape_are_computed():
    x = floats(2, 3)
    nodes = [
        helper.make_node("NonZero", ["mask"], ["where"]),
        helper.make_node("Squeeze", ["where", "first"], ["columns"]),
        helper.make_node("Gather", ["x", "columns"], ["y"], axis=1),
    ]
    model = model_of(nodes, {"x": x}, ["y"], {"mask": np.array([True, False, True]), "first": np.array([0])})
    assert lower(model).outputs[0].shape == (2, 2)
    assert_same(model, {"x": x})


def test_what_the_interpreter_does_not_take_is_refused():
    """Padding with a value on six axes is within TFLite's schema and beyond its kernel."""
    model, _ = one_op("Pad", [floats(2, 1, 1, 1, 1, 2)], constants=[np.array([1] * 12), np.float32(2)])
    with pytest.raises(ConversionError, match="interpreter does not take the converted model"):
        convert_onnx(model)
