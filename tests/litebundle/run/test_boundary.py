from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litebundle.errors import LitebundleError
from litebundle.glue.boundary import Quantization
from litebundle.run import enter_model, leave_model
from litebundle.run.boundary import plain
from litebundle.run.model import Tensor

scales = st.floats(2.0**-20, 2.0**8, width=32)
zero_points = st.integers(-128, 127)
RAW = np.arange(-128, 128).astype(np.int8)


def tensor(dtype, scale=None, zero_point=0):
    quantization = None if scale is None else Quantization(dtype, scale, zero_point)
    return Tensor("x", (256,), np.dtype(dtype), quantization)


@given(scales, zero_points)
def test_raw_integers_pass_between_equal_tensors_without_a_copy(scale, zero_point):
    value = leave_model(RAW, tensor("int8", scale, zero_point))
    assert enter_model(value, tensor("int8", scale, zero_point), "s") is RAW


@given(scales, zero_points)
def test_real_values_come_back_as_the_same_integers(scale, zero_point):
    one = tensor("int8", scale, zero_point)
    np.testing.assert_array_equal(enter_model(plain(leave_model(RAW, one)), one, "s"), RAW)


@given(scales, zero_points, scales)
def test_requantization_is_within_half_a_step_or_at_the_limit(scale, zero_point, other_scale):
    value = leave_model(RAW, tensor("int8", scale, zero_point))
    raw = enter_model(value, tensor("int8", other_scale, 3), "s").astype(np.float64)
    error = np.abs((raw - 3) * other_scale - value.real.astype(np.float64))
    assert np.all((error <= other_scale * 0.5001) | (raw == -128) | (raw == 127))


def test_folded_pixels_keep_their_meaning():
    """An int8 tensor with the zero point moved by 128 means what the uint8 one does."""
    pixels = np.arange(256).astype(np.uint8)
    unsigned, signed = tensor("uint8", 1 / 127.5, 128), tensor("int8", 1 / 127.5, 0)
    a = plain(leave_model(enter_model(pixels, unsigned, "s"), unsigned))
    b = plain(leave_model(enter_model(pixels, signed, "s"), signed))
    np.testing.assert_array_equal(a, b)


def test_a_value_without_a_rule_is_refused():
    with pytest.raises(LitebundleError, match=r"stage 'locate': input 'x' takes float32.*uint8 \[2\]"):
        enter_model(np.zeros(2, np.uint8), tensor("float32"), "locate")


def test_nan_is_refused_with_its_stage_and_tensor():
    with pytest.raises(LitebundleError, match="'locate', input 'x': a NaN"):
        enter_model(np.array([np.nan]), tensor("int8", 1.0), "locate")
