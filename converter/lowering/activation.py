"""Activation functions with parameters."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.graph import Node
from converter.lowerer import Lowerer, Op
from converter.lowering.broadcast import aligned
from converter.lowering.registry import lowers
from converter.tflite_graph import Tensor

CLIPS = {(0.0, np.inf): Op.RELU, (0.0, 6.0): Op.RELU6, (-1.0, 1.0): Op.RELU_N1_TO_1, (0.0, 1.0): Op.RELU_0_TO_1}


@lowers("Clip")
def clip(lower: Lowerer, node: Node) -> None:
    """A TFLite clip where its bounds are among the built-in ones, else MAXIMUM and MINIMUM."""
    placed = lower.current(node.inputs[0])
    low, high = _bound(lower, node, "min", 1), _bound(lower, node, "max", 2)
    result = placed.tensor
    if isinstance(low, Tensor) or isinstance(high, Tensor):
        for code, bound in ((Op.MAXIMUM, low), (Op.MINIMUM, high)):
            if isinstance(bound, Tensor):
                result = lower.binary(code, result, bound)
            elif np.isfinite(bound):
                result = lower.binary(code, result, lower.scalar(bound, result))
    else:
        result = _clipped(lower, result, low, high)
    lower.place(node.outputs[0], result, placed.layout)


def _clipped(lower: Lowerer, tensor: Tensor, low: float, high: float) -> Tensor:
    if tensor.dtype.kind == "f":
        limits = np.finfo(np.float32)
        low = -np.inf if low <= limits.min else low
        high = np.inf if high >= limits.max else high
        if (low, high) in CLIPS:
            return lower.unary(CLIPS[low, high], tensor)
    if np.isfinite(low):
        tensor = lower.binary(Op.MAXIMUM, tensor, lower.scalar(low, tensor))
    if np.isfinite(high):
        tensor = lower.binary(Op.MINIMUM, tensor, lower.scalar(high, tensor))
    return tensor


def _bound(lower: Lowerer, node: Node, name: str, index: int) -> float | Tensor:
    if name in node.attributes:
        return float(node.attributes[name])
    if not node.input(index):
        return -np.inf if name == "min" else np.inf
    data = lower.constant(node.inputs[index])
    return lower.tensor(node.inputs[index]) if data is None else float(data.item())


@lowers("HardSigmoid")
def hard_sigmoid(lower: Lowerer, node: Node) -> None:
    """clip(alpha x + beta, 0, 1), written as relu6(6 alpha x + 6 beta) / 6: all of it can be quantized."""
    placed = lower.current(node.inputs[0])
    alpha, beta = node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)
    result = lower.binary(Op.MUL, placed.tensor, lower.scalar(6 * alpha, placed.tensor))
    result = lower.binary(Op.ADD, result, lower.scalar(6 * beta, result))
    result = lower.unary(Op.RELU6, result)
    result = lower.binary(Op.MUL, result, lower.scalar(1 / 6, result))
    lower.place(node.outputs[0], result, placed.layout)


@lowers("LeakyRelu")
def leaky_relu(lower: Lowerer, node: Node) -> None:
    """x where positive, alpha x elsewhere."""
    placed = lower.current(node.inputs[0])
    options = schema.LeakyReluOptionsT()
    options.alpha = node.attributes.get("alpha", 0.01)
    result = lower.emit(Op.LEAKY_RELU, [placed.tensor], placed.tensor.shape, options=options)
    lower.place(node.outputs[0], result, placed.layout)


@lowers("PRelu")
def prelu(lower: Lowerer, node: Node) -> None:
    """A learnt slope per channel; TFLite wants the slope without the batch axis."""
    (tensor, slope), layout = aligned(lower, node.inputs)
    if slope.data is None or len(slope.shape) >= len(tensor.shape):
        positive = lower.unary(Op.RELU, tensor)
        negative = lower.binary(Op.MUL, lower.binary(Op.MINIMUM, tensor, lower.scalar(0.0, tensor)), slope)
        result = lower.binary(Op.ADD, positive, negative)
    else:
        wide = slope.data.reshape((1,) * (len(tensor.shape) - 1 - slope.data.ndim) + slope.shape)
        result = lower.emit(Op.PRELU, [tensor, lower.new_constant(wide, slope.name)], tensor.shape)
    lower.place(node.outputs[0], result, layout)


@lowers("Elu", "Celu", "Selu")
def elu(lower: Lowerer, node: Node) -> None:
    """gamma * (x where positive, alpha (e^(x / width) - 1) elsewhere); TFLite's ELU is the case of ones."""
    placed = lower.current(node.inputs[0])
    alpha, gamma, width = _elu_constants(node)
    if alpha == gamma == width == 1.0:
        lower.place(node.outputs[0], lower.unary(Op.ELU, placed.tensor), placed.layout)
        return
    negative = lower.binary(Op.MINIMUM, placed.tensor, lower.scalar(0.0, placed.tensor))
    decayed = lower.unary(Op.EXP, lower.binary(Op.MUL, negative, lower.scalar(1 / width, negative)))
    bent = lower.binary(Op.SUB, decayed, lower.scalar(1.0, decayed))
    bent = lower.binary(Op.MUL, bent, lower.scalar(alpha * gamma, bent))
    straight = lower.unary(Op.RELU, placed.tensor)
    straight = lower.binary(Op.MUL, straight, lower.scalar(gamma, straight))
    lower.place(node.outputs[0], lower.binary(Op.ADD, straight, bent), placed.layout)


def _elu_constants(node: Node) -> tuple[float, float, float]:
    """(alpha, gamma, width); the defaults of Selu are Klambauer et al.'s (2017)."""
    if node.op == "Selu":
        return node.attributes.get("alpha", 1.6732632), node.attributes.get("gamma", 1.0507010), 1.0
    alpha = node.attributes.get("alpha", 1.0)
    return alpha, 1.0, alpha if node.op == "Celu" else 1.0


@lowers("Softsign")
def softsign(lower: Lowerer, node: Node) -> None:
    """x / (1 + |x|)."""
    placed = lower.current(node.inputs[0])
    magnitude = lower.unary(Op.ABS, placed.tensor)
    below = lower.binary(Op.ADD, magnitude, lower.scalar(1.0, magnitude))
    lower.place(node.outputs[0], lower.binary(Op.DIV, placed.tensor, below), placed.layout)


@lowers("Softplus", "Mish")
def softplus(lower: Lowerer, node: Node) -> None:
    """log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), which does not overflow; Mish is x tanh of it."""
    placed = lower.current(node.inputs[0])
    decayed = lower.unary(Op.EXP, lower.unary(Op.NEG, lower.unary(Op.ABS, placed.tensor)))
    logarithm = lower.unary(Op.LOG, lower.binary(Op.ADD, decayed, lower.scalar(1.0, decayed)))
    result = lower.binary(Op.ADD, lower.unary(Op.RELU, placed.tensor), logarithm)
    if node.op == "Mish":
        result = lower.binary(Op.MUL, placed.tensor, lower.unary(Op.TANH, result))
    lower.place(node.outputs[0], result, placed.layout)


@lowers("Gelu")
def gelu(lower: Lowerer, node: Node) -> None:
    """x Phi(x), exact or in the tanh approximation."""
    placed = lower.current(node.inputs[0])
    options = schema.GeluOptionsT()
    options.approximate = node.attributes.get("approximate", "none") == "tanh"
    result = lower.emit(Op.GELU, [placed.tensor], placed.tensor.shape, options=options)
    lower.place(node.outputs[0], result, placed.layout)
