"""Operators that move elements, and the order of axes they leave, against onnxruntime and numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from onnx import helper

from converter.layout import arrange, reshaped, same_order
from converter.onnx_convert import lower
from tests.converter.against_onnxruntime import assert_same, floats, model_of, one_op, operators, run_tflite

SETTINGS = settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@st.composite
def factored(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Two shapes with the same number of elements."""
    factors = draw(st.lists(st.sampled_from([1, 2, 2, 3, 5]), min_size=1, max_size=5))
    return _grouped(draw, factors), _grouped(draw, factors)


def _grouped(draw: st.DrawFn, factors: list[int]) -> list[int]:
    shape = [1]
    for factor in factors:
        if draw(st.booleans()):
            shape.append(factor)
        else:
            shape[-1] *= factor
    return shape


@settings(max_examples=500, deadline=None, derandomize=True)
@given(factored(), st.randoms(use_true_random=False))
def test_a_reshape_of_a_reordered_tensor_is_the_reshape_of_the_value(shapes, random):
    """numpy is the judge: reshaping the permuted tensor gives the permuted reshaped value."""
    source, target = shapes
    layout = list(range(len(source)))
    random.shuffle(layout)
    result = reshaped(source, target, tuple(layout))
    value = np.arange(math.prod(source)).reshape(source)
    tensor = value.transpose(layout)
    if result is None:
        assert not same_order(source, tuple(layout), tuple(range(len(source))))
    else:
        assert sorted(result) == list(range(len(target)))
        np.testing.assert_array_equal(tensor.reshape(arrange(target, result)), value.reshape(target).transpose(result))


@SETTINGS
@given(factored(), st.booleans())
def test_reshape_between_transposes(shapes, reorder):
    source, target = shapes
    x = floats(*source)
    order = list(range(len(source)))[::-1] if reorder else list(range(len(source)))
    nodes = [
        helper.make_node("Transpose", ["x"], ["a"], perm=order),
        helper.make_node("Reshape", ["a", "shape"], ["b"]),
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("Transpose", ["c"], ["y"]),
    ]
    assert_same(model_of(nodes, {"x": x}, ["y", "c"], {"shape": np.array(target)}), {"x": x})


@pytest.mark.parametrize("perm", [(0, 2, 3, 1), (0, 3, 1, 2), (3, 2, 1, 0), (1, 0, 2, 3)])
def test_transposes_between_elementwise_operators_cancel(perm):
    x = floats(2, 3, 4, 5)
    nodes = [
        helper.make_node("Transpose", ["x"], ["a"], perm=perm),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Transpose", ["b"], ["y"], perm=list(np.argsort(perm))),
    ]
    assert operators(assert_same(model_of(nodes, {"x": x}, ["y"]), {"x": x})) == {"RELU": 1}


def test_flattening_a_pooled_map_needs_no_transpose():
    x = floats(2, 3, 4, 5)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("GlobalAveragePool", ["a"], ["b"]),
        helper.make_node("Flatten", ["b"], ["c"]),
        helper.make_node("Gemm", ["c", "m"], ["y"]),
    ]
    constants = {"w": floats(6, 3, 1, 1, seed=1), "m": floats(6, 7, seed=2)}
    lowered = assert_same(model_of(nodes, {"x": x}, ["y"], constants), {"x": x}, layouts={"x": "NHWC"})
    assert "TRANSPOSE" not in operators(lowered)


def test_columns_of_a_picture_become_a_sequence_without_a_transpose():
    x = floats(1, 3, 1, 9)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Squeeze", ["a", "two"], ["b"]),
        helper.make_node("Transpose", ["b"], ["c"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["c", "m"], ["y"]),
    ]
    constants = {"w": floats(6, 3, 1, 1, seed=1), "two": np.array([2]), "m": floats(6, 7, seed=2)}
    lowered = assert_same(model_of(nodes, {"x": x}, ["y"], constants), {"x": x}, layouts={"x": "NHWC"})
    assert "TRANSPOSE" not in operators(lowered)


def test_flattened_pictures_reach_a_matrix_without_a_transpose():
    x = floats(2, 3, 4, 5)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Flatten", ["a"], ["b"]),
        helper.make_node("Gemm", ["b", "m"], ["y"]),
    ]
    constants = {"w": floats(6, 3, 1, 1, seed=1), "m": floats(120, 7, seed=2)}
    lowered = assert_same(model_of(nodes, {"x": x}, ["y"], constants), {"x": x}, layouts={"x": "NHWC"})
    assert "TRANSPOSE" not in operators(lowered)


@SETTINGS
@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.data())
def test_slice(shape, data):
    starts, ends, steps = [], [], []
    for size in shape:
        starts.append(data.draw(st.integers(-size - 1, size - 1)))
        ends.append(data.draw(st.sampled_from([-size - 5, -1, 0, 1, size, size + 3, 2**31, -(2**63), 2**63 - 1])))
        steps.append(data.draw(st.sampled_from([1, 1, 2, 3, -1, -2])))
    x = floats(*shape)
    cut = x[tuple(slice(*row) for row in zip(starts, _numpy_ends(ends, steps, shape), steps, strict=True))]
    assume(cut.size)
    constants = [np.array(starts), np.array(ends), np.arange(len(shape)), np.array(steps)]
    model, feeds = one_op("Slice", [x], constants=constants)
    assert_same(model, feeds)


def _numpy_ends(ends: list[int], steps: list[int], shape: list[int]) -> list[int | None]:
    return [None if step < 0 and end < -size else end for end, step, size in zip(ends, steps, shape, strict=True)]


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_concat_of_reordered_and_plain_values(axis):
    x, z = floats(2, 3, 4, 5), floats(2, 3, 4, 5, seed=9)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Concat", ["a", "z", "k"], ["y"], axis=axis),
    ]
    constants = {"w": floats(3, 3, 1, 1, seed=1), "k": floats(2, 3, 4, 5, seed=2)}
    assert_same(model_of(nodes, {"x": x, "z": z}, ["y"], constants), {"x": x, "z": z})


@pytest.mark.parametrize(("axis", "sizes"), [(0, [2, 2]), (1, [1, 1, 4]), (-1, [1, 3]), (1, [3, 3]), (1, [6])])
def test_split(axis, sizes):
    model, feeds = one_op("Split", [floats(4, 6, 4)], constants=[np.array(sizes)], outputs=len(sizes), axis=axis)
    assert_same(model, feeds)


def test_parts_that_nobody_reads_are_not_computed():
    x = floats(4, 6)
    nodes = [helper.make_node("Split", ["x"], ["a", "b", "c"], axis=1, num_outputs=3)]
    assert operators(assert_same(model_of(nodes, {"x": x}, ["b"]), {"x": x})) == {"SLICE": 1}


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge", "wrap"])
@pytest.mark.parametrize("pads", [[1, 2, 0, 1], [0, 0, 0, 0], [2, 0, 1, 2]])
def test_pad(mode, pads):
    model, feeds = one_op("Pad", [floats(4, 5)], constants=[np.array(pads)], mode=mode, opset=19)
    assert_same(model, feeds)


@pytest.mark.parametrize("fill", [0.0, 1.5])
def test_pad_on_chosen_axes_with_a_value(fill):
    model, feeds = one_op("Pad", [floats(2, 3, 4)], constants=[np.array([1, -1]), np.float32(fill), np.array([-1])])
    assert_same(model, feeds)


def test_tile_and_expand():
    model, feeds = one_op("Tile", [floats(2, 3)], constants=[np.array([2, 3])])
    assert_same(model, feeds)
    model, feeds = one_op("Expand", [floats(3, 1)], constants=[np.array([2, 3, 4])])
    assert_same(model, feeds)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("indices", [np.array([0, 2, 1]), np.array(1), np.array([[0, -1], [1, 1]])])
@pytest.mark.parametrize("known", [True, False])
def test_gather(axis, indices, known):
    if not known:
        indices = np.abs(indices)
    fed, held = ([floats(4, 3, 5)], [indices]) if known else ([floats(4, 3, 5), indices], [])
    model, feeds = one_op("Gather", fed, constants=held, axis=axis)
    assert_same(model, feeds)


def test_embedding_of_token_numbers():
    tokens = np.array([[3, 1, 4]])
    nodes = [helper.make_node("Gather", ["table", "tokens"], ["y"])]
    lowered = assert_same(model_of(nodes, {"tokens": tokens}, ["y"], {"table": floats(9, 4)}), {"tokens": tokens})
    assert lowered.inputs[0].dtype == "int32"


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_to_space(mode):
    model, feeds = one_op("DepthToSpace", [floats(2, 12, 3, 4)], blocksize=2, mode=mode)
    assert_same(model, feeds)


def test_space_to_depth():
    model, feeds = one_op("SpaceToDepth", [floats(2, 3, 4, 6)], blocksize=2)
    assert_same(model, feeds)


@pytest.mark.parametrize(
    "op",
    [
        "ReduceMean",
        "ReduceSum",
        "ReduceMax",
        "ReduceMin",
        "ReduceProd",
        "ReduceL1",
        "ReduceL2",
        "ReduceSumSquare",
        "ReduceLogSumExp",
    ],
)
@pytest.mark.parametrize("keep", [0, 1])
@pytest.mark.parametrize("axes", [[1], [2, -1], [0, 2], None])
def test_reductions_of_a_reordered_picture(op, keep, axes):
    x = floats(2, 3, 4, 5)
    names = ["a", "axes"] if axes else ["a"]
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node(op, names, ["y"], keepdims=keep),
    ]
    constants = {"w": floats(3, 3, 1, 1, seed=1)} | ({"axes": np.array(axes)} if axes else {})
    assert_same(model_of(nodes, {"x": x}, ["y"], constants), {"x": x})


@pytest.mark.parametrize("op", ["ArgMax", "ArgMin"])
@pytest.mark.parametrize("axis", [0, 1, 3])
@pytest.mark.parametrize("keep", [0, 1])
def test_arg_extremes(op, axis, keep):
    x = floats(2, 3, 4, 5)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node(op, ["a"], ["y"], axis=axis, keepdims=keep),
    ]
    lowered = assert_same(model_of(nodes, {"x": x}, ["y"], {"w": floats(3, 3, 1, 1, seed=1)}), {"x": x})
    assert lowered.outputs[0].dtype == "int32"


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("opset", [11, 18])
def test_softmax(op, axis, opset):
    model, feeds = one_op(op, [floats(2, 3, 4) * 3], axis=axis, opset=opset)
    assert_same(model, feeds)


@pytest.mark.parametrize("axis", [-1, 1, 2])
def test_layer_normalization(axis):
    shape = (2, 3, 4)
    constants = [floats(*shape[axis % 3 :], seed=1), floats(*shape[axis % 3 :], seed=2)]
    model, feeds = one_op("LayerNormalization", [floats(*shape)], constants=constants, axis=axis)
    assert_same(model, feeds)


def test_instance_normalization():
    model, feeds = one_op("InstanceNormalization", [floats(2, 3, 4, 5)], constants=[floats(3), floats(3, seed=1)])
    assert_same(model, feeds)


@pytest.mark.parametrize("opset", [18, 21])
def test_group_normalization(opset):
    channels = 2 if opset == 18 else 6
    constants = [floats(channels, seed=1), floats(channels, seed=2)]
    model, feeds = one_op("GroupNormalization", [floats(2, 6, 4, 5)], constants=constants, opset=opset, num_groups=2)
    assert_same(model, feeds)


def test_rms_normalization_in_float64():
    """onnxruntime has no kernel for it: numpy is the judge."""
    x, scale = floats(2, 3, 4), floats(4, seed=1)
    model, feeds = one_op("RMSNormalization", [x], constants=[scale], opset=23)
    expected = x / np.sqrt(np.mean(x.astype(np.float64) ** 2, axis=-1, keepdims=True) + 1e-5) * scale
    np.testing.assert_allclose(run_tflite(lower(model), feeds)[0], expected, atol=1e-6)


@pytest.mark.parametrize("size", [3, 5])
def test_local_response_normalization(size):
    model, feeds = one_op("LRN", [floats(2, 7, 3, 4) * 3], size=size, alpha=0.3, beta=0.6, bias=1.5)
    assert_same(model, feeds)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_lp_normalization(p, axis):
    model, feeds = one_op("LpNormalization", [floats(2, 3, 4)], axis=axis, p=p)
    assert_same(model, feeds)


@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_top_k(largest, axis):
    model, feeds = one_op("TopK", [floats(3, 4, 5)], constants=[np.array([2])], outputs=2, axis=axis, largest=largest)
    assert_same(model, feeds)


@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("reverse", [0, 1])
def test_cumulative_sum(exclusive, reverse):
    model, feeds = one_op("CumSum", [floats(3, 4)], constants=[np.array(1)], exclusive=exclusive, reverse=reverse)
    assert_same(model, feeds)


@pytest.mark.parametrize("kept", ["values", "indices"])
def test_one_of_two_results_of_top_k(kept):
    x = floats(3, 5)
    nodes = [helper.make_node("TopK", ["x", "k"], ["values", "indices"])]
    assert_same(model_of(nodes, {"x": x}, [kept], {"k": np.array([2])}), {"x": x})


def test_the_unread_mask_of_a_dropout_is_no_reason_to_refuse():
    x = floats(3, 5)
    nodes = [helper.make_node("Dropout", ["x"], ["a", "mask"]), helper.make_node("Relu", ["a"], ["y"])]
    assert operators(assert_same(model_of(nodes, {"x": x}, ["y"]), {"x": x})) == {"RELU": 1}
