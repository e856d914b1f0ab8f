"""Softmax and its logarithm, which TFLite knows along the last axis."""

from __future__ import annotations

import math

from ai_edge_litert import schema_py_generated as schema

from converter.graph import Node
from converter.lowerer import Lowerer, Op
from converter.lowering.registry import lowers
from converter.tflite_graph import Tensor

SINGLE_AXIS_OPSET = 13  # before, all axes from `axis` on were normalised together


@lowers("Softmax", "LogSoftmax")
def softmax(lower: Lowerer, node: Node) -> None:
    """The axis is brought to the end only where it does not lie there already."""
    name, rank = node.inputs[0], lower.rank(node.inputs[0])
    default = -1 if node.version >= SINGLE_AXIS_OPSET else 1
    axis = node.attributes.get("axis", default) % max(rank, 1)
    shape = lower.shape(name)
    if node.version < SINGLE_AXIS_OPSET and any(size != 1 for size in shape[axis + 1 :]):
        flat = lower.reshape(lower.tensor(name), (math.prod(shape[:axis]), math.prod(shape[axis:])))
        lower.place(node.outputs[0], lower.reshape(_normalised(lower, node, flat), shape))
        return
    layout = lower.current(name).layout
    if layout[-1] != axis:
        layout = (*(other for other in layout if other != axis), axis)
    lower.place(node.outputs[0], _normalised(lower, node, lower.tensor(name, layout)), layout)


def _normalised(lower: Lowerer, node: Node, tensor: Tensor) -> Tensor:
    if node.op == "LogSoftmax":
        return lower.emit(Op.LOG_SOFTMAX, [tensor], tensor.shape, options=schema.LogSoftmaxOptionsT())
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    return lower.emit(Op.SOFTMAX, [tensor], tensor.shape, options=options)
