"""Constant factors and addends per channel fold into the weights and bias of the operator before them.

Batch normalisation arrives here as a MUL and an ADD, a separate bias as an ADD.
"""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.graph import Array
from converter.tflite_graph import Operator, Tensor, TfliteGraph

Op = schema.BuiltinOperator
# operator -> (index of weights, index of bias, axis of the output channel in the weights)
HOSTS = {
    Op.CONV_2D: (1, 2, 0),
    Op.DEPTHWISE_CONV_2D: (1, 2, 3),
    Op.FULLY_CONNECTED: (1, 2, 0),
    Op.TRANSPOSE_CONV: (1, 3, 0),
}


def fold_affine(graph: TfliteGraph) -> None:
    """MUL, ADD and SUB with a constant per channel disappear into a convolution or matrix product."""
    producers, uses = graph.producers(), graph.use_counts()
    for operator in graph.operators:
        if operator.code not in (Op.MUL, Op.ADD, Op.SUB) or operator.options.fusedActivationFunction:
            continue
        source, constant = _operands(operator)
        host = producers.get(source) if source is not None else None
        if host is None or source is None or constant is None or host.code not in HOSTS or uses[source] != 1:
            continue
        values = _per_channel(constant, source)
        if values is None or host.options.fusedActivationFunction or not _fold(host, operator.code, values):
            continue
        host.outputs = operator.outputs
        operator.outputs = []
        producers[host.outputs[0]] = host


def _operands(operator: Operator) -> tuple[Tensor | None, Array | None]:
    first, second = operator.inputs
    assert first is not None and second is not None
    if second.data is not None:
        return first, second.data
    if operator.code != Op.SUB and first.data is not None:
        return second, first.data
    return None, None


def _per_channel(constant: Array, source: Tensor) -> Array | None:
    """The constant as one float64 per channel, None where it varies along another axis."""
    channels = source.shape[-1]
    if constant.dtype != np.float32 or constant.size not in (1, channels) or constant.ndim > len(source.shape):
        return None
    if constant.size == channels and channels > 1 and constant.shape[-1] != channels:
        return None
    return np.broadcast_to(constant.reshape(-1), (channels,)).astype(np.float64)


def _fold(host: Operator, code: int, values: Array) -> bool:
    weight_index, bias_index, channel_axis = HOSTS[host.code]
    weights = host.inputs[weight_index]
    bias = host.inputs[bias_index] if len(host.inputs) > bias_index else None
    if weights is None or weights.data is None or (bias is not None and bias.data is None):
        return False
    previous = np.zeros_like(values) if bias is None else bias.data.astype(np.float64)  # type: ignore[union-attr]
    if code == Op.MUL:
        shape = [-1 if axis == channel_axis else 1 for axis in range(weights.data.ndim)]
        host.inputs[weight_index] = _replaced(weights, weights.data * values.reshape(shape))
        updated = previous * values
    else:
        updated = previous + values if code == Op.ADD else previous - values
    if bias is None and not updated.any():
        return True
    name = bias.name if bias is not None else f"{weights.name}/bias"
    host.inputs[bias_index:] = [Tensor(name, values.shape, weights.dtype, updated.astype(np.float32))]
    return True


def _replaced(weights: Tensor, data: Array) -> Tensor:
    return Tensor(weights.name, weights.shape, weights.dtype, np.ascontiguousarray(data, np.float32))
