"""Windows of every kind against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from onnx import helper

from converter.errors import ConversionError
from converter.onnx_convert import lower
from tests.converter.against_onnxruntime import assert_same, floats, model_of, one_op, operators

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@st.composite
def windows(draw: st.DrawFn, *, dilated: bool = True) -> dict[str, list[int]]:
    kernel = [draw(st.integers(1, 5)) for _ in range(2)]
    dilations = [draw(st.integers(1, 3)) if dilated else 1 for _ in range(2)]
    pads = [draw(st.integers(0, length - 1)) for length in (*kernel, *kernel)]
    return {
        "kernel_shape": kernel,
        "strides": [draw(st.integers(1, 3)) for _ in range(2)],
        "pads": pads,
        **({"dilations": dilations} if dilated else {}),
    }


def fits(shape: tuple[int, int], window: dict[str, list[int]]) -> bool:
    dilations = window.get("dilations", [1, 1])
    return all(
        shape[axis] + window["pads"][axis] + window["pads"][axis + 2]
        >= (window["kernel_shape"][axis] - 1) * dilations[axis] + 1
        for axis in range(2)
    )


@SETTINGS
@given(
    windows(),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.sampled_from([(1, 3, 4), (2, 4, 6), (4, 4, 8), (3, 3, 3)]),
    st.integers(1, 2),
    st.booleans(),
)
def test_convolution(window, shape, groups, batch, biased):
    assume(fits(shape, window))
    group, channels, filters = groups
    weights = floats(filters, channels // group, *window["kernel_shape"], seed=1)
    bias = floats(filters, seed=2) if biased else None
    model, feeds = one_op("Conv", [floats(batch, channels, *shape)], constants=[weights, bias], group=group, **window)
    assert_same(model, feeds)


@SETTINGS
@given(
    windows(dilated=False),
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
    st.sampled_from([(1, 3, 4), (2, 4, 6), (4, 4, 4)]),
    st.integers(0, 1),
    st.booleans(),
)
def test_transposed_convolution(window, shape, groups, extra, biased):
    group, channels, filters = groups
    assume(all(extra < stride or extra == 0 for stride in window["strides"]))
    lengths = [
        (shape[axis] - 1) * window["strides"][axis]
        + window["kernel_shape"][axis]
        + extra
        - window["pads"][axis]
        - window["pads"][axis + 2]
        for axis in range(2)
    ]
    assume(min(lengths) > 0)
    weights = floats(channels, filters // group, *window["kernel_shape"], seed=1)
    bias = floats(filters, seed=2) if biased else None
    model, feeds = one_op(
        "ConvTranspose",
        [floats(1, channels, *shape)],
        constants=[weights, bias],
        group=group,
        output_padding=[extra, extra],
        **window,
    )
    assert_same(model, feeds)


@SETTINGS
@given(
    windows(dilated=False),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.sampled_from(["MaxPool", "AveragePool"]),
    st.integers(0, 1),
    st.integers(0, 1),
)
def test_pooling(window, shape, op, ceil, count_pad):
    assume(fits(shape, window))
    counted = {"count_include_pad": count_pad} if op == "AveragePool" else {}
    model, feeds = one_op(op, [floats(2, 3, *shape) - 2], ceil_mode=ceil, opset=22, **window, **counted)
    assert_same(model, feeds)


@pytest.mark.parametrize("mode", ["SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("op", ["Conv", "MaxPool", "AveragePool"])
def test_automatic_padding(op, mode):
    constants = [floats(4, 3, 3, 2, seed=1)] if op == "Conv" else []
    model, feeds = one_op(
        op, [floats(1, 3, 7, 8)], constants=constants, auto_pad=mode, kernel_shape=[3, 2], strides=[2, 2]
    )
    assert_same(model, feeds)


@pytest.mark.parametrize("op", ["Conv", "ConvTranspose", "MaxPool", "AveragePool"])
def test_one_dimension(op):
    constants = [floats(4, 4, 3, seed=1)] if op.startswith("Conv") else []
    model, feeds = one_op(op, [floats(2, 4, 9)], constants=constants, kernel_shape=[3], strides=[2], pads=[1, 1])
    assert_same(model, feeds)


def test_batch_normalization_and_clip_fold_into_the_convolution():
    x = floats(1, 3, 8, 8)
    constants = {
        "w": floats(4, 3, 3, 3, seed=1),
        "scale": floats(4, seed=2),
        "shift": floats(4, seed=3),
        "mean": floats(4, seed=4),
        "variance": np.abs(floats(4, seed=5)) + 0.1,
        "low": np.float32(0),
        "high": np.float32(6),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["conv"], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["conv", "scale", "shift", "mean", "variance"], ["norm"]),
        helper.make_node("Clip", ["norm", "low", "high"], ["y"]),
    ]
    lowered = assert_same(model_of(nodes, {"x": x}, ["y"], constants), {"x": x}, layouts={"x": "NHWC", "y": "NHWC"})
    assert operators(lowered) == {"CONV_2D": 1}


def test_zero_pad_folds_into_the_convolution():
    x = floats(1, 3, 8, 8)
    nodes = [
        helper.make_node("Pad", ["x", "pads"], ["padded"]),
        helper.make_node("Conv", ["padded", "w"], ["y"]),
    ]
    constants = {"w": floats(4, 3, 3, 3, seed=1), "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1])}
    lowered = assert_same(model_of(nodes, {"x": x}, ["y"], constants), {"x": x}, layouts={"x": "NHWC", "y": "NHWC"})
    assert operators(lowered) == {"CONV_2D": 1}


def test_a_value_that_others_read_is_not_folded_away():
    x = floats(1, 3, 6, 6)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["conv"]),
        helper.make_node("Add", ["conv", "b"], ["sum"]),
        helper.make_node("Mul", ["conv", "sum"], ["y"]),
    ]
    constants = {"w": floats(4, 3, 3, 3, seed=1), "b": floats(4, 1, 1, seed=2)}
    assert_same(model_of(nodes, {"x": x}, ["y", "conv"], constants), {"x": x})


@pytest.mark.parametrize(
    ("op", "attributes", "reason"),
    [
        ("MaxPool", {"kernel_shape": [2, 2], "dilations": [2, 2]}, "dilations"),
        ("MaxPool", {"kernel_shape": [2, 2, 2]}, "3 spatial axes"),
    ],
)
def test_refusals_name_node_and_reason(op, attributes, reason):
    rank = len(attributes["kernel_shape"])
    model, _ = one_op(op, [floats(1, 2, *[8] * rank)], **attributes)
    with pytest.raises(ConversionError, match=rf"op {op} \(node 'y0'\) has {reason}.*; use"):
        lower(model)


def test_a_stack_of_one_dimensional_convolutions_is_nothing_else():
    x = floats(2, 3, 20)
    constants, nodes, name = {}, [], "x"
    for layer in range(3):
        statistics = [f"{layer}/{part}" for part in ("scale", "shift", "mean", "variance")]
        constants |= {part: np.abs(floats(3, seed=number)) + 0.1 for number, part in enumerate(statistics)}
        constants[f"{layer}/w"] = floats(3, 3, 3, seed=layer)
        nodes += [
            helper.make_node("Conv", [name, f"{layer}/w"], [f"{layer}/a"], pads=[1, 1]),
            helper.make_node("BatchNormalization", [f"{layer}/a", *statistics], [f"{layer}/b"]),
            helper.make_node("Relu", [f"{layer}/b"], [f"{layer}/c"]),
        ]
        name = f"{layer}/c"
    nodes.append(helper.make_node("Transpose", [name], ["y"], perm=[0, 2, 1]))
    lowered = assert_same(model_of(nodes, {"x": x}, ["y"], constants), {"x": x}, tolerance=1e-5)
    assert operators(lowered) == {"TRANSPOSE": 1, "RESHAPE": 2, "CONV_2D": 3}
