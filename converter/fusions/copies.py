"""Copies where LiteRT 2.3's memory planner would overwrite a value that is still needed.

Its built-in kernels for IN_PLACE operators may write into their input's memory, and a RESHAPE shares its input's. After
an in-place operator the planner forgets the sharing: an in-place operator behind the RESHAPE then overwrites the value
before it although others still read that. XNNPACK is not concerned, an interpreter without it answers wrongly.
"""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.tflite_graph import Operator, Tensor, TfliteGraph

Op = schema.BuiltinOperator
IN_PLACE = frozenset({Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.SOFTMAX})


def copy_shared_values(graph: TfliteGraph) -> None:
    """A SLICE of everything, which copies, between such a RESHAPE and its only reader."""
    producers, uses = graph.producers(), graph.use_counts()
    operators: list[Operator] = []
    for operator in graph.operators:
        for index, tensor in enumerate(operator.inputs):
            if tensor is not None and operator.code in IN_PLACE and _is_endangered(tensor, producers, uses):
                copy = _copied(tensor)
                operators.append(copy)
                operator.inputs[index] = copy.outputs[0]
        operators.append(operator)
    graph.operators = operators


def _is_endangered(tensor: Tensor, producers: dict[Tensor, Operator], uses: dict[Tensor, int]) -> bool:
    """Whether ``tensor`` is the reshaped result of an in-place operator that has other readers."""
    reshape = producers.get(tensor)
    source = reshape.inputs[0] if reshape is not None and reshape.code == Op.RESHAPE else None
    origin = producers.get(source) if source is not None else None
    return source is not None and origin is not None and origin.code in IN_PLACE and uses[source] > 1


def _copied(tensor: Tensor) -> Operator:
    bounds = [
        Tensor(f"{tensor.name}/{name}", values.shape, values.dtype, values)
        for name, values in (
            ("begin", np.zeros(len(tensor.shape), np.int32)),
            ("size", np.array(tensor.shape, np.int32)),
        )
    ]
    copy = Tensor(f"{tensor.name}/copy", tensor.shape, tensor.dtype)
    return Operator(Op.SLICE, [tensor, *bounds], [copy], schema.SliceOptionsT())
