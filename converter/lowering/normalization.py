"""Normalisations by statistics of the value itself, in arithmetic that can be quantized."""

from __future__ import annotations

from collections.abc import Sequence

from converter.graph import Array, Node
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
            wide = values.reshape((1,) * (rank - values.ndim) + values.shape).transpose(placed.layout)
            result = lower.binary(code, result, lower.new_constant(_trimmed(wide), node.inputs[index]))
    lower.place(node.outputs[0], result, placed.layout)


def _trimmed(values: Array) -> Array:
    while values.ndim > 1 and values.shape[0] == 1:
        values = values[0]
    return values


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
