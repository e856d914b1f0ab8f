"""Resizing in ONNX's conventions against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converter.errors import ConversionError
from converter.onnx_convert import lower
from tests.converter.against_onnxruntime import assert_same, floats, one_op, operators

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
CONVENTIONS = ["asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners", "half_pixel_symmetric"]


@SETTINGS
@given(
    st.sampled_from(CONVENTIONS), st.sampled_from(["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]),
    st.tuples(st.integers(1, 6), st.integers(1, 6)), st.tuples(st.integers(1, 9), st.integers(1, 9)),
)  # fmt: skip
def test_nearest_to_a_size(convention, rounding, source, target):
    model, feeds = one_op(
        "Resize", [floats(1, 2, *source)], constants=[None, None, np.array([1, 2, *target])], opset=19,
        mode="nearest", coordinate_transformation_mode=convention, nearest_mode=rounding,
    )  # fmt: skip
    assert_same(model, feeds)


@SETTINGS
@given(
    st.sampled_from(["linear", "cubic"]), st.sampled_from(CONVENTIONS),
    st.tuples(st.integers(1, 6), st.integers(1, 6)), st.tuples(st.integers(1, 9), st.integers(1, 9)),
)  # fmt: skip
def test_interpolation_to_a_size(mode, convention, source, target):
    model, feeds = one_op(
        "Resize", [floats(1, 2, *source)], constants=[None, None, np.array([1, 2, *target])], opset=19,
        mode=mode, coordinate_transformation_mode=convention,
    )  # fmt: skip
    assert_same(model, feeds, tolerance=1e-5)


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("scales", [(2, 2), (1.5, 2.5), (0.5, 0.7), (1, 3)])
@pytest.mark.parametrize("convention", ["asymmetric", "half_pixel"])
def test_scales(mode, scales, convention):
    constants = [None, np.array([1, 1, *scales], np.float32)]
    model, feeds = one_op(
        "Resize", [floats(2, 3, 5, 6)], constants=constants, mode=mode, coordinate_transformation_mode=convention
    )
    assert_same(model, feeds, tolerance=1e-5)


@pytest.mark.parametrize(
    ("mode", "convention", "rounding", "expected"),
    [
        ("nearest", "asymmetric", "floor", "RESIZE_NEAREST_NEIGHBOR"),
        ("nearest", "half_pixel", "round_prefer_floor", "RESIZE_NEAREST_NEIGHBOR"),
        ("linear", "half_pixel", "floor", "RESIZE_BILINEAR"),
        ("linear", "align_corners", "floor", "RESIZE_BILINEAR"),
        ("linear", "asymmetric", "floor", "RESIZE_BILINEAR"),
    ],
)
def test_doubling_is_one_operator(mode, convention, rounding, expected):
    constants = [None, np.array([1, 1, 2, 2], np.float32)]
    model, feeds = one_op(
        "Resize", [floats(2, 3, 5, 6)], constants=constants, mode=mode,
        coordinate_transformation_mode=convention, nearest_mode=rounding,
    )  # fmt: skip
    lowered = assert_same(model, feeds, layouts={"x0": "NHWC", "y0": "NHWC"}, tolerance=1e-5)
    assert operators(lowered) == {expected: 1}


@pytest.mark.parametrize("opset", [9, 10])
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_older_forms(opset, mode):
    op = "Upsample" if opset == 9 else "Resize"
    model, feeds = one_op(
        op, [floats(1, 2, 3, 4)], constants=[np.array([1, 1, 2, 2], np.float32)], opset=opset, mode=mode
    )
    assert_same(model, feeds)


def test_cropping_is_refused():
    model, _ = one_op(
        "Resize", [floats(1, 2, 4, 4)],
        constants=[np.array([0, 0, 0, 0, 1, 1, 0.5, 0.5], np.float32), None, np.array([1, 2, 3, 3])],
        coordinate_transformation_mode="tf_crop_and_resize",
    )  # fmt: skip
    with pytest.raises(ConversionError, match="tf_crop_and_resize"):
        lower(model)
