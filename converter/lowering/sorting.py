"""Operators that order or accumulate along one axis."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.graph import Node
from converter.lowerer import INT32, Lowerer, Op
from converter.lowering.registry import lowers


@lowers("TopK")
def top_k(lower: Lowerer, node: Node) -> None:
    """The k largest, sorted, with their indices as int32; smallest ones as the largest negatives."""
    name = node.inputs[0]
    rank = lower.rank(name)
    axis = node.attributes.get("axis", -1) % rank
    (count,) = lower.integers(node, "k", 1) or [0]
    largest = node.attributes.get("largest", 1)
    layout = lower.current(name).layout
    if layout[-1] != axis:
        layout = (*(other for other in layout if other != axis), axis)
    tensor = lower.tensor(name, layout)
    if not largest:
        tensor = lower.unary(Op.NEG, tensor)
    shape = (*tensor.shape[:-1], count)
    inputs = [tensor, lower.new_constant(np.array(count, np.int32), f"{name}/k")]
    values, indices = lower.emit_many(Op.TOPK_V2, inputs, [shape, shape], options=schema.TopKV2OptionsT())
    indices.dtype = INT32
    if not largest:
        values = lower.unary(Op.NEG, values)
    for output, result in zip(node.outputs, (values, indices), strict=False):
        if output:
            lower.place(output, result, layout)


@lowers("CumSum")
def cumulative_sum(lower: Lowerer, node: Node) -> None:
    """Running sums along one axis."""
    placed = lower.current(node.inputs[0])
    axis = int(lower.required_constant(node, 1, "an axis").item()) % len(placed.layout)
    options = schema.CumsumOptionsT()
    options.exclusive = bool(node.attributes.get("exclusive", 0))
    options.reverse = bool(node.attributes.get("reverse", 0))
    position = lower.new_constant(np.array(placed.layout.index(axis), np.int32), f"{node.outputs[0]}/axis")
    result = lower.emit(Op.CUMSUM, [placed.tensor, position], placed.tensor.shape, options=options)
    lower.place(node.outputs[0], result, placed.layout)
