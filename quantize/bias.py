"""Biases that do not fit int32, and the widening of the weights' scale that makes them fit.

An int8 convolution adds its bias in units of input_scale * weight_scale[channel] to an int32 accumulator. A
channel with tiny weights and a real bias overflows it. Where the weights' scale grows instead, the channel's
weights lose resolution that, next to such a bias, the output cannot show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from quantize.errors import QuantizationError
from quantize.model_file import op_name, require_constant, text
from quantize.schemes import WEIGHTED, Operands

# Half of int32: the other half is left for the products, as TFLite's own converter does.
LARGEST_BIAS = 2.0**30
_LARGEST_WEIGHT = 127
_CHANNEL_AXIS = {"DEPTHWISE_CONV_2D": 3}


@dataclass(frozen=True)
class BiasRepair:
    """Output channel `channel` of operator `op` with output tensor `name`; bias in real units, weight scales."""

    op: str
    name: str
    channel: int
    bias: float
    scale_before: float
    scale_after: float


@dataclass(frozen=True)
class Widening:
    """Repairs of one weight tensor; `bound` [1, .., channels, .., 1] are the magnitudes its scales must reach."""

    weights: str
    bound: np.ndarray[Any, Any]
    repairs: tuple[BiasRepair, ...]


def find_overflows(float_tree: Any, int8_tree: Any) -> tuple[Widening, ...]:
    """Weight tensors of `int8_tree` whose scales are too small for the biases of `float_tree`.

    Raises QuantizationError where widening would silence weights that the output can show.
    """
    floats = {text(t.name): t for t in float_tree.subgraphs[0].tensors}
    widenings = []
    for op in int8_tree.subgraphs[0].operators:
        operands = WEIGHTED.get(op_name(int8_tree, op))
        if operands and _has_bias(op, operands):
            widenings.append(_widen(float_tree, floats, int8_tree, op, operands))
    return tuple(widening for widening in widenings if widening)


def joint_bounds(widenings: tuple[Widening, ...]) -> dict[str, np.ndarray[Any, Any]]:
    """The bound of each weight tensor; where several operators share one, the largest."""
    bounds: dict[str, np.ndarray[Any, Any]] = {}
    for widening in widenings:
        bounds[widening.weights] = np.maximum(widening.bound, bounds.get(widening.weights, widening.bound))
    return bounds


def _has_bias(op: Any, operands: Operands) -> bool:
    return operands.bias is not None and len(op.inputs) > operands.bias and op.inputs[operands.bias] >= 0


def _widen(float_tree: Any, floats: dict[str, Any], int8_tree: Any, op: Any, operands: Operands) -> Widening | None:
    tensors = int8_tree.subgraphs[0].tensors
    source, weights, bias = (tensors[op.inputs[k]] for k in (operands.input, operands.weights, operands.bias))
    if source.type != schema.TensorType.INT8:
        return None
    bias_value = require_constant(float_tree, floats[_float_name(bias, floats)]).astype(np.float64)
    input_scale = float(source.quantization.scale[0])
    scale = np.broadcast_to(np.asarray(weights.quantization.scale, np.float64), bias_value.shape)
    needed = np.abs(bias_value) / (LARGEST_BIAS * input_scale)
    channels = np.flatnonzero(needed > scale)
    if not channels.size:
        return None
    name = op_name(int8_tree, op)
    axis = _CHANNEL_AXIS.get(name, 0)
    output = tensors[op.outputs[0]]
    value = require_constant(float_tree, floats[_float_name(weights, floats)])
    rows = np.moveaxis(np.abs(value.astype(np.float64)), axis, 0).reshape(value.shape[axis], -1)
    _refuse_silenced(text(output.name), channels, rows, needed, source, output)
    scales = np.where(needed > scale, _rounded_up(needed), scale)
    bound = np.maximum(scales * _LARGEST_WEIGHT, rows.max(axis=1))
    shape = [1] * value.ndim
    shape[axis] = -1
    repairs = tuple(
        BiasRepair(name, text(output.name), int(c), float(bias_value[c]), float(scale[c]), float(scales[c]))
        for c in channels
    )
    return Widening(text(weights.name), bound.reshape(shape), repairs)


def _float_name(tensor: Any, floats: dict[str, Any]) -> str:
    """The engine appends suffixes to constants that it copies; the longest known prefix is the original."""
    return max((known for known in floats if text(tensor.name).startswith(known)), key=len)


def _rounded_up(scales: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Slightly larger, so that rounding to float32 cannot bring a bias over the limit again."""
    return scales * (1 + 2.0**-20)


def _refuse_silenced(
    name: str,
    channels: np.ndarray[Any, Any],
    rows: np.ndarray[Any, Any],
    needed: np.ndarray[Any, Any],
    source: Any,
    output: Any,
) -> None:
    """Weights that round to zero may do so only when their sum stays below half a step of the output."""
    span = _span(source)
    for channel in channels:
        row = rows[channel]
        lost = float(row[row < needed[channel] / 2].sum()) * span
        if lost > float(output.quantization.scale[0]) / 2 or not math.isfinite(needed[channel]):
            raise QuantizationError(
                f"'{name}': the bias of output channel {int(channel)} does not fit int32, and a weight scale that"
                " makes it fit would round weights to zero that the output can show; use 'int8_weights' or 'fp16' for"
                " this model, or train it with weight decay on its biases"
            )


def _span(tensor: Any) -> float:
    scale, zero = float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0])
    return scale * max(127 - zero, 128 + zero)
