"""What happens to a value where it enters or leaves a model: quantization, dequantization, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from litebundle.errors import LitebundleError
from litebundle.run.model import Array, Tensor


@dataclass(frozen=True)
class QuantizedValue:
    """Raw integers that left a model; a next one of equal scale and zero point takes them as they are."""

    raw: Array
    scale: float
    zero_point: int

    @cached_property
    def real(self) -> Array:
        """float32: (raw - zero_point) in int32, times the scale in float32."""
        steps = self.raw.astype(np.int32) - np.int32(self.zero_point)
        return steps.astype(np.float32) * np.float32(self.scale)


def plain(value: Any) -> Any:
    """The value as glue sees it: real numbers instead of raw integers."""
    return value.real if isinstance(value, QuantizedValue) else value


def leave_model(raw: Array, tensor: Tensor) -> Any:
    """A model's output as a value: a `QuantizedValue` where the tensor has a scale, else the array itself."""
    if tensor.scale is None or tensor.zero_point is None:
        return raw
    return QuantizedValue(raw, tensor.scale, tensor.zero_point)


def enter_model(value: Any, tensor: Tensor, stage: str) -> Array:
    """The raw array for a model's input.

    - The tensor's own dtype, and raw integers of equal scale and zero point, pass as they are.
    - uint8 pixels into an int8 tensor (normalisation folded into its scale): minus 128.
    - Real numbers into an integer tensor: clamp(round_half_even(x / scale) + zero_point), in float64.

    Raises:
        LitebundleError: No rule fits, or a number to be quantized is NaN.
    """
    if isinstance(value, QuantizedValue):
        kind = (value.raw.dtype, value.scale, value.zero_point)
        if kind == (tensor.dtype, tensor.scale, tensor.zero_point):
            return value.raw
        value = value.real
    array = np.asarray(value)
    if array.dtype == tensor.dtype:
        return array
    if array.dtype == np.uint8 and tensor.dtype == np.int8:
        return (array ^ np.uint8(0x80)).view(np.int8)
    if array.dtype.kind == "f" and tensor.scale is not None and tensor.zero_point is not None:
        return _quantize(array, tensor, stage)
    raise LitebundleError(
        f"stage {stage!r}: input {tensor.name!r} takes {tensor.dtype}, and a value of {array.dtype} "
        f"{list(array.shape)} has no rule to become that; change the glue before it or the input's type"
    )


def _quantize(real: Array, tensor: Tensor, stage: str) -> Array:
    if np.isnan(real).any():
        raise LitebundleError(f"stage {stage!r}: input {tensor.name!r} was given a NaN, which no integer is")
    assert tensor.scale is not None and tensor.zero_point is not None
    limits = np.iinfo(tensor.dtype)
    steps = np.rint(real.astype(np.float64) / tensor.scale) + tensor.zero_point
    raw: Array = np.clip(steps, limits.min, limits.max).astype(tensor.dtype)
    return raw
