"""Pooling over windows and over whole maps."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.graph import Array, Node
from converter.lowerer import FLOAT32, Lowerer, Op
from converter.lowering.reduction import reduced
from converter.lowering.registry import lowers
from converter.lowering.window import Padding, Window, as_picture, mirrored, pad, padded, place_picture, windows
from converter.tflite_graph import Tensor


@lowers("GlobalAveragePool", "GlobalMaxPool")
def global_pool(lower: Lowerer, node: Node) -> None:
    """A reduction over all spatial axes that keeps them."""
    placed = lower.current(node.inputs[0])
    axes = [placed.layout.index(axis) for axis in range(2, len(placed.layout))]
    code = Op.MEAN if node.op == "GlobalAveragePool" else Op.REDUCE_MAX
    lower.place(node.outputs[0], reduced(lower, code, placed.tensor, axes, keep=True), placed.layout)


@lowers("MaxPool")
def max_pool(lower: Lowerer, node: Node) -> None:
    """MAX_POOL_2D; padding that TFLite's SAME does not give is written out and never wins."""
    axes = windows(lower, node, node.attributes["kernel_shape"])
    if any(node.outputs[1:]):
        raise lower.refusal(node, "its Indices as an output", "remove that output")
    tensor, axes = _pooled_picture(lower, node, axes)
    if not all(axis.is_same() for axis in axes) and not all(axis.is_valid() for axis in axes):
        tensor = _padded_by_neighbours(lower, tensor, axes)
        place_picture(lower, node, _pool(lower, Op.MAX_POOL_2D, tensor, axes, Padding.VALID))
        return
    tensor, padding = padded(lower, tensor, axes)
    place_picture(lower, node, _pool(lower, Op.MAX_POOL_2D, tensor, axes, padding))


def _padded_by_neighbours(lower: Lowerer, tensor: Tensor, axes: tuple[Window, Window]) -> Tensor:
    """Mirrored elements lie in the same window as their originals and leave the range of values as it is.

    That holds while the padding is at most half the window; beyond, the lowest float pads.
    """
    pads = [(0, 0), *((axis.begin, axis.end) for axis in axes), (0, 0)]
    mirrors = all(2 * max(axis.begin, axis.end) <= axis.kernel and axis.input >= axis.kernel for axis in axes)
    if not mirrors:
        return pad(lower, tensor, pads, float(np.finfo(np.float32).min))
    return mirrored(lower, tensor, pads, schema.MirrorPadMode.SYMMETRIC)


@lowers("AveragePool")
def average_pool(lower: Lowerer, node: Node) -> None:
    """AVERAGE_POOL_2D; where padding counts otherwise than TFLite counts it, a constant map corrects the mean."""
    axes = windows(lower, node, node.attributes["kernel_shape"])
    pads = node.attributes.get("pads", [0] * 2 * len(axes))
    counts = [
        _counts(axis, pads[number + len(axes)], bool(node.attributes.get("count_include_pad", 0)))
        for number, axis in enumerate(axes)
    ]
    tensor, axes2 = _pooled_picture(lower, node, axes)
    counts = [np.ones(1), *counts] if len(counts) == 1 else counts
    same = all(axis.is_same() for axis in axes2)
    excluded = [_counts(axis, 0, False) for axis in axes2]
    if same and all(np.array_equal(*pair) for pair in zip(counts, excluded, strict=True)):
        place_picture(lower, node, _pool(lower, Op.AVERAGE_POOL_2D, tensor, axes2, Padding.SAME))
        return
    pads_needed = [(0, 0), *((axis.begin, axis.end) for axis in axes2), (0, 0)]
    if any(any(pair) for pair in pads_needed):
        tensor = pad(lower, tensor, pads_needed)
    result = _pool(lower, Op.AVERAGE_POOL_2D, tensor, axes2, Padding.VALID)
    correction = np.outer(axes2[0].kernel / counts[0], axes2[1].kernel / counts[1])
    if not np.all(correction == 1):
        constant = lower.new_constant(correction[None, :, :, None].astype(np.float32), f"{result.name}/correction")
        result = lower.binary(Op.MUL, result, constant)
    place_picture(lower, node, result)


def _counts(axis: Window, pad_end: int, include_pad: bool) -> Array:
    """By how many elements each window along one axis is divided."""
    starts = np.arange(axis.output) * axis.stride - axis.begin
    stops = starts + axis.kernel
    if include_pad:
        counts = np.minimum(stops, axis.input + max(pad_end, 0)) - starts
    else:
        counts = np.minimum(stops, axis.input) - np.maximum(starts, 0)
    return np.maximum(counts, 1).astype(np.float64)


def _pooled_picture(lower: Lowerer, node: Node, axes: tuple[Window, ...]) -> tuple[Tensor, tuple[Window, Window]]:
    if any(axis.dilation != 1 for axis in axes):
        raise lower.refusal(node, "dilations", "use dilation 1 in the source model")
    if lower.dtype(node.inputs[0]) != FLOAT32:
        raise lower.refusal(node, f"elements of type {lower.dtype(node.inputs[0])}", "cast them to float32 before")
    return as_picture(lower, node, axes)


def _pool(lower: Lowerer, code: int, tensor: Tensor, axes: tuple[Window, Window], padding: int) -> Tensor:
    options = schema.Pool2DOptionsT()
    options.padding = padding
    options.strideH, options.strideW = axes[0].stride, axes[1].stride
    options.filterHeight, options.filterWidth = axes[0].kernel, axes[1].kernel
    shape = (tensor.shape[0], axes[0].output, axes[1].output, tensor.shape[3])
    return lower.emit(code, [tensor], shape, options=options)
