"""What happens to a value where it enters or leaves a model: quantization, dequantization, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from litebundle.errors import LitebundleError
from litebundle.glue.boundary import Quantization, dequantize, pixels_as, quantize
from litebundle.run.model import Array, Tensor


@dataclass(frozen=True)
class QuantizedValue:
    """Raw integers that left a model; a next one of equal quantization takes them as they are."""

    raw: Array
    quantization: Quantization

    @cached_property
    def real(self) -> Array:
        return dequantize(self.raw, self.quantization)


def plain(value: Any) -> Any:
    """The value as glue sees it: real numbers instead of raw integers."""
    return value.real if isinstance(value, QuantizedValue) else value


def leave_model(raw: Array, tensor: Tensor) -> Any:
    """A model's output as a value: a `QuantizedValue` where the tensor has a scale, else the array itself."""
    return raw if tensor.quantization is None else QuantizedValue(raw, tensor.quantization)


def enter_model(value: Any, tensor: Tensor, stage: str) -> Array:
    """The raw array for a model's input.

    - The tensor's own dtype, and raw integers of equal quantization, pass as they are.
    - uint8 pixels into an int8 tensor (normalisation folded into its scale): minus 128.
    - Real numbers into an integer tensor: quantized.

    Raises:
        LitebundleError: No rule fits, or a number to be quantized is NaN.
    """
    if isinstance(value, QuantizedValue):
        if value.quantization == tensor.quantization:
            return value.raw
        value = value.real
    array: Array = value if isinstance(value, np.ndarray) else np.asarray(value)
    if array.dtype == tensor.dtype:
        return array
    if tensor.quantization is not None:
        if array.dtype == np.uint8:
            return pixels_as(array, tensor.quantization.dtype)
        if array.dtype.kind == "f":
            return _quantize(array, tensor.name, tensor.quantization, stage)
    raise LitebundleError(
        f"stage {stage!r}: input {tensor.name!r} takes {tensor.dtype}, and no rule makes that of a value of "
        f"{array.dtype} {list(array.shape)}; change the glue before it or the input's type"
    )


def _quantize(real: Array, name: str, quantization: Quantization, stage: str) -> Array:
    try:
        return quantize(real, quantization)
    except LitebundleError as error:
        raise LitebundleError(f"stage {stage!r}, input {name!r}: {error}") from error
