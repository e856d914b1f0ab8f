"""Which tensors calibration must look at, and which ranges follow from others.

Policy is data: an op whose output holds only values of its inputs needs no look of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from quantize.model_file import constant, is_float_activation, op_name, text
from quantize.observers import Derived

# Outputs take the range of this operand. The values are the operand's (moved, repeated), or the int8 kernel
# demands the operand's scale (pooling, resizing, slicing), so that a range of its own would have no use.
SAME_AS_INPUT: dict[str, int] = {
    "AVERAGE_POOL_2D": 0,
    "BROADCAST_TO": 0,
    "DEPTH_TO_SPACE": 0,
    "EXPAND_DIMS": 0,
    "GATHER": 0,
    "GATHER_ND": 0,
    "MAX_POOL_2D": 0,
    "MIRROR_PAD": 0,
    "PAD": 0,
    "REDUCE_MIN": 0,
    "RESHAPE": 0,
    "RESIZE_BILINEAR": 0,
    "RESIZE_NEAREST_NEIGHBOR": 0,
    "REVERSE_V2": 0,
    "SLICE": 0,
    "SPACE_TO_DEPTH": 0,
    "SPLIT": 1,
    "SQUEEZE": 0,
    "STRIDED_SLICE": 0,
    "TILE": 0,
    "TRANSPOSE": 0,
    "UNPACK": 0,
}
# The output's values are those of these operands together (None: all).
UNION: dict[str, tuple[int, ...] | None] = {
    "CONCATENATION": None,
    "PACK": None,
    "PADV2": (0, 2),
}
# Ranges that the operator's definition fixes, whatever the input (TFLite quantization specification).
FIXED: dict[str, tuple[float, float]] = {
    "LOGISTIC": (0.0, 1.0),
    "SOFTMAX": (0.0, 1.0),
    "TANH": (-1.0, 1.0),
}
# Results are never negative, so zero, which every int8 range includes, is the lower bound.
NON_NEGATIVE = frozenset({"ABS", "EXP", "RELU", "RELU6", "RELU_0_TO_1", "SQUARED_DIFFERENCE", "SQUARE"})
# Ops that make a NaN out of finite operands; max and min may skip a NaN, a sum never does.
NAN_MAKERS = frozenset({"DIV", "FLOOR_MOD", "LOG", "POW", "RSQRT", "SQRT", "COS", "SIN"})

_AS_GOOD_AS_INFINITE = 1e30
_NON_NEGATIVE_ACTIVATIONS = (schema.ActivationFunctionType.RELU, schema.ActivationFunctionType.RELU6)


@dataclass(frozen=True)
class Look:
    """A tensor that calibration observes."""

    name: str
    index: int
    needs_min: bool
    may_be_nan: bool


@dataclass(frozen=True)
class RangePlan:
    """Every float tensor of a model, in graph order."""

    looks: tuple[Look, ...]
    derived: tuple[Derived, ...]


def plan_ranges(tree: Any) -> RangePlan:
    """The plan for `tree`; tensors without elements have no range."""
    graph = tree.subgraphs[0]
    looks = [Look(text(graph.tensors[i].name), i, True, True) for i in graph.inputs if _has_range(tree, i)]
    derived: list[Derived] = []
    for op in graph.operators:
        name = op_name(tree, op)
        for index in op.outputs:
            if not _has_range(tree, index):
                continue
            tensor = text(graph.tensors[index].name)
            if rule := _derive(tree, op, name, tensor):
                derived.append(rule)
            else:
                look = Look(tensor, index, not _non_negative(op, name), index in graph.outputs or name in NAN_MAKERS)
                looks.append(look)
    return RangePlan(tuple(looks), tuple(derived))


def _has_range(tree: Any, index: int) -> bool:
    tensor = tree.subgraphs[0].tensors[index]
    return is_float_activation(tree, tensor) and math.prod(tensor.shape) > 0


def _non_negative(op: Any, name: str) -> bool:
    return name in NON_NEGATIVE or _activation(op) in _NON_NEGATIVE_ACTIVATIONS


def _activation(op: Any) -> int:
    return int(getattr(op.builtinOptions, "fusedActivationFunction", schema.ActivationFunctionType.NONE))


def _derive(tree: Any, op: Any, name: str, tensor: str) -> Derived | None:
    if name in FIXED:
        return Derived(tensor, (), FIXED[name])
    if _activation(op) != schema.ActivationFunctionType.NONE:
        return None
    if name in SAME_AS_INPUT:
        return _union(tree, tensor, [op.inputs[SAME_AS_INPUT[name]]])
    if name in UNION:
        operands = UNION[name]
        return _union(tree, tensor, op.inputs if operands is None else [op.inputs[k] for k in operands])
    return None


def _union(tree: Any, tensor: str, operands: list[int]) -> Derived | None:
    sources, fixed = [], []
    for index in operands:
        operand = tree.subgraphs[0].tensors[index]
        value = constant(tree, operand)
        if value is None:
            if operand.isVariable:
                return None
            sources.append(text(operand.name))
        elif value.size:
            # Padding below every value (a maximum follows) saturates at the bottom of the range of the values.
            fixed += [float(v) for v in (value.min(), value.max()) if abs(v) < _AS_GOOD_AS_INFINITE]
    return Derived(tensor, tuple(sources), tuple(fixed))
