"""A SPLIT of which some parts are never read becomes a SLICE for each part that is."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.tflite_graph import Operator, Tensor, TfliteGraph

Op = schema.BuiltinOperator


def slice_used_parts(graph: TfliteGraph) -> None:
    """Delegates leave an unread output without memory, which tools that look at every tensor trip over."""
    uses = graph.use_counts()
    operators: list[Operator] = []
    for operator in graph.operators:
        if operator.code == Op.SPLIT and not all(uses[output] for output in operator.outputs):
            operators += _slices(operator, uses)
        else:
            operators.append(operator)
    graph.operators = operators


def _slices(split: Operator, uses: dict[Tensor, int]) -> list[Operator]:
    dimension, source = split.inputs
    assert dimension is not None and dimension.data is not None
    axis = int(dimension.data.item())
    slices = []
    for number, output in enumerate(split.outputs):
        if uses[output]:
            begin = np.zeros(len(output.shape), np.int32)
            begin[axis] = number * output.shape[axis]
            bounds = [
                Tensor(f"{output.name}/{name}", values.shape, values.dtype, values)
                for name, values in (("begin", begin), ("size", np.array(output.shape, np.int32)))
            ]
            slices.append(Operator(Op.SLICE, [source, *bounds], [output], schema.SliceOptionsT()))
    return slices
