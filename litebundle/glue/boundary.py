"""Numbers at the door of a quantized model: quantize in, dequantize out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from litebundle.errors import LitebundleError


@dataclass(frozen=True)
class Quantization:
    """real = (q - zero_point) * scale, which counts as float32. Equal ones on both sides of an edge: the raw
    integers pass."""

    dtype: Literal["int8", "uint8"]
    scale: float
    zero_point: int


def quantize(values: NDArray[Any], target: Quantization) -> NDArray[Any]:
    """float32 of any shape -> target.dtype: clamp(round_half_even(x / scale) + zero_point), in float64.

    Infinity saturates; NaN raises LitebundleError.
    """
    limits = np.iinfo(target.dtype)
    scaled = values.astype(np.float64)
    scaled /= np.float64(np.float32(target.scale))
    np.rint(scaled, out=scaled)
    scaled += target.zero_point
    if scaled.size and np.isnan(scaled.min()):
        raise LitebundleError("a NaN reached a quantized input; the stage before it is broken for this picture")
    return np.clip(scaled, limits.min, limits.max, out=scaled).astype(target.dtype)


def dequantize(raw: NDArray[Any], source: Quantization) -> NDArray[np.float32]:
    """int8 or uint8 of any shape -> float32 (q - zero_point) * scale: int32 difference, float32 product."""
    difference = raw.astype(np.int32) - np.int32(source.zero_point)
    return difference.astype(np.float32) * np.float32(source.scale)


def pixels_as(pixels: NDArray[np.uint8], dtype: Literal["int8", "uint8"]) -> NDArray[Any]:
    """uint8 pixels for an input whose normalisation is folded into its scale: as they are, or less 128 as
    int8."""
    return pixels if dtype == "uint8" else (pixels ^ np.uint8(128)).view(np.int8)
