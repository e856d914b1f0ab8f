"""Normalisations by statistics of the value itself, in arithmetic that can be quantized."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.graph import Array, Node
from converter.layout import Layout
from converter.lowerer import Lowerer, Op
from converter.lowering.reduction import reduced
from converter.lowering.registry import lowers
from converter.tflite_graph import Tensor


@lowers("LayerNormalization")
def layer_normalization(lower: Lowerer, node: Node) -> None:
    """(x - mean) / sqrt(variance + epsilon) * scale + bias over the axes from ``axis`` on."""
    if any(node.outputs[1:]):
        raise lower.refusal(node, "its mean or deviation as an output", "remove that output")
    placed = lower.current(node.inputs[0])
    rank = len(placed.layout)
    first = node.attributes.get("axis", -1) % rank
    axes = [placed.layout.index(axis) for axis in range(first, rank)]
    result = _standardised(lower, placed.tensor, axes, node.attributes.get("epsilon", 1e-5))
    for code, index, name in ((Op.MUL, 1, "scale"), (Op.ADD, 2, "bias")):
        if node.input(index):
            values = lower.required_constant(node, index, f"a {name}")
            wide = _wide(values, placed.layout)
            result = lower.binary(code, result, lower.new_constant(wide, node.inputs[index]))
    lower.place(node.outputs[0], result, placed.layout)


def _wide(values: Array, layout: Layout) -> Array:
    """Values for the last axes, in the order of ``layout`` and without leading axes of length one."""
    wide = values.reshape((1,) * (len(layout) - values.ndim) + values.shape).transpose(layout)
    while wide.ndim > 1 and wide.shape[0] == 1:
        wide = wide[0]
    return wide


def _standardised(lower: Lowerer, tensor: Tensor, axes: Sequence[int], epsilon: float) -> Tensor:
    mean = reduced(lower, Op.MEAN, tensor, axes, keep=True)
    centred = lower.binary(Op.SUB, tensor, mean)
    variance = reduced(lower, Op.MEAN, lower.binary(Op.MUL, centred, centred), axes, keep=True)
    inverse = lower.unary(Op.RSQRT, lower.binary(Op.ADD, variance, lower.scalar(epsilon, variance)))
    return lower.binary(Op.MUL, centred, inverse)


@lowers("InstanceNormalization")
def instance_normalization(lower: Lowerer, node: Node) -> None:
    """Each channel of each sample standardised over its spatial axes."""
    placed = lower.current(node.inputs[0])
    axes = [placed.layout.index(axis) for axis in range(2, len(placed.layout))]
    result = _standardised(lower, placed.tensor, axes, node.attributes.get("epsilon", 1e-5))
    behind = (1,) * (len(placed.layout) - 1 - placed.layout.index(1))
    for code, index in ((Op.MUL, 1), (Op.ADD, 2)):
        values = lower.required_constant(node, index, "a scale or bias").reshape(-1, *behind)
        result = lower.binary(code, result, lower.new_constant(values, node.inputs[index]))
    lower.place(node.outputs[0], result, placed.layout)


@lowers("GroupNormalization")
def group_normalization(lower: Lowerer, node: Node) -> None:
    """Groups of channels standardised over themselves and all spatial axes."""
    name = node.inputs[0]
    layout = _channels_last(lower.rank(name))
    tensor = lower.tensor(name, layout)
    batch, *_, channels = tensor.shape
    groups = node.attributes["num_groups"]
    grouped = lower.reshape(tensor, (batch, math.prod(tensor.shape[1:-1]), groups, channels // groups))
    result = _standardised(lower, grouped, (1, 3), node.attributes.get("epsilon", 1e-5))
    result = lower.reshape(result, tensor.shape)
    for code, index in ((Op.MUL, 1), (Op.ADD, 2)):
        values = lower.required_constant(node, index, "a scale or bias")
        per_channel = np.repeat(values, channels // values.size)  # one per group before opset 21
        result = lower.binary(code, result, lower.new_constant(per_channel, node.inputs[index]))
    lower.place(node.outputs[0], result, layout)


def _channels_last(rank: int) -> Layout:
    return (0, *range(2, rank), 1)


@lowers("RMSNormalization")
def rms_normalization(lower: Lowerer, node: Node) -> None:
    """x / sqrt(mean(x^2) + epsilon) * scale over the axes from ``axis`` on."""
    placed = lower.current(node.inputs[0])
    rank = len(placed.layout)
    axes = [placed.layout.index(axis) for axis in range(node.attributes.get("axis", -1) % rank, rank)]
    squares = reduced(lower, Op.MEAN, lower.binary(Op.MUL, placed.tensor, placed.tensor), axes, keep=True)
    inverse = lower.unary(
        Op.RSQRT, lower.binary(Op.ADD, squares, lower.scalar(node.attributes.get("epsilon", 1e-5), squares))
    )
    scale = _wide(lower.required_constant(node, 1, "a scale"), placed.layout)
    result = lower.binary(Op.MUL, placed.tensor, inverse)
    lower.place(node.outputs[0], lower.binary(Op.MUL, result, lower.new_constant(scale, node.inputs[1])), placed.layout)


@lowers("LRN")
def local_response_normalization(lower: Lowerer, node: Node) -> None:
    """x / (bias + alpha / size * the sum of squares of the channels around)^beta."""
    size = node.attributes["size"]
    if size % 2 == 0:
        raise lower.refusal(node, f"an even size {size}", "use an odd one in the source model")
    layout = _channels_last(lower.rank(node.inputs[0]))
    tensor = lower.tensor(node.inputs[0], layout)
    options = schema.LocalResponseNormalizationOptionsT()
    options.radius = size // 2
    options.bias = node.attributes.get("bias", 1.0)
    options.alpha = node.attributes.get("alpha", 1e-4) / size
    options.beta = node.attributes.get("beta", 0.75)
    result = lower.emit(Op.LOCAL_RESPONSE_NORMALIZATION, [tensor], tensor.shape, options=options)
    lower.place(node.outputs[0], result, layout)
