"""Operators that work on each element alone, so that any order of axes will do."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.graph import Node
from converter.lowerer import BOOL, Lowerer, Op
from converter.lowering.broadcast import aligned
from converter.lowering.registry import lowers
from converter.tflite_graph import TENSOR_TYPES, Tensor

UNARY = {
    "Relu": Op.RELU,
    "Sigmoid": Op.LOGISTIC,
    "Tanh": Op.TANH,
    "Sqrt": Op.SQRT,
    "Exp": Op.EXP,
    "Log": Op.LOG,
    "Neg": Op.NEG,
    "Abs": Op.ABS,
    "Sin": Op.SIN,
    "Cos": Op.COS,
    "Floor": Op.FLOOR,
    "Ceil": Op.CEIL,
    "Round": Op.ROUND,
    "Sign": Op.SIGN,
    "Not": Op.LOGICAL_NOT,
    "HardSwish": Op.HARD_SWISH,
}
BINARY = {"Add": Op.ADD, "Sub": Op.SUB, "Mul": Op.MUL, "Div": Op.DIV, "And": Op.LOGICAL_AND, "Or": Op.LOGICAL_OR}
COMPARISON = {
    "Equal": Op.EQUAL,
    "Less": Op.LESS,
    "LessOrEqual": Op.LESS_EQUAL,
    "Greater": Op.GREATER,
    "GreaterOrEqual": Op.GREATER_EQUAL,
}


@lowers(*UNARY)
def unary(lower: Lowerer, node: Node) -> None:
    """One TFLite operator of the same meaning."""
    placed = lower.current(node.inputs[0])
    lower.place(node.outputs[0], lower.unary(UNARY[node.op], placed.tensor), placed.layout)


@lowers("Identity", "Dropout")
def identity(lower: Lowerer, node: Node) -> None:
    """Another name for the same tensor; dropout does nothing outside training."""
    if node.op == "Dropout" and lower.graph.values.get(node.input(2)) is not None:
        training = lower.required_constant(node, 2, "a training_mode")
        if training.item():
            raise lower.refusal(node, "training_mode set", "export the model in evaluation mode")
    if any(node.outputs[1:]):
        raise lower.refusal(node, "its mask as an output", "remove that output")
    placed = lower.current(node.inputs[0])
    lower.place(node.outputs[0], placed.tensor, placed.layout)


@lowers("Tan", "Atan")
def tangent(lower: Lowerer, node: Node) -> None:
    """sin / cos, and the angle over a leg of one."""
    placed = lower.current(node.inputs[0])
    if node.op == "Tan":
        result = lower.binary(Op.DIV, lower.unary(Op.SIN, placed.tensor), lower.unary(Op.COS, placed.tensor))
    else:
        ones = lower.new_constant(np.ones(placed.tensor.shape, np.float32), f"{node.outputs[0]}/ones")
        result = lower.binary(Op.ATAN2, placed.tensor, ones)  # which does not broadcast
    lower.place(node.outputs[0], result, placed.layout)


@lowers("Reciprocal")
def reciprocal(lower: Lowerer, node: Node) -> None:
    """1 / x."""
    placed = lower.current(node.inputs[0])
    one = lower.scalar(1.0, placed.tensor)
    lower.place(node.outputs[0], lower.binary(Op.DIV, one, placed.tensor), placed.layout)


@lowers(*BINARY)
def binary(lower: Lowerer, node: Node) -> None:
    """Arithmetic with broadcasting; a division by a constant is a multiplication, which can be quantized."""
    (first, second), layout = aligned(lower, node.inputs)
    code = BINARY[node.op]
    if code == Op.DIV and second.data is not None and second.dtype.kind == "f" and np.all(second.data):
        code = Op.MUL
        second = lower.new_constant((1.0 / second.data.astype(np.float64)).astype(np.float32), second.name)
    lower.place(node.outputs[0], lower.binary(code, first, second), layout)


@lowers("Sum", "Max", "Min", "Mean")
def variadic(lower: Lowerer, node: Node) -> None:
    """Folded pairwise from the left."""
    code = {"Sum": Op.ADD, "Mean": Op.ADD, "Max": Op.MAXIMUM, "Min": Op.MINIMUM}[node.op]
    tensors, layout = aligned(lower, node.inputs)
    result = tensors[0]
    for tensor in tensors[1:]:
        result = lower.binary(code, result, tensor)
    if node.op == "Mean" and len(tensors) > 1:
        result = lower.binary(Op.MUL, result, lower.scalar(1 / len(tensors), result))
    lower.place(node.outputs[0], result, layout)


@lowers(*COMPARISON)
def comparison(lower: Lowerer, node: Node) -> None:
    """A comparison gives booleans."""
    (first, second), layout = aligned(lower, node.inputs)
    lower.place(node.outputs[0], lower.binary(COMPARISON[node.op], first, second, dtype=BOOL), layout)


@lowers("Xor")
def exclusive_or(lower: Lowerer, node: Node) -> None:
    """Booleans that differ."""
    (first, second), layout = aligned(lower, node.inputs)
    lower.place(node.outputs[0], lower.binary(Op.NOT_EQUAL, first, second), layout)


@lowers("Where")
def where(lower: Lowerer, node: Node) -> None:
    """condition ? x : y, all three broadcast."""
    (condition, first, second), layout = aligned(lower, node.inputs)
    shape = np.broadcast_shapes(condition.shape, first.shape, second.shape)
    result = lower.emit(
        Op.SELECT_V2, [condition, first, second], shape, dtype=first.dtype, options=schema.SelectV2OptionsT()
    )
    lower.place(node.outputs[0], result, layout)


@lowers("Pow")
def power(lower: Lowerer, node: Node) -> None:
    """Squares, roots and the identity have cheaper forms than the general power."""
    exponent = lower.constant(node.inputs[1])
    if exponent is not None and exponent.size == 1 and lower.rank(node.inputs[1]) <= lower.rank(node.inputs[0]):
        placed = lower.current(node.inputs[0])
        special = _special_power(lower, placed.tensor, float(exponent.reshape(-1)[0]))
        if special is not None:
            lower.place(node.outputs[0], special, placed.layout)
            return
    (base, power_of), layout = aligned(lower, node.inputs)
    if base.dtype != power_of.dtype:
        power_of = _cast(lower, power_of, base.dtype)
    lower.place(node.outputs[0], lower.binary(Op.POW, base, power_of), layout)


def _special_power(lower: Lowerer, base: Tensor, exponent: float) -> Tensor | None:
    if exponent == 2.0:
        return lower.binary(Op.MUL, base, base)
    if exponent == 0.5 and base.dtype.kind == "f":
        return lower.unary(Op.SQRT, base)
    if exponent == -0.5 and base.dtype.kind == "f":
        return lower.unary(Op.RSQRT, base)
    return None


@lowers("Mod")
def modulo(lower: Lowerer, node: Node) -> None:
    """The remainder with the divisor's sign, as integers in ONNX have it."""
    if node.attributes.get("fmod", 0):
        raise lower.refusal(node, "fmod=1 (the dividend's sign)", "use fmod=0")
    (first, second), layout = aligned(lower, node.inputs)
    lower.place(node.outputs[0], lower.binary(Op.FLOOR_MOD, first, second), layout)


@lowers("Cast", "CastLike")
def cast(lower: Lowerer, node: Node) -> None:
    """A change of type; one that the tensors do not see (int64 to int32) costs nothing."""
    placed = lower.current(node.inputs[0])
    wanted = lower.dtype(node.outputs[0])
    lower.place(node.outputs[0], _cast(lower, placed.tensor, wanted), placed.layout)


def _cast(lower: Lowerer, tensor: Tensor, dtype: np.dtype[Any]) -> Tensor:
    if tensor.dtype == dtype:
        return tensor
    if tensor.data is not None:
        return lower.new_constant(tensor.data.astype(dtype), tensor.name)
    options = schema.CastOptionsT()
    options.inDataType, options.outDataType = TENSOR_TYPES[tensor.dtype], TENSOR_TYPES[dtype]
    return lower.emit(Op.CAST, [tensor], tensor.shape, dtype=dtype, options=options)
