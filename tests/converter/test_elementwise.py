"""Elementwise operators and broadcasting against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper

from converter.errors import ConversionError
from converter.onnx_convert import lower
from tests.converter.against_onnxruntime import assert_same, floats, model_of, one_op, operators

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
UNARY = [
    "Relu", "Sigmoid", "Tanh", "Exp", "Neg", "Abs", "Sin", "Cos", "Floor", "Ceil", "Round", "Sign", "HardSwish",
    "HardSigmoid", "LeakyRelu", "Elu", "Softplus", "Identity", "Reciprocal", "Celu", "Selu", "Softsign", "Mish",
    "Tan", "Atan",
]  # fmt: skip


@pytest.mark.parametrize("op", UNARY)
def test_unary(op):
    model, feeds = one_op(op, [floats(2, 3, 4) * 4])
    assert_same(model, feeds)


@pytest.mark.parametrize(("op", "alpha"), [("Elu", 0.5), ("Celu", 2.0), ("Selu", 1.5), ("LeakyRelu", 0.3)])
def test_bent_lines_with_a_slope(op, alpha):
    model, feeds = one_op(op, [floats(2, 3, 4) * 4], alpha=alpha)
    assert_same(model, feeds)


@pytest.mark.parametrize("op", ["Sqrt", "Log"])
def test_unary_on_positive_values(op):
    model, feeds = one_op(op, [np.abs(floats(2, 3, 4)) + 0.01])
    assert_same(model, feeds)


@pytest.mark.parametrize(
    ("low", "high"), [(0, 6), (-1, 1), (0, 1), (0, None), (None, 2), (-0.5, 1.5), (None, None), (0, 3e38)]
)
def test_clip(low, high):
    bounds = [None if bound is None else np.float32(bound) for bound in (low, high)]
    model, feeds = one_op("Clip", [floats(2, 5) * 4], constants=bounds)
    assert_same(model, feeds)


def test_clip_with_computed_bounds():
    model, feeds = one_op("Clip", [floats(2, 5) * 4, np.float32(-0.5), np.float32(0.5)])
    assert_same(model, feeds)


def test_clip_of_integers():
    model, feeds = one_op("Clip", [np.arange(10)], constants=[np.int64(2), np.int64(7)])
    assert_same(model, feeds)


@st.composite
def broadcast_shapes(draw: st.DrawFn, count: int) -> list[tuple[int, ...]]:
    full = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    shapes = []
    for _ in range(count):
        kept = full[draw(st.integers(0, len(full) - 1)) :]
        shapes.append(tuple(1 if draw(st.booleans()) else size for size in kept))
    return shapes


@SETTINGS
@given(broadcast_shapes(2), st.sampled_from(["Add", "Sub", "Mul", "Div"]), st.sampled_from(["none", "first", "second"]))
def test_arithmetic_broadcasts(shapes, op, constant):
    first, second = floats(*shapes[0], seed=1), floats(*shapes[1], seed=2) + 3
    if constant == "first":
        held = {"a": first}
    elif constant == "second":
        held = {"b": second}
    else:
        held = {}
    fed = {name: value for name, value in (("a", first), ("b", second)) if name not in held}
    model = model_of([helper.make_node(op, ["a", "b"], ["y"])], fed, ["y"], held)
    assert_same(model, fed)


@SETTINGS
@given(broadcast_shapes(2), st.sampled_from(["a", "b"]), st.booleans())
def test_broadcasting_against_a_reordered_picture(shapes, pictured, constant):
    """One operand comes out of a convolution, so its tensor lies in NHWC."""
    picture = floats(2, 3, 4, 5)
    other_shape = tuple(np.where(np.arange(4)[4 - len(shapes[0]) :] % 2 == 0, 1, (2, 3, 4, 5)[4 - len(shapes[0]) :]))
    other = floats(*other_shape, seed=3)
    names = ["conv", "other"] if pictured == "a" else ["other", "conv"]
    nodes = [helper.make_node("Conv", ["x", "w"], ["conv"]), helper.make_node("Sub", names, ["y"])]
    held = {"w": floats(3, 3, 1, 1, seed=4)} | ({"other": other} if constant else {})
    fed = {"x": picture} | ({} if constant else {"other": other})
    assert_same(model_of(nodes, fed, ["y"], held), fed)


@pytest.mark.parametrize("op", ["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"])
@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_comparison(op, dtype):
    rng = np.random.default_rng(0)
    model, feeds = one_op(op, [rng.integers(0, 3, (3, 4)).astype(dtype), rng.integers(0, 3, (4,)).astype(dtype)])
    assert_same(model, feeds)


@pytest.mark.parametrize("op", ["And", "Or", "Xor"])
def test_logic(op):
    model, feeds = one_op(op, [np.array([[True], [False]]), np.array([True, False])])
    assert_same(model, feeds)


def test_where():
    condition = np.random.default_rng(0).random((3, 4)) > 0.5
    model, feeds = one_op("Where", [condition, floats(3, 4), floats(1, 4, seed=1)])
    assert_same(model, feeds)


@pytest.mark.parametrize("op", ["Sum", "Max", "Min", "Mean"])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_variadic(op, count):
    model, feeds = one_op(op, [floats(3, 4 if number % 2 else 1, seed=number) for number in range(count)])
    assert_same(model, feeds)


@pytest.mark.parametrize("exponent", [2.0, 0.5, -0.5, 3.0, 1.5, -1.0])
def test_power(exponent):
    model, feeds = one_op("Pow", [np.abs(floats(3, 4)) + 0.1], constants=[np.float32(exponent)])
    assert_same(model, feeds)


@pytest.mark.parametrize("shape", [(3,), (3, 1, 1), (1, 3, 1, 1), (1,), (3, 4, 5)])
def test_prelu(shape):
    x = floats(2, 3, 4, 5)
    slope = floats(*shape, seed=1)
    if shape == (3,):
        x = floats(2, 5, 4, 3)
    model, feeds = one_op("PRelu", [x], constants=[slope])
    assert_same(model, feeds)


@pytest.mark.parametrize("source", [np.float32, np.int64, np.int32, np.bool_])
@pytest.mark.parametrize("target", [1, 6, 7, 9, 11])
def test_cast(source, target):
    values = (floats(3, 4) * 3).astype(source)
    model, feeds = one_op("Cast", [values], to=target)
    assert_same(model, feeds)


SHIFTED = [("Add", "x", "three", "a"), ("Clip", "a", "zero", "six", "b")]
HARD_SWISHES = {
    "x * clip(x + 3) / 6": [*SHIFTED, ("Mul", "x", "b", "c"), ("Div", "c", "six", "y")],
    "(clip(x + 3) / 6) * x": [*SHIFTED, ("Div", "b", "six", "c"), ("Mul", "c", "x", "y")],
    "(1 / 6) * (x * clip(x + 3))": [*SHIFTED, ("Mul", "x", "b", "c"), ("Mul", "sixth", "c", "y")],
}


@pytest.mark.parametrize("spelling", HARD_SWISHES)
def test_spellings_of_hard_swish_are_one_operator(spelling):
    nodes = [helper.make_node(op, names[:-1], names[-1:]) for op, *names in HARD_SWISHES[spelling]]
    held = {"zero": np.float32(0), "three": np.float32(3), "six": np.float32(6), "sixth": np.float32(1 / 6)}
    x = floats(2, 9) * 4
    assert operators(assert_same(model_of(nodes, {"x": x}, ["y"], held), {"x": x})) == {"HARD_SWISH": 1}


def test_a_scaled_hard_swish_is_not_mistaken_for_one():
    nodes = [
        helper.make_node("Add", ["x", "three"], ["a"]),
        helper.make_node("Clip", ["a", "zero", "six"], ["b"]),
        helper.make_node("Mul", ["x", "b"], ["c"]),
        helper.make_node("Div", ["c", "three"], ["y"]),
    ]
    held = {"zero": np.float32(0), "three": np.float32(3), "six": np.float32(6)}
    x = floats(2, 9) * 4
    assert "HARD_SWISH" not in operators(assert_same(model_of(nodes, {"x": x}, ["y"], held), {"x": x}))


@pytest.mark.parametrize("division", [True, False])
@pytest.mark.parametrize("half_first", [True, False])
def test_spellings_of_gelu_are_one_operator(division, half_first):
    scaled = ("Div", ["x", "root"]) if division else ("Mul", ["inverse", "x"])
    nodes = [
        helper.make_node(*scaled, ["a"]),
        helper.make_node("Erf", ["a"], ["b"]),
        helper.make_node("Add", ["b", "one"], ["c"]),
        helper.make_node("Mul", ["x", "half"] if half_first else ["x", "c"], ["d"]),
        helper.make_node("Mul", ["d", "c"] if half_first else ["d", "half"], ["y"]),
    ]
    held = {"one": np.float32(1), "half": np.float32(0.5), "root": np.float32(2**0.5), "inverse": np.float32(0.5**0.5)}
    x = floats(3, 7) * 3
    assert operators(assert_same(model_of(nodes, {"x": x}, ["y"], held), {"x": x})) == {"GELU": 1}


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu(approximate):
    model, feeds = one_op("Gelu", [floats(3, 7) * 3], opset=20, approximate=approximate)
    assert_same(model, feeds)


def test_erf_alone_is_refused_by_name():
    model, _ = one_op("Erf", [floats(3)])
    with pytest.raises(ConversionError, match=r"op Erf \(node 'y0'\)"):
        lower(model)


def test_constants_beyond_32_bits_are_refused():
    model, _ = one_op("Add", [np.arange(3)], constants=[np.array([1 << 40])])
    with pytest.raises(ConversionError, match="'c0' holds whole numbers beyond 32 bits"):
        lower(model)


def test_scalars_stay_scalars():
    model, feeds = one_op("Mul", [np.float32(3), np.float32(2)])
    lowered = assert_same(model, feeds)
    assert [spec.shape for spec in (*lowered.inputs, *lowered.outputs)] == [(), (), ()]
