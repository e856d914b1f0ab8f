"""Reductions over axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.graph import Node
from converter.layout import without
from converter.lowerer import INT32, Lowerer, Op
from converter.lowering.registry import lowers
from converter.tflite_graph import Tensor

REDUCERS = {
    "ReduceMean": Op.MEAN,
    "ReduceSum": Op.SUM,
    "ReduceMax": Op.REDUCE_MAX,
    "ReduceMin": Op.REDUCE_MIN,
    "ReduceProd": Op.REDUCE_PROD,
    "ReduceSumSquare": Op.SUM,
    "ReduceL1": Op.SUM,
    "ReduceL2": Op.SUM,
    "ReduceLogSum": Op.SUM,
    "ReduceLogSumExp": Op.SUM,
}


def reduced(lower: Lowerer, code: int, tensor: Tensor, axes: Sequence[int], *, keep: bool) -> Tensor:
    """``tensor`` reduced over its own ``axes``; ``keep`` leaves them with length one."""
    axes = sorted(axes)
    options = schema.ReducerOptionsT()
    options.keepDims = keep
    kept = [1 if axis in axes else size for axis, size in enumerate(tensor.shape)]
    shape = kept if keep else [size for axis, size in enumerate(tensor.shape) if axis not in axes]
    return lower.emit(code, [tensor, lower.index_constant(axes, "axes")], shape, options=options)


def reduced_axes(lower: Lowerer, node: Node) -> list[int]:
    """The source axes that a reduction runs over, none for an explicit no-op."""
    rank = lower.rank(node.inputs[0])
    axes = lower.integers(node, "axes", 1)
    if not axes:
        return [] if node.attributes.get("noop_with_empty_axes", 0) else list(range(rank))
    return [axis % rank for axis in axes]


@lowers("LpNormalization")
def lp_normalization(lower: Lowerer, node: Node) -> None:
    """x divided by its L1 or L2 norm along one axis."""
    placed = lower.current(node.inputs[0])
    axis = placed.layout.index(node.attributes.get("axis", -1) % len(placed.layout))
    if node.attributes.get("p", 2) == 2:
        norm = lower.binary(Op.MUL, placed.tensor, placed.tensor)
        norm = lower.unary(Op.SQRT, reduced(lower, Op.SUM, norm, [axis], keep=True))
    else:
        norm = reduced(lower, Op.SUM, lower.unary(Op.ABS, placed.tensor), [axis], keep=True)
    lower.place(node.outputs[0], lower.binary(Op.DIV, placed.tensor, norm), placed.layout)


@lowers(*REDUCERS)
def reduction(lower: Lowerer, node: Node) -> None:
    """The axes follow the order that the tensor has."""
    placed = lower.current(node.inputs[0])
    axes = reduced_axes(lower, node)
    keep = bool(node.attributes.get("keepdims", 1))
    tensor = placed.tensor
    if node.op in ("ReduceL2", "ReduceSumSquare"):
        tensor = lower.binary(Op.MUL, tensor, tensor)
    elif node.op == "ReduceL1":
        tensor = lower.unary(Op.ABS, tensor)
    positions = [placed.layout.index(axis) for axis in axes]
    shift = None
    if node.op == "ReduceLogSumExp":  # the largest is taken out first, so that nothing overflows
        shift = reduced(lower, Op.REDUCE_MAX, tensor, positions, keep=True) if axes else tensor
        tensor = lower.unary(Op.EXP, lower.binary(Op.SUB, tensor, shift))
    if axes:
        tensor = reduced(lower, REDUCERS[node.op], tensor, positions, keep=keep)
    if node.op == "ReduceL2":
        tensor = lower.unary(Op.SQRT, tensor)
    elif node.op in ("ReduceLogSum", "ReduceLogSumExp"):
        tensor = lower.unary(Op.LOG, tensor)
    if shift is not None:
        tensor = lower.binary(Op.ADD, tensor, lower.reshape(shift, tensor.shape))
    lower.place(node.outputs[0], tensor, placed.layout if keep or not axes else without(placed.layout, axes))


@lowers("ArgMax", "ArgMin")
def arg_extreme(lower: Lowerer, node: Node) -> None:
    """The index of the first extreme element along one axis, as int32."""
    if node.attributes.get("select_last_index", 0):
        raise lower.refusal(node, "select_last_index=1", "take the first index in the source model")
    placed = lower.current(node.inputs[0])
    axis = node.attributes.get("axis", 0) % len(placed.layout)
    position = placed.layout.index(axis)
    maximum = node.op == "ArgMax"
    options = schema.ArgMaxOptionsT() if maximum else schema.ArgMinOptionsT()
    options.outputType = schema.TensorType.INT32
    shape = [size for number, size in enumerate(placed.tensor.shape) if number != position]
    inputs = [placed.tensor, lower.new_constant(np.array(position, np.int32), f"{node.outputs[0]}/axis")]
    result = lower.emit(Op.ARG_MAX if maximum else Op.ARG_MIN, inputs, shape, dtype=INT32, options=options)
    if node.attributes.get("keepdims", 1):
        shape.insert(position, 1)
        lower.place(node.outputs[0], lower.reshape(result, shape), placed.layout)
    else:
        lower.place(node.outputs[0], result, without(placed.layout, [axis]))
